// Reads files of torch.save that hold a module, or the weights of one:
//
//  * torch.save(model): the tree of modules with their hyper-parameters and weights is in the pickle; what
//  classes of
//    torch.nn and torchvision compute is known here, what others compute stands in the user's own source.
//  * torch.save(model.state_dict()) with the source and the name of the class: __init__ is evaluated to get
//  the tree.
//
// The source is parsed and evaluated over tensors of the graph (script_interpreter.h), never executed as
// Python; the first construct that is not understood is named with file, line and text.
//
// Errors: "torch.*", "python.*", "pickle.*", "zip.*", "graph.*", "base.file_*".
// Thread-safety: pure functions.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/files.h"
#include "import/torch/model.h"
#include "import/torch/script_forward.h"

namespace wherry::torch {

struct ModuleOptions {
  std::filesystem::path
      source;              // --source: where the classes are; modules beside it are found too. Empty: none
  std::string class_name;  // --class: for a state_dict; empty: the only torch.nn.Module of the source
  std::vector<InputHint> hints;
  base::FileSystem* files = &base::real_files();  // where `source` is read; borrowed
};

// Weights borrow from `bytes`; the model keeps `owner`.
base::Result<Model> read_module(base::Bytes bytes, const std::shared_ptr<const void>& owner,
                                const ModuleOptions& options = {});

}  // namespace wherry::torch
