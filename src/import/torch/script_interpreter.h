// Evaluates Python source over values of a tensor graph: what depends on known values (module structure,
// options, ranks) happens while importing, what depends on the data of tensors becomes operators of the
// graph. Nothing is executed as Python: what this evaluator does not know is refused with file, line and
// source text.
//
// Three kinds of source are evaluated with the same rules, but names mean other things in them: TorchScript's
// code (names are ATen operators), the user's own (names are what they imported from torch), and wherry's
// recipes (recipes.h: the forward methods of torch.nn and torchvision, where `aten.x` calls an operator).
//
// `if` on tensor data becomes If, loops with an unknown number of rounds become Loop; both ways must give
// values of the same kinds. A way that only raises is taken to be a check, and left out.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "import/python/ast.h"
#include "import/torch/aten.h"
#include "import/torch/script_value.h"

namespace wherry::torch {

enum class SourceKind : std::uint8_t { kTorchScript, kUser, kRecipes };

struct Source {
  Source(python::Module of, SourceKind is, std::string named)
      : module(std::move(of)), kind(is), name(std::move(named)) {}
  python::Module module;
  SourceKind kind;
  std::string name;  // of the module: "__torch__.torch.nn.functional"; "" for the user's main file
  mutable std::map<std::string, Value, std::less<>> globals;  // evaluated so far
  mutable std::set<std::string, std::less<>> evaluating;      // so that no global needs itself
};

// Finds what the interpreter does not have itself. Borrowed; called while importing only.
class Resolver {
 public:
  virtual ~Resolver() = default;
  // The source of a module ("__torch__.torch.nn.functional", "layers"); null when there is none.
  virtual base::Result<const Source*> source(std::string_view module) = 0;
  // CONSTANTS.c0 of a TorchScript archive; nullopt when there is none.
  virtual std::optional<Value> constant(std::string_view name) = 0;
};

struct ScriptLimits {
  std::uint64_t steps = 20'000'000;  // expressions and statements evaluated
  int depth = 200;                   // calls inside calls
  std::uint64_t items = 5'000'000;   // of one list
};

// An attribute of an object made before a branch, changed in the branch.
struct AttributeChange {
  Object object;
  std::string name;
  std::optional<Value> before;
  Value after;
  bool first = false;  // the first change since forward() began
};

// An attribute of the file that forward() reads and then changes.
struct StateAttribute {
  Object object;
  std::string name;
  Value before;
};

// Asked for when a rank or shape of an input must be known to go on. The importer tries again with one.
struct InputNeed {
  std::size_t input = 0;
  std::vector<int> ranks;  // to try, the likely ones first; -1: as it is, only the dtype is wrong
  std::optional<tensor::DType> dtype;
};

// The length of an axis of an input that the weights say which it meets. `behind`: not the input itself meets
// them but what came of it, so that the graph does not know it yet.
struct InputLength {
  std::size_t input = 0;
  std::int64_t axis = 0;
  std::int64_t length = 0;
  bool behind = false;
};

class Interpreter {
 public:
  Interpreter(Aten& aten, Resolver& resolver, const ScriptLimits& limits = {});
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  Aten& aten() { return aten_; }
  graph::Builder& builder() { return aten_.builder(); }

  base::Result<Value> call(const Value& callee, Values positional, NamedValues keywords = {});
  base::Result<Value> call_method(const Value& object, std::string_view name, Values positional,
                                  NamedValues keywords = {});
  base::Result<Value> attribute(const Value& object, std::string_view name);
  // null when the class (or its bases) has no such method.
  FunctionRef find_method(const std::shared_ptr<const ClassObject>& type, std::string_view name);
  // The class an instance is of; error "torch.unknown_class" when nothing says what it does.
  base::Result<std::shared_ptr<const ClassObject>> definition(Instance& instance);
  base::Result<std::shared_ptr<const ClassObject>> find_class(const Source& source, std::string_view name);
  // A class by its full name ("torch.nn.modules.conv.Conv2d", "__main__.Net", "__torch__.Net").
  base::Result<std::shared_ptr<const ClassObject>> class_by_path(std::string_view path);

