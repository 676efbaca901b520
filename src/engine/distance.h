// Distances between rows of numbers, and to all of a set of stored rows. Private to module engine.
//
// Every sum is in ascending order of columns, and nothing is fused but the products of expanded and cosine
// distances (engine/lane_dots.h). The formulas are those of
// sklearn/metrics/_dist_metrics.pyx; scipy's cdist (src/distance_impl.h) and sklearn/metrics/pairwise.py
// agree with them to the last bit, but for metrics only they have: yule, cosine, correlation, nan_euclidean.
// Columns count as true where they are not 0 for the metrics of truth values.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/frame.h"
#include "engine/lane_dots.h"
#include "program/ops_neighbors.h"

namespace wherry::engine {

// x·y and Σ(x - y)², summed one column after the other.
double dot(const double* x, const double* y, std::size_t width);

// |x|² as numpy.einsum("ij,ij->i") adds it since numpy 1.20: two sums, of which each takes every other
// column, eight columns from the last to the first, and then what is left.
double einsum_squares(const double* x, std::size_t width);
double squared_distance(const double* x, const double* y, std::size_t width);

// A metric with its parameters. A distance is often computed from a "reduced" one, which orders the same and
// is cheaper: the square of the euclidean. Immutable.
class Distance {
 public:
  Distance(program::MetricKind kind, double p, std::vector<double> values)
      : kind_(kind), p_(p), values_(std::move(values)) {}

  program::MetricKind kind() const { return kind_; }
  double p() const { return p_; }  // of minkowski

  double reduced(const double* x, const double* y, std::size_t width) const;
  double distance(const double* x, const double* y, std::size_t width) const {
    return from_reduced(reduced(x, y, width));
  }
  // reduced(x, row) of `count` rows which follow each other.
  void reduced_to_rows(const double* x, const double* rows, std::size_t count, std::size_t width,
                       double* out) const;

  double from_reduced(double value) const;
  double to_reduced(double value) const;

  // What is compared instead of a row: of cosine the row divided by its norm (a norm of 0 by 1), of
  // correlation the row minus its mean; all other metrics: false, and `out` is left alone.
  bool prepare(const double* row, std::size_t width, double* out) const;

 private:
  program::MetricKind kind_;
  double p_;
  std::vector<double> values_;
};

// A set of rows and a metric, laid out for the distances from one row to all of them. Immutable; run from any
// number of threads.
class StoredRows {
 public:
  // How the squared norms of an expanded distance are summed: by a BLAS's ddot (fused; its own order from 16
  // columns on is not followed), or by numpy.einsum.
  enum class Norms { kBlas, kEinsum };

  // rows: [count, width]. precomputed: no rows, `width` distances.
  StoredRows(Distance distance, bool expanded, Norms norms, std::vector<double> rows, std::size_t width);

  std::size_t count() const { return count_; }
  std::size_t width() const { return width_; }  // of the rows asked with
  const Distance& distance() const { return distance_; }
  bool is_expanded() const { return expanded_; }  // see program::Metric
  const double* row(std::size_t i) const { return rows_.data() + i * width_; }

  // Rows as prepare() gives them, ready for reduced(): `in` itself where there is nothing to do.
  const double* prepared(const double* in, std::size_t rows, Buffers& buffers) const;

  // The reduced distances of prepared row x to the stored rows [first, last); first is a multiple of kLanes.
  void reduced(const double* x, std::size_t first, std::size_t last, double* out) const;

  static constexpr std::size_t kLanes = kDotLanes;
  static constexpr std::size_t kChunk = 256;  // stored rows to take at once for several rows asked

 private:
  double norm(const double* row) const;  // squared
  void by_products(const double* x, std::size_t first, std::size_t last, double* out) const;

  Distance distance_;
  bool expanded_;
  Norms summed_;
  LaneDots dots_ = lane_dots();
  std::size_t width_;
  std::size_t count_;
  std::vector<double> rows_;
  // expanded and cosine: eight rows side by side, [count / 8 rounded up, width, 8]
  std::vector<double> lanes_;
  std::vector<double> norms_;  // expanded: |row|²
};

}  // namespace wherry::engine
