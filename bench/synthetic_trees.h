// Ensembles of random trees in the shapes people deploy, for benchmarks.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace wherry::bench {

// The arrays of a program::TreeEnsemble with one output.
struct SyntheticTrees {
  std::vector<std::int32_t> roots, target, feature, left, right;
  std::vector<double> threshold, values;
  std::vector<std::uint8_t> default_left;
};

struct TreeShape {
  std::string name;
  int trees = 0;
  int depth = 0;   // complete trees of this depth when leaves is 0
  int leaves = 0;  // else grown leaf by leaf, a random leaf split each time weighted by its size
  int features = 30;
};

inline const TreeShape kTreeShapes[] = {
    {"gbdt 100 trees, depth 3", 100, 3, 0, 30},
    {"gbdt 500 trees, depth 6", 500, 6, 0, 30},
    {"forest 100 trees, full depth, 2.5 M nodes", 100, 0, 12650, 30},
};

// Values of features are uniform in [0, 1). A node splits its part of the unit cube near the middle, so that
// rows spread over all leaves as in a trained forest.
class TreeGrower {
 public:
  TreeGrower(const TreeShape& shape, std::uint64_t seed) : shape_(shape), random_(seed) {}

  SyntheticTrees grow() {
    for (int t = 0; t < shape_.trees; ++t) {
      trees_.roots.push_back(static_cast<std::int32_t>(trees_.feature.size()));
      trees_.target.push_back(0);
      std::vector<double> low(shape_.features, 0.0);
      std::vector<double> high(shape_.features, 1.0);
      grow_node(low, high, shape_.depth, shape_.leaves);
    }
    return std::move(trees_);
  }

 private:
  void grow_node(std::vector<double>& low, std::vector<double>& high, int depth, int leaves) {
    const std::size_t at = trees_.feature.size();
    trees_.feature.push_back(-1);
    trees_.threshold.push_back(0);
    trees_.left.push_back(static_cast<std::int32_t>(trees_.values.size()));
    trees_.right.push_back(0);
    trees_.default_left.push_back(0);
    if (shape_.leaves == 0 ? depth == 0 : leaves <= 1) {
      trees_.values.push_back(uniform(-1, 1));
      return;
    }
    const auto feature = static_cast<std::size_t>(uniform(0, shape_.features));
    const double part = uniform(0.25, 0.75);
    const double threshold = low[feature] + part * (high[feature] - low[feature]);
    // A trained tree has its rows, hence leaves, in proportion to the split, roughly.
    const int left_leaves = std::max(1, std::min(leaves - 1, static_cast<int>(leaves * part)));
    trees_.feature[at] = static_cast<std::int32_t>(feature);
    trees_.threshold[at] = threshold;
    const double old_high = high[feature];
    const double old_low = low[feature];
    trees_.left[at] = static_cast<std::int32_t>(trees_.feature.size());
    high[feature] = threshold;
    grow_node(low, high, depth - 1, left_leaves);
    high[feature] = old_high;
    trees_.right[at] = static_cast<std::int32_t>(trees_.feature.size());
    low[feature] = threshold;
    grow_node(low, high, depth - 1, leaves - left_leaves);
    low[feature] = old_low;
  }

  double uniform(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random_);
  }

  TreeShape shape_;
  std::mt19937_64 random_;
  SyntheticTrees trees_;
};

}  // namespace wherry::bench
