// safetensors files (github.com/huggingface/safetensors, "Format"): the length of a JSON header, the header,
// raw tensors. Errors: "torch.bad_file", "torch.bad_storage", "torch.unsupported_dtype", "text.json_*".
// Thread-safety: pure functions.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "tensor/tensor.h"

namespace wherry::torch {

using NamedTensors = std::vector<std::pair<std::string, tensor::Tensor>>;

bool is_safetensors(std::string_view content);

// In the order of the header. Tensors borrow from `bytes` where they are aligned, and keep `owner`.
base::Result<NamedTensors> read_safetensors(base::Bytes bytes, const std::shared_ptr<const void>& owner);

}  // namespace wherry::torch
