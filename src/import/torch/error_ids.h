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
    {"torch.unknown_architecture", "There is no architecture of the name given with --arch."},
    {"torch.weights_do_not_fit", "The tensors of the state_dict are not those of the architecture."},
};

}  // namespace wherry::torch
