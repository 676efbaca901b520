// Searching for neighbours, and distances to all stored rows.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/kernels.h"
#include "engine/neighbor_search.h"

namespace wherry::engine {
namespace {

using program::MetricKind;
using program::NeighborChoice;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// max(0., d) of sklearn/metrics/_pairwise_distances_reduction, which takes 0 where d is NaN; numpy.maximum,
// of which all other expanded distances are made, takes NaN.
void nan_to_zero(double* distances, std::size_t count) {
  for (std::size_t k = 0; k < count; ++k) distances[k] = distances[k] > 0 ? distances[k] : 0;
}

// Finds the nearest rows of a block: `out` is [rows, 2 * count].
class Nearest {
 public:
  Nearest(const Search& search, std::size_t count) : search_(search), rows_(search.rows), count_(count) {}

  void by_heap(const double* x, std::size_t rows, double* out, Buffers& buffers) const {
    constexpr std::size_t kTogether = 16;  // rows asked that go over a chunk of stored rows together
    double* reduced = at_least(buffers.sums, StoredRows::kChunk);
    for (std::size_t first = 0; first < rows; first += kTogether) {
      const std::size_t last = std::min(first + kTogether, rows);
      for (std::size_t i = first; i < last; ++i) heap(out, i, std::numeric_limits<double>::max());
      for (std::size_t begin = 0; begin < rows_.count(); begin += StoredRows::kChunk) {
        const std::size_t end = std::min(begin + StoredRows::kChunk, rows_.count());
        for (std::size_t i = first; i < last; ++i) {
          rows_.reduced(x + i * rows_.width(), begin, end, reduced);
          if (rows_.is_expanded()) nan_to_zero(reduced, end - begin);
          push(out, i, reduced, begin, end);
        }
      }
      for (std::size_t i = first; i < last; ++i) finish(out + i * 2 * count_);
    }
  }

  void by_tree(const double* x, std::size_t rows, double* out) const {
    for (std::size_t i = 0; i < rows; ++i) {
      NeighborHeap nearest = heap(out, i, std::numeric_limits<double>::infinity());
      search_.tree->nearest(x + i * rows_.width(), nearest);
      finish(out + i * 2 * count_);
    }
  }

  void by_partition(const double* x, std::size_t rows, double* out, Buffers& buffers) const {
    const Distance& distance = rows_.distance();
    const bool squared = distance.kind() == MetricKind::kEuclidean;
    double* values = at_least(buffers.sums, rows_.count());
    std::size_t* order = at_least(buffers.places, rows_.count());
    for (std::size_t i = 0; i < rows; ++i) {
      rows_.reduced(x + i * rows_.width(), 0, rows_.count(), values);
      if (!squared)
        for (std::size_t k = 0; k < rows_.count(); ++k) values[k] = distance.from_reduced(values[k]);
      std::iota(order, order + rows_.count(), std::size_t{0});
      partition_positions(values, order, rows_.count(), count_ - 1);
      double* found = out + i * 2 * count_;
      for (std::size_t k = 0; k < count_; ++k) {
        found[k] = values[order[k]];
        found[count_ + k] = static_cast<double>(order[k]);
      }
      sort_neighbors(found, found + count_, count_);
      if (squared)
        for (std::size_t k = 0; k < count_; ++k) found[k] = std::sqrt(found[k]);
    }
  }

 private:
  NeighborHeap heap(double* out, std::size_t row, double farthest) const {
    double* values = out + row * 2 * count_;
    return NeighborHeap(values, values + count_, count_, farthest);
  }
  void push(double* out, std::size_t row, const double* reduced, std::size_t begin, std::size_t end) const {
    double* values = out + row * 2 * count_;
    NeighborHeap nearest = NeighborHeap::resume(values, values + count_, count_);
    for (std::size_t k = begin; k < end; ++k) nearest.push(reduced[k - begin], k);
  }
  void finish(double* found) const {
    sort_neighbors(found, found + count_, count_);
    for (std::size_t k = 0; k < count_; ++k)
      found[k] = rows_.distance().from_reduced(std::max(found[k], 0.0));
  }

  const Search& search_;
  const StoredRows& rows_;
  std::size_t count_;
};

}  // namespace

MadeKernel make_kernel(const program::NearestRows& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const auto choice = op.choice;
  const auto count = static_cast<std::size_t>(op.count);
  return Kernel{[=, search = make_search(op, wiring)](const Frame& frame) -> base::Status {
    const Nearest nearest(*search, count);
    const double* x = search->rows.prepared(frame.matrix(in), frame.rows(), frame.buffers());
    double* to = frame.make_matrix(out);
    if (choice == NeighborChoice::kHeap)
      nearest.by_heap(x, frame.rows(), to, frame.buffers());
    else if (choice == NeighborChoice::kTree)
      nearest.by_tree(x, frame.rows(), to);
    else
      nearest.by_partition(x, frame.rows(), to, frame.buffers());
    return {};
  }};
}

MadeKernel make_kernel(const program::RowsWithin& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const bool by_heap = op.choice == NeighborChoice::kHeap;
  const bool compare_reduced = by_heap || op.metric.kind == MetricKind::kEuclidean;
  return Kernel{
      [=, radius = op.radius, search = make_search(op, wiring)](const Frame& frame) -> base::Status {
        const StoredRows& rows = search->rows;
        const Distance& distance = rows.distance();
        const double* x = rows.prepared(frame.matrix(in), frame.rows(), frame.buffers());
        double* to = frame.make_matrix(out);
        const double limit = compare_reduced ? distance.to_reduced(radius) : radius;
        for (std::size_t i = 0; i < frame.rows(); ++i, x += rows.width(), to += rows.count()) {
          if (search->tree) {
            std::fill_n(to, rows.count(), kNan);
            search->tree->within(x, radius, to);
            continue;
          }
          rows.reduced(x, 0, rows.count(), to);
          if (by_heap && rows.is_expanded()) nan_to_zero(to, rows.count());
          for (std::size_t k = 0; k < rows.count(); ++k) {
            const double far = distance.from_reduced(to[k]);
            to[k] = (compare_reduced ? to[k] : far) <= limit ? far : kNan;
          }
        }
        return {};
      }};
}

MadeKernel make_kernel(const program::Distances& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  auto rows = std::make_shared<const StoredRows>(stored_rows(
      op.metric, StoredRows::Norms::kEinsum, wiring.numbers(op.rows), wiring.width_of(in), wiring));
  return Kernel{[=, squared = op.squared, rows = std::move(rows)](const Frame& frame) -> base::Status {
    const Distance& distance = rows->distance();
    const double* x = rows->prepared(frame.matrix(in), frame.rows(), frame.buffers());
    double* to = frame.make_matrix(out);
    for (std::size_t i = 0; i < frame.rows(); ++i, x += rows->width(), to += rows->count()) {
      rows->reduced(x, 0, rows->count(), to);
      for (std::size_t k = 0; k < rows->count(); ++k) {
        const double far =
            squared && distance.kind() == MetricKind::kEuclidean ? to[k] : distance.from_reduced(to[k]);
        to[k] = squared && distance.kind() != MetricKind::kEuclidean ? far * far : far;
      }
    }
    return {};
  }};
}

}  // namespace wherry::engine
