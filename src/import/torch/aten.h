// PyTorch's operators, called by name, as operators of the tensor graph. Every importer of PyTorch files
// (exported programs, TorchScript, pickled modules, Python source) lowers through this one table.
//
//   Aten aten(builder);
//   Argument x = aten.tensor(builder.input("x", …));
//   TRY_ASSIGN(auto results, aten.call("aten::conv2d", "", {x, weight, bias, List{1, 1}}));
//
// In-place operators (add_, relu_, copy_, index_put_) change the tensor object they are given, and every view
// of it made before (x[0].zero_() changes x), as in PyTorch: views know how they were made, in both
// directions. Functional names serve for them ("aten::add_" is lowered as "aten::add").
//
// Errors: "torch.unsupported_operator", "torch.unsupported_arguments", "torch.unsupported_dtype",
// "torch.bad_call", and those of graph::Builder, whose status() each call looks at.
//
// Not thread-safe, as the Builder is not.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/builder.h"

#include "base/error.h"
#include "import/torch/argument.h"
#include "import/torch/schema.h"

namespace wherry::torch {

class Aten {
 public:
  explicit Aten(graph::Builder& builder);  // borrowed
  ~Aten();
  Aten(const Aten&) = delete;
  Aten& operator=(const Aten&) = delete;

  // `name`: "aten::conv2d", "aten::add_". `overload`: "default", "Tensor"; "" when it is not known, then the
  // first one that takes the arguments is called, strictly at first, then as Python's argument parser would
  // convert. The results are as many as the schema says; an operator that returns Tensor[] gives one list.
  // Positional and keyword arguments may be mixed; tensors in them are read as they are now.
  base::Result<std::vector<Argument>> call(std::string_view name, std::string_view overload,
                                           std::vector<Argument> positional,
                                           std::vector<NamedArgument> keywords = {});

  // Whether there is a row (of any overload when `overload` is empty), in-place names included.
  static bool knows(std::string_view name, std::string_view overload);
  // The names ("aten::conv2d") of the table, sorted, each once.
  static std::vector<std::string> names();

  // A new tensor object that holds `value`.
  Tensor tensor(graph::ValueId value);
  // What the object holds now.
  graph::ValueId current(const Tensor& tensor);
  // Changes what the object holds, and all its views, as copy_ does.
  base::Status write(const Tensor& tensor, graph::ValueId value);

  // For importers that lower branches and loops: a point in time, the tensor objects made before it whose
  // memory was changed since (views by what they view), and the way back to it.
  struct Mark {
    std::size_t writes = 0;
    std::size_t views = 0;
    std::uint32_t objects = 0;
  };
  struct Change {
    Tensor tensor;
    graph::ValueId before = graph::kNone;
    graph::ValueId now = graph::kNone;
    bool reshaped = false;  // by squeeze_() and its like: the object is another one now
  };
  Mark mark() const;
  std::vector<Change> changed_since(const Mark& mark) const;
  void rewind(const Mark& mark);  // latest first, where marks nest

  graph::Builder& builder();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wherry::torch
