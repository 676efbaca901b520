// The objects of PyTorch's pickles as values of the interpreter: modules with their attributes, parameters,
// buffers and submodules. Nothing is constructed: an object of a class that wherry does not know is the
// record of its attributes, and refused only when something is asked of it.
//
// Not thread-safe.
#pragma once

#include <map>
#include <string>

#include "base/error.h"
#include "import/pickle/view.h"
#include "import/torch/saved.h"
#include "import/torch/script_interpreter.h"

namespace wherry::torch {

class ObjectReader {
 public:
  // Both are borrowed; tensors become constants of the interpreter's graph.
  ObjectReader(Interpreter& interpreter, const Saved& saved) : in_(interpreter), saved_(saved) {}

  // Errors: "pickle.*", "torch.bad_storage", "torch.unsupported_dtype", "torch.limit_python".
  base::Result<Value> read(const pickle::View& view);

 private:
  base::Result<Value> read_new(const pickle::View& view);
  base::Result<Value> read_call(const pickle::View& view);
  base::Result<Value> read_instance(const pickle::View& view, std::string class_name);
  base::Result<Values> read_items(const pickle::View& view);

  Interpreter& in_;
  const Saved& saved_;
  std::map<const pickle::Object*, Value> known_;
  int depth_ = 0;
};

// Gives every module the way to it from the root ("layer1.0.conv1"), for messages.
void name_modules(const Value& root);

}  // namespace wherry::torch
