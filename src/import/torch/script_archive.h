// Reads TorchScript archives (torch.jit.save; archive versions 3 to 10): the objects of data.pkl, the code in
// code/**.py and the constants. Traced models are straight lines; scripted ones are evaluated, see
// script_interpreter.h.
//
// The file does not say the shapes of the inputs: newer traced files hold example inputs, for the others see
// script_forward.h. Inputs have the names of forward's parameters.
//
// Errors: "zip.*", "pickle.*", "python.*", "torch.*", "graph.*". Nothing in the file is executed.
// Thread-safety: pure functions.
#pragma once

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "import/torch/model.h"
#include "import/torch/script_forward.h"

namespace wherry::torch {

// Weights borrow from `bytes`; the model keeps `owner`. `hints`: what the caller knows of the inputs.
base::Result<Model> read_torchscript(base::Bytes bytes, const std::shared_ptr<const void>& owner,
                                     const std::vector<InputHint>& hints = {});

}  // namespace wherry::torch