  // Inputs of the graph, in order: so that an operator which needs a rank can say which input's.
  void track_input(std::size_t input, graph::ValueId value);
  const std::optional<InputNeed>& need() const { return need_; }
  const std::vector<InputLength>& learned() const { return learned_; }

  // How squeeze(x, dim) takes an axis whose length is not known: as one that stays, or as one of length 1,
  // which ONNX Runtime checks.
  bool squeezes_unknown = false;

  // Operators that were asked for and are not in the table, with where they stand first.
  const std::vector<std::pair<std::string, std::string>>& missing() const { return missing_; }

  // State that the model keeps between calls.
  const std::vector<StateAttribute>& states() const { return states_; }
  // Sets an attribute without looking whether that is state.
  void put_attribute(const Object& object, std::string_view name, Value value);

  // The error of code that raises, and of guesses about the inputs that its checks refuse.
  static constexpr std::string_view kRaised = "torch.raised";

  // --- for the files of this evaluator
  // -----------------------------------------------------------------------
  using Ids = std::vector<graph::ValueId>;
  enum class Flow : std::uint8_t { kNext, kBreak, kContinue, kReturn };

  std::unexpected<base::Error> refuse(std::string message,
                                      std::string hint = {}) const;  // at the present place
  std::unexpected<base::Error> raised(std::string message) const;
  base::Status step();
  std::string where() const;

  base::Result<Value> evaluate(const python::Expression& expression);
  base::Result<Values> evaluate_all(const python::Expressions& expressions);  // stars expanded
  base::Result<Flow> execute(const python::Body& body, std::size_t from = 0);
  base::Status assign(const python::Expression& target, Value value);
  base::Result<Value> lookup(std::string_view name);
  base::Result<std::optional<Value>> global(const Source& source, std::string_view name);
  base::Result<Value> named_attribute(const Named& named, std::string_view name);
  base::Result<std::optional<Value>> find_attribute(const Value& object, std::string_view name);
  base::Result<Value> tensor_attribute(const Tensor& tensor, std::string_view name);
  base::Status set_attribute(const Value& object, std::string_view name, Value value);
  base::Result<Value> subscript(const Value& object, const Value& index);
  base::Result<Value> tensor_index(const Tensor& tensor, const Value& index);
  base::Status set_tensor_part(const Tensor& tensor, const Value& index, Value value);
  base::Status set_subscript(const Value& object, const Value& index, Value value);
  base::Result<Values> iterate(const Value& value);
  base::Status check_change(int branch,
                            std::string_view what) const;  // of an object made at that branch level

  void set_returned(Value value) { returned_ = std::move(value); }
  Value closure(const python::Function* definition, const python::Lambda* lambda);
  Object new_instance(std::string class_name, std::shared_ptr<const ClassObject> definition);
  base::Result<Value> call_function(const FunctionObject& function, Values positional, NamedValues keywords);
  base::Result<Value> call_named(const Named& named, Values positional, NamedValues keywords);
  base::Result<Value> call_aten(std::string_view name, Values positional, NamedValues keywords);
  base::Result<Value> missing_operator(std::string name, const Values& positional);
  base::Result<Value> construct(const std::shared_ptr<const ClassObject>& type, Values positional,
                                NamedValues keywords);
  base::Result<std::optional<Value>> native(std::string_view name, Values& positional, NamedValues& keywords);

  base::Result<Value> unary(std::string_view op, const Value& operand);
  base::Result<Value> binary(std::string_view op, const Value& left, const Value& right);
  base::Result<Value> reflected(std::string_view name, const Value& left, const Value& right);
  base::Result<Value> compare(std::string_view op, const Value& left, const Value& right);
  base::Result<Value> contained(const Value& container, const Value& item);  // bool or Symbol
  base::Result<bool> contains(const Value& container, const Value& item);
  base::Result<Value> equal(const Value& left, const Value& right);  // bool or Symbol; deep for containers
  bool same(const Value& left, const Value& right) const;            // `is`
  // Known, or a bool of the graph.
  base::Result<std::variant<bool, Symbol>> truth(const Value& value);
  base::Result<bool> known_truth(const Value& value, std::string_view role);

