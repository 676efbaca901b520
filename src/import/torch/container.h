// Which of PyTorch's files a file is, told by its content.
//
// Thread-safety: pure functions.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace wherry::torch {

enum class Container {
  kNone,             // no file of PyTorch's
  kExportedProgram,  // .pt2, any generation
  kTorchScript,      // torch.jit.save
  kSaved,            // torch.save: a state_dict, a module, or anything else
  kSafetensors,
  kExecuTorch,   // .pte
  kAotInductor,  // .pt2 with a compiled library
  kPackage,      // torch.package
};

Container recognise(std::string_view content);

// "torch.unsupported_container" with what to do instead, for the kinds which hold no graph.
base::Status refuse_container(Container container);

}  // namespace wherry::torch
