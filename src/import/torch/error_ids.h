// Error ids of module torch, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::torch {

inline constexpr base::ErrorId kErrorIds[] = {
    {"torch.bad_file", "The PyTorch file is damaged: a part is missing or contradicts another part."},
    {"torch.bad_storage",
     "A tensor of the PyTorch file needs more bytes than its storage has, or its storage is missing."},
    {"torch.unsupported_dtype",
     "The PyTorch model uses a data type (complex, quantised, 8-bit float) which wherry does not read."},
    {"torch.unsupported_container",
     "The file is of PyTorch's family, but of a kind that holds no graph: ExecuTorch, AOTInductor, "
     "torch.package."},
    {"torch.unsupported_version",
     "The exported program was written in a version of the format which wherry does not know."},
    {"torch.unsupported_operator", "The PyTorch model uses operators which wherry does not lower yet."},
    {"torch.unsupported_arguments",
     "The PyTorch model uses an operator in a way which wherry does not lower, for example with an option or "
     "a shape known only at run time."},
    {"torch.bad_call",
     "An operator of the PyTorch model was given arguments which its schema does not have."},
    {"torch.state_dict",
     "The file holds weights only. A state_dict names tensors but not what is computed with them."},
    {"torch.unsupported_python",
     "The model's Python code (in a TorchScript file, or given with --source) has a construct which wherry "
     "does not evaluate; the message names file, line and text. The code is never executed."},
    {"torch.raised",
     "The model's code raises an exception for every input of the shapes that wherry tried: it checks its "
     "inputs."},
    {"torch.unknown_class",
     "The file holds a module of a class whose forward() is not in the file. --source FILE.py gives it."},
    {"torch.no_forward", "The module in the file has no forward()."},
    {"torch.no_module", "A file of torch.save holds neither a module nor a state_dict."},
    {"torch.no_source", "There is no file of the name given with --source."},
    {"torch.unsupported_input",
     "forward() takes something else than tensors, numbers and tuples of tensors."},
    {"torch.unknown_shapes",
     "The shapes of the model's inputs are not in the file, and could not be found out."},
    {"torch.limit_python",
     "The model's code takes more steps, deeper calls or longer lists than the limits."},
    {"torch.unknown_architecture", "There is no architecture of the name given with --arch."},
    {"torch.weights_do_not_fit", "The tensors of the state_dict are not those of the architecture."},
};

}  // namespace wherry::torch