  // Both ways become the blocks of an If. Gives what they give, merged, after setting the variables `names`
  // of the present frame to their merged values; one way alone when the other only raises.
  // (script_branches.cc)
  using Way = std::function<base::Result<Value>()>;
  base::Result<Value> branch(Symbol condition, const std::vector<std::string_view>& names, const Way& then,
                             const Way& otherwise);
  // `statement` is body[at]; the flow is kReturn when the rest of `body` was part of the ways.
  base::Result<Flow> symbolic_if(const python::If& statement, Symbol condition, const python::Body& body,
                                 std::size_t at);
  struct LoopPlan {
    const python::Body& body;
    const python::Expression* target = nullptr;     // of for
    Value rounds;                                   // of for: an int Symbol
    Value start;                                    // of for: the first value of the target
    Value step;                                     // of for
    const python::Expression* condition = nullptr;  // of while
  };
  base::Status symbolic_loop(const LoopPlan& plan);  // (script_loops.cc)

  // Numbers and symbols.
  base::Result<Value> number(graph::ValueId scalar);  // a known one where it is known
  base::Result<graph::ValueId> scalar(const Value& number, tensor::DType dtype);
  static std::optional<tensor::DType> number_type(
      const Value& value);  // bool, int64 or float64; nullopt: no number

  base::Result<Argument> to_argument(const Value& value);
  Value from_argument(const Argument& argument);
  base::Result<Values> shape(const Tensor& tensor);
  base::Result<std::int64_t> rank(const Tensor& tensor);
  bool is_tensor(const Value& value) const { return value.is<Tensor>(); }

  int branches() const { return branches_; }
  const Source& source() const { return *frame_->source; }
  Frame& frame() { return *frame_; }
  Resolver& resolver() { return resolver_; }

  // The module tree that an interpreted __init__ is building takes its weights from here; null otherwise.
  struct Building {
    std::vector<Object> modules;
  };
  Building* building = nullptr;

 private:
  friend struct FrameScope;
  friend class BranchState;
  std::optional<InputNeed> need_for(std::string_view op, const std::vector<Value>& positional);
  void refine_input(std::string_view op, const std::vector<Value>& positional);
  void learn(const Value& tensor, std::int64_t axis, std::int64_t length);
  void follow_channels(std::string_view op, const std::vector<Value>& positional, graph::ValueId made);
  void follow_input(std::string_view op, const std::vector<Value>& positional,
                    const std::vector<Argument>& results);
  std::optional<std::size_t> input_of(const Value& value);

  Aten& aten_;
  Resolver& resolver_;
  ScriptLimits limits_;
  std::uint64_t steps_ = 0;
  int depth_ = 0;
  int branches_ = 0;
  std::shared_ptr<Frame> frame_;
  python::Position at_;
  Value returned_;
  std::map<graph::ValueId, std::size_t> inputs_;
  std::optional<InputNeed> need_;
  // Values whose axis 1 has the length of the input's, times / over.
  struct Channels {
    std::size_t input = 0;
    std::int64_t times = 1;
    std::int64_t over = 1;
  };
  std::map<graph::ValueId, Channels> channels_;
  std::map<graph::ValueId, std::size_t> originals_;  // the inputs themselves
  std::vector<InputLength> learned_;
  std::vector<std::pair<std::string, std::string>> missing_;
  std::vector<AttributeChange>* journal_ = nullptr;  // of the branch that is open
  std::vector<StateAttribute> states_;
  std::map<const python::Class*, std::shared_ptr<const ClassObject>> classes_;
  std::vector<Frame*> frames_;                      // of the calls that run, outermost first
  std::vector<std::weak_ptr<Frame>> closures_;      // cleared at the end: functions and frames own each other
  std::vector<std::weak_ptr<Instance>> instances_;  // likewise
};

}  // namespace wherry::torch
