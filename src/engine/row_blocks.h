// Stored rows, eight side by side, for sums over the columns of one row with each of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace wherry::engine {

class RowBlocks {
 public:
  // `rows` is [count, width].
  RowBlocks(std::span<const double> rows, std::size_t count, std::size_t width)
      : width_(width), count_(count) {
    blocks_.assign((count_ + kLanes - 1) / kLanes * width_ * kLanes, 0.0);
    for (std::size_t i = 0; i < count_; ++i)
      for (std::size_t j = 0; j < width_; ++j)
        blocks_[(i / kLanes * width_ + j) * kLanes + i % kLanes] = rows[i * width_ + j];
  }

  std::size_t count() const { return count_; }

  // out[i] = term(x[0], row i[0]) + term(x[1], row i[1]) + …, each sum in that order.
  template <class Term>
  void sums(const double* x, double* out, Term term) const {
    const double* y = blocks_.data();
    for (std::size_t first = 0; first < count_; first += kLanes) {
      double sum[kLanes] = {};
      for (std::size_t j = 0; j < width_; ++j, y += kLanes)
        for (std::size_t l = 0; l < kLanes; ++l) sum[l] += term(x[j], y[l]);
      std::copy_n(sum, std::min(kLanes, count_ - first), out + first);
    }
  }

 private:
  static constexpr std::size_t kLanes = 8;
  std::size_t width_, count_;
  std::vector<double> blocks_;  // [count / 8 rounded up, width, 8]
};

}  // namespace wherry::engine
