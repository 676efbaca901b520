#include "import/torch/storage.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace wherry::torch {
namespace {

using base::cat;
using base::Result;

// A window may show elements more than once (expand), but not without bounds.
constexpr std::uint64_t kFreeBytes = std::uint64_t{256} << 20;
constexpr std::uint64_t kMostRepeats = 16;

std::unexpected<base::Error> bad(std::string_view where, std::string what) {
  return base::fail(base::Code::kInvalidInput, "torch.bad_storage", cat(where, ": ", what),
                    "the file is damaged; save the model again");
}

// One past the last element that the window reaches.
Result<std::uint64_t> reach(const Window& window, std::string_view where) {
  std::int64_t last = window.offset;
  for (std::size_t i = 0; i < window.sizes.size(); ++i) {
    std::int64_t step = 0;
    if (window.strides[i] < 0) return bad(where, "a stride is negative");
    if (__builtin_mul_overflow(window.sizes[i] - 1, window.strides[i], &step) ||
        __builtin_add_overflow(last, step, &last))
      return bad(where, "its strides overflow");
  }
  return static_cast<std::uint64_t>(last) + 1;
}

struct Odometer {
  const Window& window;
  std::vector<std::int64_t> index;
  std::int64_t at;

  explicit Odometer(const Window& of) : window(of), index(of.sizes.size()), at(of.offset) {}
  void next() {
    for (std::size_t i = index.size(); i-- > 0;) {
      at += window.strides[i];
      if (++index[i] < window.sizes[i]) return;
      at -= window.strides[i] * window.sizes[i];
      index[i] = 0;
    }
  }
};

}  // namespace

std::vector<std::int64_t> strides_in_order(const std::vector<std::int64_t>& sizes) {
  std::vector<std::int64_t> out(sizes.size());
  std::int64_t step = 1;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    out[i] = step;
    if (__builtin_mul_overflow(step, std::max<std::int64_t>(sizes[i], 1), &step)) step = 0;
  }
  return out;
}

Result<tensor::Tensor> read_window(const Storage& storage, const Window& window, std::string_view where) {
  auto counted = tensor::element_count(window.sizes);
  if (!counted) return bad(where, cat("its shape ", tensor::to_string(window.sizes), " cannot be"));
  const std::uint64_t count = *counted;
  const std::size_t size = tensor::info(window.dtype).size;
  if (window.strides.size() != window.sizes.size() || window.offset < 0)
    return bad(where, "its shape, strides and offset do not fit together");
  const std::uint64_t available = storage.bytes.size() / size;
  if (count > 0) {
    TRY_ASSIGN(const std::uint64_t end, reach(window, where));
    if (end > available)
      return bad(where, cat("needs ", end, " elements of its storage, which has ", available));
  }
  if (count > available && count * size > kFreeBytes && count / kMostRepeats > available)
    return bad(where, "is much larger than its storage");
  bool in_order = true;
  const std::vector<std::int64_t> ordered = strides_in_order(window.sizes);
  for (std::size_t i = 0; i < ordered.size(); ++i)
    in_order = in_order && (window.sizes[i] == 1 || window.strides[i] == ordered[i]);
  if (count == 0) return tensor::Tensor::borrow(window.dtype, window.sizes, {}, std::make_shared<int>());
  const std::byte* const start = storage.bytes.data() + static_cast<std::uint64_t>(window.offset) * size;
  const bool aligned = reinterpret_cast<std::uintptr_t>(start) % size == 0;
  if (in_order && aligned)
    return tensor::Tensor::borrow(window.dtype, window.sizes, {start, count * size}, storage.owner);
  auto copy = std::make_shared<std::vector<std::max_align_t>>((count * size + sizeof(std::max_align_t) - 1) /
                                                              sizeof(std::max_align_t));
  auto* const to = reinterpret_cast<std::byte*>(copy->data());
  if (in_order) {
    std::memcpy(to, start, count * size);
  } else {
    Odometer odometer(window);
    for (std::uint64_t i = 0; i < count; ++i, odometer.next())
      std::memcpy(to + i * size, storage.bytes.data() + static_cast<std::uint64_t>(odometer.at) * size, size);
  }
  return tensor::Tensor::borrow(window.dtype, window.sizes, {to, count * size}, std::move(copy));
}

}  // namespace wherry::torch
