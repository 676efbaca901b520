// Tree ensembles packed for speed. Private to module engine.
//
// Layout. A tree is an array of nodes in which the two children of a node stand side by side, so that one
// step is `i += distance + (x > threshold)`: no branch, no child pointers. A leaf has distance 0 and a NaN as
// threshold, so that further steps stay; the NaN's payload is the number of the leaf's values. Nodes follow
// each other so that a cache line holds as many as possible of the likely next ones. Ensembles which compare
// float32 use nodes of 8 bytes where feature numbers and distances fit, others nodes of 16.
//
// Rows are taken eight at a time with their features transposed (eight values of one feature side by side); a
// single row goes through eight trees at a time instead. Either way eight independent walks hide the latency
// of memory, and each row adds its leaves in ascending order of trees.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "engine/frame.h"
#include "engine/node_memory.h"
#include "program/program.h"

namespace wherry::engine {

// The arrays of a program::TreeEnsemble, valid as infer.cc checks them.
struct TreeArrays {
  bool is_float32 = false;
  bool sums_float32 = false;
  program::CategoryRule category_rule = program::CategoryRule::kUint8;
  std::size_t outputs = 1;
  double divisor = 1;
  std::span<const std::int32_t> roots, target, feature;
  std::span<const double> threshold;
  std::span<const std::int32_t> left, right;
  std::span<const std::uint8_t> default_left;
  std::span<const double> values;  // [leaves, width]
  std::size_t width = 1;
  std::span<const double> base;
  std::span<const std::int32_t> category;  // empty: no categories
  std::span<const std::uint32_t> cat_left, cat_known;
  std::size_t words = 0;  // per category set
};
TreeArrays tree_arrays(const program::TreeEnsemble& op, const program::Program& program);

// The largest float32 not above `threshold`, so that for every float32 x, NaN included,
// x <= threshold_float32(t) exactly when double(x) <= t.
float threshold_float32(double threshold);

// `distance` from a node to its left child; the right one follows.
struct Node8 {
  float threshold;
  std::uint32_t meta;  // bit 0: NaN goes right; bits 3…13: feature; bits 14…31: distance

  static constexpr std::uint32_t kMostFeatures = 1u << 11;
  static constexpr std::uint32_t kMostDistance = (1u << 18) - 1;
  static constexpr std::uint32_t kMostValues = 1u << 22;
  using Number = float;

  std::uint32_t feature8() const { return meta & 0x3FF8; }  // 8 × feature
  std::uint32_t distance() const { return meta >> 14; }
  bool nan_right() const { return (meta & 1) != 0; }
  bool is_special() const { return false; }
};

struct Node16 {
  double threshold;  // of a category node: its payload is the number of the set
  // bit 0: NaN goes right; bit 1: category; bit 2: zero is missing; bits 3…31: feature
  std::uint32_t meta;
  std::uint32_t step;

  static constexpr std::uint32_t kMostFeatures = 1u << 29;
  static constexpr std::uint32_t kMostDistance = ~0u;
  static constexpr std::uint32_t kMostValues = ~0u;
  using Number = double;

  std::uint32_t feature8() const { return meta & ~7u; }
  std::uint32_t distance() const { return step; }
  bool nan_right() const { return (meta & 1) != 0; }
  bool is_special() const { return (meta & 6) != 0; }
  bool is_category() const { return (meta & 2) != 0; }
};

template <class Node>
struct Forest {
  struct Tree {
    std::uint32_t root;    // index into nodes
    std::uint32_t depth;   // most steps to a leaf
    std::uint32_t target;  // first output its leaves are added to
    std::uint64_t values;  // of its first leaf, index into values
  };
  struct Group {  // trees [first, last) that fit the first-level cache together
    std::uint32_t first, last;
  };
  NodeMemory<Node> nodes;
  std::vector<Tree> trees;
  std::vector<Group> groups;
  std::vector<double> values;  // leaf rows of `width`, equal ones of a tree stored once
};

// Bit sets of categories, one of `words` words each.
struct CategorySets {
  program::CategoryRule rule = program::CategoryRule::kUint8;
  std::vector<std::uint32_t> left, known;
  std::size_t words = 0;
};

struct TreeSpan;      // trees_arrange.h
class CompleteTrees;  // trees_complete.h

// A packed ensemble. Immutable; run from any number of threads.
class PackedTrees {
 public:
  // "engine.tree_shape" when a node can be reached in two ways.
  static base::Result<PackedTrees> pack(const TreeArrays& arrays);

  // in: [rows, width] with the ensemble's features; out: [rows, outputs]; start: [rows, outputs] to add to
  // instead of the base, or null.
  void run(const double* in, std::size_t rows, std::size_t width, const double* start, double* out,
           Buffers& buffers) const;

  bool uses_node8() const { return uses_node8_; }
  std::size_t node_bytes() const;

  // How many rows run() should be given at once, at least where there are as many.
  std::size_t best_rows(std::size_t width) const;

 private:
  template <class Node>
  class Runner;
  class CompleteRunner;

  static base::Result<PackedTrees> pack(const TreeArrays& arrays, const std::vector<TreeSpan>& spans);

  bool uses_node8_ = false;
  bool is_float32_ = false;
  bool sums_float32_ = false;
  bool has_special_ = false;     // categories, or zeros which are missing
  bool nan_goes_right_ = false;  // somewhere
  std::size_t outputs_ = 1;
  std::size_t width_ = 1;
  double divisor_ = 1;
  std::vector<double> base_;
  Forest<Node8> small_;
  Forest<Node16> large_;
  std::shared_ptr<const CompleteTrees> complete_;  // the same trees again, for blocks of rows; null: too deep
  CategorySets sets_;
};

}  // namespace wherry::engine
