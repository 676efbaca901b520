#include "engine/spatial_tree.h"

#include <algorithm>
#include <cmath>

namespace wherry::engine {
namespace {

using program::MetricKind;
using program::TreeShape;

// DistanceMetric.p
double power_of(const Distance& distance) {
  switch (distance.kind()) {
    case MetricKind::kManhattan:
      return 1;
    case MetricKind::kChebyshev:
      return INFINITY;
    case MetricKind::kMinkowski:
      return distance.p();
    default:
      return 2;
  }
}

// pow() of a difference, without the call where the result is known.
double raised(double value, double p) {
  if (p == 2) return value * value;
  return p == 1 ? value : std::pow(value, p);
}

// Twice how far x is outside of [low, high].
double outside(double x, double low, double high) {
  const double below = low - x;
  const double above = x - high;
  return (below + std::abs(below)) + (above + std::abs(above));
}

}  // namespace

TreeWalk::TreeWalk(const program::SpatialTree& tree, const program::Program& program, const StoredRows& rows)
    : shape_(tree.shape), rows_(rows), p_(power_of(rows.distance())) {
  const auto first = program.weight(tree.first).as<std::int64_t>();
  const auto last = program.weight(tree.last).as<std::int64_t>();
  const auto leaf = program.weight(tree.leaf).as<std::int64_t>();
  const auto radius = program.weight(tree.radius).as<double>();
  for (std::size_t i = 0; i < first.size(); ++i)
    nodes_.push_back(
        {static_cast<std::size_t>(first[i]), static_cast<std::size_t>(last[i]), leaf[i] != 0, radius[i]});
  for (const std::int64_t position : program.weight(tree.order).as<std::int64_t>())
    order_.push_back(static_cast<std::size_t>(position));
  const auto bounds = program.weight(tree.bounds).as<double>();
  bounds_.assign(bounds.begin(), bounds.end());
}

double TreeWalk::least_reduced(std::size_t node, const double* x) const {
  const std::size_t width = rows_.width();
  if (shape_ == TreeShape::kBall) return rows_.distance().to_reduced(least_distance(node, x));
  double out = 0;
  for (std::size_t j = 0; j < width; ++j) {
    const double d = 0.5 * outside(x[j], low(node)[j], high(node)[j]);
    out = std::isinf(p_) ? std::fmax(out, d) : out + raised(d, p_);
  }
  return out;
}

double TreeWalk::least_distance(std::size_t node, const double* x) const {
  const std::size_t width = rows_.width();
  if (shape_ == TreeShape::kBall)
    return std::fmax(0, rows_.distance().distance(x, low(node), width) - nodes_[node].radius);
  if (std::isinf(p_)) return least_reduced(node, x);
  double out = 0;
  for (std::size_t j = 0; j < width; ++j)
    out += std::pow(0.5 * outside(x[j], low(node)[j], high(node)[j]), p_);
  return std::pow(out, 1.0 / p_);
}

double TreeWalk::most_distance(std::size_t node, const double* x) const {
  const std::size_t width = rows_.width();
  if (shape_ == TreeShape::kBall) return rows_.distance().distance(x, low(node), width) + nodes_[node].radius;
  double out = 0;
  for (std::size_t j = 0; j < width; ++j) {
    const double d = std::fmax(std::abs(x[j] - low(node)[j]), std::abs(x[j] - high(node)[j]));
    out = std::isinf(p_) ? std::fmax(out, d) : out + std::pow(d, p_);
  }
  return std::isinf(p_) ? out : std::pow(out, 1.0 / p_);
}

Bounds TreeWalk::bounds(std::size_t node, const double* x) const {
  return {least_distance(node, x), most_distance(node, x)};
}

void TreeWalk::nearest(const double* x, NeighborHeap& heap) const {
  nearest(0, least_reduced(0, x), x, heap);
}

void TreeWalk::nearest(std::size_t i, double least, const double* x, NeighborHeap& heap) const {
  if (least > heap.largest()) return;
  const Node& here = nodes_[i];
  if (here.is_leaf) {
    for (std::size_t k = here.first; k < here.last; ++k)
      heap.push(rows_.distance().reduced(x, rows_.row(order_[k]), rows_.width()), order_[k]);
    return;
  }
  const std::size_t left = 2 * i + 1;
  const double least_left = least_reduced(left, x);
  const double least_right = least_reduced(left + 1, x);
  const bool left_first = least_left <= least_right;
  nearest(left_first ? left : left + 1, left_first ? least_left : least_right, x, heap);
  nearest(left_first ? left + 1 : left, left_first ? least_right : least_left, x, heap);
}

void TreeWalk::within(const double* x, double radius, double* out) const {
  within(0, x, radius, out);
}

void TreeWalk::within(std::size_t i, const double* x, double radius, double* out) const {
  const Bounds reach = bounds(i, x);
  if (reach.least > radius) return;
  const Node& here = nodes_[i];
  const Distance& distance = rows_.distance();
  if (reach.most <= radius) {
    for (std::size_t k = here.first; k < here.last; ++k)
      out[order_[k]] = distance.distance(x, rows_.row(order_[k]), rows_.width());
    return;
  }
  if (!here.is_leaf) {
    within(2 * i + 1, x, radius, out);
    within(2 * i + 2, x, radius, out);
    return;
  }
  const double reduced_radius = distance.to_reduced(radius);
  for (std::size_t k = here.first; k < here.last; ++k) {
    const double reduced = distance.reduced(x, rows_.row(order_[k]), rows_.width());
    if (reduced <= reduced_radius) out[order_[k]] = distance.from_reduced(reduced);
  }
}

}  // namespace wherry::engine
