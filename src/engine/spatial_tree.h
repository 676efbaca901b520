// scikit-learn's KD trees and ball trees (sklearn/neighbors/_binary_tree.pxi, _kd_tree.pyx, _ball_tree.pyx),
// walked as it walks them: the same nodes in the same order, so that ties fall the same way. Private to
// module engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/distance.h"
#include "engine/neighbor_heap.h"
#include "program/ops_neighbors.h"
#include "program/program.h"

namespace wherry::engine {

struct Bounds {
  double least = 0;
  double most = 0;
};

// Immutable; run from any number of threads.
class TreeWalk {
 public:
  // `tree` is valid as rules_neighbors.cc checks it; `rows` outlives the walk.
  TreeWalk(const program::SpatialTree& tree, const program::Program& program, const StoredRows& rows);

  struct Node {
    std::size_t first, last;
    bool is_leaf;
    double radius;
    std::size_t size() const { return last - first; }
  };
  const Node& node(std::size_t i) const { return nodes_[i]; }
  std::size_t nodes() const { return nodes_.size(); }
  std::size_t position(std::size_t i) const { return order_[i]; }

  // Pushes the rows of the tree on the heap, as far as they may be among the nearest.
  void nearest(const double* x, NeighborHeap& heap) const;
  // out[i] = distance to row i where it is not above radius; other elements are left alone.
  void within(const double* x, double radius, double* out) const;

  // Distances from x to the nearest and farthest place of a node (min_dist, max_dist, min_max_dist).
  double least_distance(std::size_t node, const double* x) const;
  double most_distance(std::size_t node, const double* x) const;
  Bounds bounds(std::size_t node, const double* x) const;

 private:
  double least_reduced(std::size_t node, const double* x) const;
  void nearest(std::size_t node, double least, const double* x, NeighborHeap& heap) const;
  void within(std::size_t node, const double* x, double radius, double* out) const;
  const double* low(std::size_t node) const { return bounds_.data() + node * rows_.width(); }
  const double* high(std::size_t node) const {
    return bounds_.data() + (nodes_.size() + node) * rows_.width();
  }

  program::TreeShape shape_;
  const StoredRows& rows_;
  double p_;  // of the metric as a power of differences; infinite: chebyshev
  std::vector<Node> nodes_;
  std::vector<std::size_t> order_;
  std::vector<double> bounds_;
};

}  // namespace wherry::engine
