// Files of torch.save(model.state_dict()) and checkpoints that hold one: names and tensors, and nothing that
// says what is computed with them.
//
// Thread-safety: pure functions.
#pragma once

#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/error.h"
#include "import/torch/safetensors.h"

namespace wherry::torch {

// nullopt when the file holds something else (a module). Of a checkpoint the dict under "state_dict",
// "model_state_dict" or "model"; "module." before all names (DataParallel) is dropped.
base::Result<std::optional<NamedTensors>> read_state_dict(base::Bytes bytes,
                                                          const std::shared_ptr<const void>& owner);

// "torch.state_dict": the refusal, with the lines to run in Python.
base::Error weights_only(const NamedTensors& weights);

}  // namespace wherry::torch
