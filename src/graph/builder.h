// Makes graphs, one operator at a time:
//
//   Builder b;
//   const ValueId x = b.input("image", DType::kFloat32, {b.symbol("batch"), {3}, {224}, {224}});
//   const ValueId y = b.add("Relu", {x});
//   b.output("y", y);
//   TRY_ASSIGN(Graph graph, std::move(b).build());
//
// Each add() infers the types of the outputs, and folds: an operator whose inputs are all known becomes a
// constant as far as that does not blow the graph up; arithmetic on shapes is followed element by element, so
// that Shape → Slice → Concat → Reshape with a dynamic batch becomes a Reshape to a constant like [-1, 49].
// Operators which do nothing (Cast to the same type, Transpose and back) give their input.
//
// Errors are sticky: the first one is kept, later calls do nothing and give a value of unknown type, so that
// lowering code needs no check at every call. Look at status() once per node of the model file.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

#include "base/error.h"

namespace wherry::graph {

struct Limits {
  std::size_t nodes = 2'000'000;                    // blocks included
  std::size_t folded_bytes = std::size_t{4} << 30;  // of all folded constants together
  std::size_t folded_elements =
      1 << 20;  // of one constant computed by arithmetic; rearranged ones may be larger
};

class Builder {
 public:
  explicit Builder(Limits limits = {});

  // The same name gives the same symbol; fresh() one that is equal to no other.
  Dim symbol(std::string_view name);
  Dim fresh();

  ValueId input(std::string name, tensor::DType dtype, Dims dims);
  ValueId input(std::string name, tensor::DType dtype);  // of unknown rank
  ValueId constant(tensor::Tensor tensor);

  // One output. `inputs` may hold kNone for optional inputs left out; trailing ones may be dropped.
  ValueId add(std::string_view op, std::vector<ValueId> inputs, Attributes attributes = {},
              std::string_view domain = {});
  // `outputs` outputs, all of them (unused ones are dropped when the model is written).
  std::vector<ValueId> add_many(std::string_view op, std::vector<ValueId> inputs, std::size_t outputs,
                                Attributes attributes = {}, std::string_view domain = {});

  // Between begin_block() and end_block() nodes go into a block, to be given to If, Loop or Scan as an
  // attribute. Blocks nest. Loop bodies: inputs iteration (int64 []), condition (bool []), carried values.
  void begin_block();
  ValueId block_input(Type type);
  std::shared_ptr<const Block> end_block(std::vector<ValueId> outputs);

  void output(std::string name, ValueId value);

  // Nodes added from now on come from this node or layer of the model file; errors name it.
  void source(std::string name) { source_ = std::move(name); }
  const std::string& source() const { return source_; }

  const Type& type(ValueId value) const { return graph_.values[value].type; }
  tensor::DType dtype(ValueId value) const { return type(value).dtype; }
  // The number of axes; -1 when unknown.
  int rank(ValueId value) const;
  // The length along `axis` (negative: from the end); fresh() when unknown.
  Dim dim(ValueId value, std::int64_t axis);
  // Its elements; null when they are known only when the graph runs.
  const tensor::Tensor* constant(ValueId value) const;
  // The elements of an integer scalar or vector as far as they are known; nullopt for anything else.
  std::optional<Dims> elements(ValueId value) const;
  // The only element of a known integer (any integer dtype or bool).
  std::optional<std::int64_t> known_int(ValueId value) const;

  // States what inference could not know; ignored where it already knows. For importers whose file says the
  // shapes. A contradiction is an error.
  void refine(ValueId value, const Dims& dims);

  void fail(base::Error error);    // becomes the sticky error unless there is one
  void fail(std::string message);  // "graph.invalid"; the source is added
  base::Status status() const;

  // Without the nodes that no output needs. Refused: no outputs, two outputs or inputs of one name.
  base::Result<Graph> build() &&;

 private:
  struct Turned {  // a value made by Transpose
    ValueId from = kNone;
    std::vector<std::int64_t> perm;
  };
  struct OpenBlock {
    Block block;
    std::uint32_t id = 0;
  };

  ValueId new_value(Type type, std::optional<Dims> elements = std::nullopt);
  bool is_open(std::uint32_t block) const;
  bool check_inputs(std::string_view op, std::vector<ValueId>& inputs, std::size_t least, std::size_t most);
  // The value which `op` would give, where there is one already.
  std::optional<ValueId> simplify(std::string_view op, const std::vector<ValueId>& inputs,
                                  const Attributes& attributes);
  void simplify_shape(std::string_view op, std::vector<ValueId>& inputs);
  std::optional<std::vector<ValueId>> fold(const Node& node, std::span<const Type> types);
  std::vector<ValueId> chosen_branch(const Node& node, bool condition);

  Limits limits_;
  Graph graph_;
  std::vector<std::optional<Dims>> elements_;  // by ValueId
  std::vector<std::uint32_t> home_;            // the block a value was made in, by ValueId
  std::vector<OpenBlock> open_;                // the first is the body
  std::uint32_t next_block_ = 1;
  std::map<std::string, std::uint32_t, std::less<>> symbol_names_;
  std::map<ValueId, Turned> turned_;
  std::size_t nodes_ = 0;
  std::size_t folded_bytes_ = 0;
  std::string source_;
  std::optional<base::Error> error_;
};

// The attribute's value; null when there is none of this name and kind.
const AttributeValue* find(const Attributes& attributes, std::string_view name);
std::int64_t int_of(const Attributes& attributes, std::string_view name, std::int64_t otherwise);
float float_of(const Attributes& attributes, std::string_view name, float otherwise);
std::string_view string_of(const Attributes& attributes, std::string_view name, std::string_view otherwise);
std::span<const std::int64_t> ints_of(const Attributes& attributes, std::string_view name);

}  // namespace wherry::graph
