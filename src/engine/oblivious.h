// Symmetric trees prepared for execution: see ObliviousTrees in program/ops_catboost.h. Private to module
// engine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/frame.h"
#include "engine/oblivious_parts.h"
#include "tensor/tensor.h"

namespace wherry::engine {

// Immutable; run from any number of threads.
class PackedOblivious {
 public:
  // As the operation's weights, which its rule has checked.
  PackedOblivious(std::span<const std::uint8_t> depth, std::span<const std::int32_t> feature,
                  std::span<const float> border, tensor::Tensor values,
                  std::span<const std::uint8_t> nan_high);

  // in: [rows, width of nan_high]; out: [rows, outputs].
  void run(const double* in, std::size_t rows, double* out, Buffers& buffers) const;

  std::size_t outputs() const { return outputs_; }

 private:
  static constexpr std::size_t kPadding = 32;  // splits read beyond the last

  ObliviousWork work(const float* x, std::size_t rows, double* out) const;
  void run_blocks(AddOblivious add, std::size_t block, const double* in, std::size_t rows, double* out,
                  Buffers& buffers) const;
  void fill(const double* in, std::size_t rows, std::size_t stride, float* x) const;

  std::vector<std::int32_t> features_;  // of all splits, then kPadding more
  std::vector<float> borders_;          // as features_
  std::vector<ObliviousRun> runs_;
  tensor::Tensor values_;  // [leaves, outputs_]
  std::vector<std::uint8_t> nan_high_;
  std::size_t outputs_;
  ObliviousKernel kernel_;
};

}  // namespace wherry::engine
