// Filling in missing values from other rows and columns.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/distance.h"
#include "engine/kernels.h"
#include "engine/neighbor_heap.h"
#include "engine/row_sum.h"

namespace wherry::engine {
namespace {

using program::NeighborWeights;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

class NeighborFiller {
 public:
  NeighborFiller(const program::NeighborImpute& op, const Wiring& wiring)
      : missing_(op.missing),
        count_(static_cast<std::size_t>(op.count)),
        weights_(op.weights),
        unreachable_count_(op.unreachable_count),
        width_(wiring.width_of(wiring.input())),
        rows_(wiring.numbers(op.rows)),
        distance_(program::MetricKind::kNanEuclidean, 2, {}) {
    const auto absent = wiring.program.weight(op.absent).as<std::uint8_t>();
    const std::size_t stored = width_ == 0 ? 0 : rows_.size() / width_;
    donors_.resize(width_);
    means_.resize(width_);
    std::vector<double> column(stored);
    for (std::size_t j = 0; j < width_; ++j) {
      for (std::size_t i = 0; i < stored; ++i) {
        const bool has = absent[i * width_ + j] == 0;
        if (has) donors_[j].push_back(i);
        column[i] = has ? rows_[i * width_ + j] : 0;
      }
      means_[j] = row_sum(column.data(), stored) / static_cast<double>(donors_[j].size());
    }
    for (std::size_t i = 0; i < rows_.size(); ++i)
      if (absent[i] != 0) rows_[i] = kNan;
  }

  std::size_t stored() const { return width_ == 0 ? 0 : rows_.size() / width_; }

  bool is_missing(double x) const { return std::isnan(missing_) ? std::isnan(x) : x == missing_; }

  // `marked`: room for `width` numbers.
  void fill(const double* x, double* out, double* marked, Buffers& buffers) const {
    bool any = false;
    for (std::size_t j = 0; j < width_; ++j) {
      const bool missing = is_missing(x[j]);
      marked[j] = missing ? kNan : x[j];
      out[j] = x[j];
      any |= missing && !donors_[j].empty();
    }
    if (!any) return;
    double* far = at_least(buffers.sums, 3 * stored());
    for (std::size_t i = 0; i < stored(); ++i)
      far[i] = distance_.distance(marked, rows_.data() + i * width_, width_);
    for (std::size_t j = 0; j < width_; ++j)
      if (std::isnan(marked[j]) && !donors_[j].empty())
        out[j] = value(j, far, far + stored(), far + 2 * stored(), buffers);
  }

 private:
  double value(std::size_t column, const double* far, double* near, double* terms, Buffers& buffers) const {
    const std::vector<std::size_t>& donors = donors_[column];
    bool reachable = false;
    for (std::size_t i = 0; i < donors.size(); ++i) {
      near[i] = far[donors[i]];
      reachable |= !std::isnan(near[i]);
    }
    if (!reachable) return means_[column];
    const std::size_t count = std::min(count_, donors.size());
    std::size_t* order = at_least(buffers.places, donors.size());
    std::iota(order, order + donors.size(), std::size_t{0});
    partition_positions(near, order, donors.size(), count - 1);
    for (std::size_t i = 0; i < count; ++i) terms[i] = near[order[i]];
    double* weights = std::copy_n(terms, count, near) - count;
    weigh(weights, count);
    for (std::size_t i = 0; i < count; ++i) terms[i] = rows_[donors[order[i]] * width_ + column] * weights[i];
    return row_sum(terms, count) / row_sum(weights, count);
  }

  // Distances to weights.
  void weigh(double* distances, std::size_t count) const {
    if (weights_ == NeighborWeights::kUniform) {
      for (std::size_t i = 0; i < count; ++i)
        distances[i] = std::isnan(distances[i]) && !unreachable_count_ ? 0 : 1;
      return;
    }
    bool on_top = false;
    for (std::size_t i = 0; i < count; ++i) {
      distances[i] = 1.0 / distances[i];
      on_top |= std::isinf(distances[i]);
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (on_top) distances[i] = std::isinf(distances[i]) ? 1 : 0;
      if (std::isnan(distances[i])) distances[i] = 0;
    }
  }

  double missing_;
  std::size_t count_;
  NeighborWeights weights_;
  bool unreachable_count_;
  std::size_t width_;
  std::vector<double> rows_;
  Distance distance_;
  std::vector<std::vector<std::size_t>> donors_;  // by column: the stored rows which have it
  std::vector<double> means_;
};

}  // namespace

MadeKernel make_kernel(const program::NeighborImpute& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  return Kernel{[=, filler = NeighborFiller(op, wiring)](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    double* marked = at_least(frame.buffers().doubles, from.columns);
    for (std::size_t i = 0; i < from.rows; ++i)
      filler.fill(from.numbers + i * from.columns, to + i * from.columns, marked, frame.buffers());
    return {};
  }};
}

MadeKernel make_kernel(const program::ReplaceMasked& op, const Wiring& wiring) {
  const auto& inputs = wiring.node.inputs;
  const auto out = wiring.output();
  return Kernel{[=, in = inputs[0], mask = inputs[1], values = inputs[2],
                 column = static_cast<std::size_t>(op.column)](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    const double* masked = frame.matrix(mask);
    const double* replacement = frame.matrix(values);
    double* to = frame.make_matrix(out);
    std::copy_n(from.numbers, from.rows * from.columns, to);
    for (std::size_t i = 0; i < from.rows; ++i) {
      const std::size_t cell = i * from.columns + column;
      if (masked[cell] == 0) continue;
      const double value = replacement[i];
      to[cell] = value < op.low ? op.low : value > op.high ? op.high : value;
    }
    return {};
  }};
}

}  // namespace wherry::engine
