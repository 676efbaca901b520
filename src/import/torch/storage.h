// Tensors as PyTorch keeps them: windows with strides on storages.
//
// Errors: "torch.bad_storage" when the window reaches outside of the storage.
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "tensor/tensor.h"

namespace wherry::torch {

// The bytes of a storage; `owner` keeps them alive.
struct Storage {
  base::Bytes bytes;
  std::shared_ptr<const void> owner;
};

// sizes, strides and offset count elements.
struct Window {
  tensor::DType dtype = tensor::DType::kFloat32;
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> strides;
  std::int64_t offset = 0;
};

// The elements in row-major order: borrowed where they lie so and are aligned, else copied. `where` names the
// tensor in messages.
base::Result<tensor::Tensor> read_window(const Storage& storage, const Window& window,
                                         std::string_view where);

// The strides of a tensor whose elements lie in order.
std::vector<std::int64_t> strides_in_order(const std::vector<std::int64_t>& sizes);

}  // namespace wherry::torch
