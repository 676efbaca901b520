// forward() of a model, evaluated into a graph. The file says neither the shapes nor the dtypes of its
// inputs, so they are found out: from what the caller knows (example inputs in the file, the user), from the
// weights that they meet, and by trying the ranks that the first operators take.
//
// Not thread-safe.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "import/torch/model.h"
#include "import/torch/script_interpreter.h"
#include "import/torch/source_set.h"

namespace wherry::torch {

// Reads the model into the interpreter and gives the object whose forward() is meant. Called once per
// attempt.
using ReadModel = std::function<base::Result<Value>(Interpreter&)>;

// `hints` in any order. Outputs are called "output", or "output_0" … for several, or by the keys of a dict or
// the fields of a named tuple. Errors: "torch.*", "graph.*".
base::Result<Model> evaluate_forward(SourceSet& sources, const ReadModel& read,
                                     const std::vector<InputHint>& hints);

}  // namespace wherry::torch
