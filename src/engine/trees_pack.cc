#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <unordered_map>

#include "base/text.h"
#include "engine/trees.h"

namespace wherry::engine {
namespace {

constexpr std::uint8_t kZeroIsMissing = 2;                  // bit of default_left
constexpr std::size_t kGroupBytes = std::size_t{24} << 10;  // of a first-level cache of 32 or 48 KiB

// What packing needs to know of each node that belongs to a tree.
struct Shape {
  std::vector<std::uint32_t> leaves;  // below the node; 0: not part of any tree
  std::vector<std::uint32_t> depth;   // most steps to a leaf
};

std::unexpected<base::Error> not_a_tree(std::size_t tree, std::int32_t node) {
  return base::fail(base::Code::kInvalidInput, "engine.tree_shape",
                    base::cat("tree ", tree, ": node ", node, " can be reached in more than one way"),
                    "the model is inconsistent in itself; train or save it again");
}

// Walks every tree once. Trees may have the same root; otherwise no node may belong to two places.
base::Result<Shape> measure(const TreeArrays& a) {
  const std::size_t count = a.feature.size();
  std::vector<std::uint8_t> reached(count, 0);
  std::vector<std::uint8_t> is_root(count, 0);
  std::vector<std::int32_t> stack;
  for (std::size_t t = 0; t < a.roots.size(); ++t) {
    if (is_root[a.roots[t]] != 0) continue;
    is_root[a.roots[t]] = 1;
    stack.push_back(a.roots[t]);
    while (!stack.empty()) {
      const std::int32_t node = stack.back();
      stack.pop_back();
      if (reached[node] != 0) return not_a_tree(t, node);
      reached[node] = 1;
      if (a.feature[node] >= 0) stack.insert(stack.end(), {a.right[node], a.left[node]});
    }
  }
  Shape shape{std::vector<std::uint32_t>(count, 0), std::vector<std::uint32_t>(count, 0)};
  for (std::size_t i = count; i-- > 0;) {
    if (reached[i] == 0) continue;
    if (a.feature[i] < 0) {
      shape.leaves[i] = 1;
      continue;
    }
    shape.leaves[i] = shape.leaves[a.left[i]] + shape.leaves[a.right[i]];
    shape.depth[i] = 1 + std::max(shape.depth[a.left[i]], shape.depth[a.right[i]]);
  }
  return shape;
}

// Positions of a tree's nodes: the root at 0, nothing at 1, then pairs of siblings. Each cache line is filled
// from one spot downwards, the children with most leaves below them first.
class Order {
 public:
  Order(const TreeArrays& arrays, const Shape& shape, std::size_t nodes_per_line)
      : arrays_(arrays), shape_(shape), nodes_per_line_(nodes_per_line) {}

  // Source nodes by position; -1 for the unused one.
  const std::vector<std::int32_t>& of(std::int32_t root) {
    nodes_.assign({root, -1});
    waiting_.clear();
    frontier_.clear();
    consider(root);
    while (!frontier_.empty() || !waiting_.empty()) {
      if (frontier_.empty()) {
        frontier_.push_back(waiting_.back());
        waiting_.pop_back();
      }
      const auto heaviest =
          std::ranges::max_element(frontier_, {}, [&](std::int32_t i) { return shape_.leaves[i]; });
      const std::int32_t parent = *heaviest;
      frontier_.erase(heaviest);
      for (const std::int32_t child : {arrays_.left[parent], arrays_.right[parent]}) {
        nodes_.push_back(child);
        consider(child);
      }
      if (nodes_.size() % nodes_per_line_ == 0) start_line();
    }
    return nodes_;
  }

 private:
  void consider(std::int32_t node) {
    if (arrays_.feature[node] >= 0) frontier_.push_back(node);
  }
  void start_line() {
    std::ranges::sort(frontier_, {}, [&](std::int32_t i) { return shape_.leaves[i]; });
    waiting_.insert(waiting_.end(), frontier_.begin(), frontier_.end());
    frontier_.clear();
  }

  const TreeArrays& arrays_;
  const Shape& shape_;
  std::size_t nodes_per_line_;
  std::vector<std::int32_t> nodes_;
  std::vector<std::int32_t> frontier_;  // nodes placed near by whose children are not
  std::vector<std::int32_t> waiting_;   // the same from earlier lines
};

// Numbers the distinct rows of leaf values of one tree at a time.
class LeafRows {
 public:
  LeafRows(const TreeArrays& arrays, std::vector<double>& stored) : arrays_(arrays), stored_(stored) {}

  void start_tree(std::size_t leaves) {
    first_ = stored_.size();
    count_ = 0;
    table_.assign(std::bit_ceil(2 * leaves), 0);
  }

  std::uint32_t number_of(std::int32_t row) {
    const double* values = arrays_.values.data() + static_cast<std::size_t>(row) * arrays_.width;
    const std::string_view bytes(reinterpret_cast<const char*>(values), arrays_.width * sizeof(double));
    std::size_t at = std::hash<std::string_view>()(bytes) & (table_.size() - 1);
    for (; table_[at] != 0; at = (at + 1) & (table_.size() - 1)) {
      const double* known = stored_.data() + first_ + (table_[at] - 1) * arrays_.width;
      if (std::memcmp(known, values, bytes.size()) == 0) return table_[at] - 1;
    }
    table_[at] = ++count_;
    stored_.insert(stored_.end(), values, values + arrays_.width);
    return count_ - 1;
  }

  std::size_t first() const { return first_; }

 private:
  const TreeArrays& arrays_;
  std::vector<double>& stored_;
  std::size_t first_ = 0;
  std::uint32_t count_ = 0;
  std::vector<std::uint32_t> table_;  // number + 1, or 0
};

Node8 make_leaf(std::uint32_t number, Node8*) {
  return {std::bit_cast<float>(0x7FC00000u | number), 0};
}
Node16 make_leaf(std::uint32_t number, Node16*) {
  return {std::bit_cast<double>(0x7FF8000000000000u | number), 0, 0};
}

Node8 make_branch(const TreeArrays& a, std::int32_t i, std::uint32_t distance, Node8*) {
  const auto feature = static_cast<std::uint32_t>(a.feature[i]);
  return {threshold_float32(a.threshold[i]),
          distance << 14 | feature << 3 | ((a.default_left[i] & 1) == 0 ? 1u : 0u)};
}
Node16 make_branch(const TreeArrays& a, std::int32_t i, std::uint32_t distance, Node16*) {
  const auto feature = static_cast<std::uint32_t>(a.feature[i]);
  const std::uint32_t meta = feature << 3 | ((a.default_left[i] & 1) == 0 ? 1u : 0u) |
                             ((a.default_left[i] & kZeroIsMissing) != 0 ? 4u : 0u);
  if (a.category.empty() || a.category[i] < 0) return {a.threshold[i], meta, distance};
  const auto set = static_cast<std::uint32_t>(a.category[i]);
  return {std::bit_cast<double>(0x7FF8000000000000u | set), meta | 2u, distance};
}

template <class Node>
std::size_t round_to_line(std::size_t nodes) {
  constexpr std::size_t kPerLine = 64 / sizeof(Node);
  return (nodes + kPerLine - 1) / kPerLine * kPerLine;
}

// Slots of a tree: an unused one beside the root.
template <class Node>
std::size_t slots(const Shape& shape, std::int32_t root) {
  return round_to_line<Node>(2 * std::size_t{shape.leaves[root]});
}

// False when a distance or a number of leaves does not fit the node.
template <class Node>
bool fill_tree(const TreeArrays& a, const std::vector<std::int32_t>& order, std::size_t leaves,
               LeafRows& rows, std::vector<std::uint32_t>& position, Node* nodes) {
  for (std::size_t p = 0; p < order.size(); ++p)
    if (order[p] >= 0) position[order[p]] = static_cast<std::uint32_t>(p);
  rows.start_tree(leaves);
  for (std::size_t p = 0; p < order.size(); ++p) {
    const std::int32_t i = order[p];
    if (i < 0) continue;
    if (a.feature[i] < 0) {
      const std::uint32_t number = rows.number_of(a.left[i]);
      if (number >= Node::kMostValues) return false;
      nodes[p] = make_leaf(number, static_cast<Node*>(nullptr));
      continue;
    }
    const std::uint32_t distance = position[a.left[i]] - static_cast<std::uint32_t>(p);
    if (distance > Node::kMostDistance) return false;
    nodes[p] = make_branch(a, i, distance, static_cast<Node*>(nullptr));
  }
  return true;
}

template <class Node>
void make_groups(Forest<Node>& forest, const std::vector<std::size_t>& bytes) {
  std::uint32_t first = 0;
  std::size_t sum = 0;
  for (std::uint32_t t = 0; t < forest.trees.size(); ++t) {
    if (t > first && sum + bytes[t] > kGroupBytes) {
      forest.groups.push_back({first, t});
      first = t;
      sum = 0;
    }
    sum += bytes[t];
  }
  if (first < forest.trees.size())
    forest.groups.push_back({first, static_cast<std::uint32_t>(forest.trees.size())});
}

template <class Node>
bool fill_forest(const TreeArrays& a, const Shape& shape, Forest<Node>& forest) {
  for (const std::int32_t feature : a.feature)
    if (feature >= 0 && static_cast<std::uint32_t>(feature) >= Node::kMostFeatures) return false;
  std::unordered_map<std::int32_t, std::uint32_t> tree_of_root;
  std::size_t total = 0;
  for (std::uint32_t t = 0; t < a.roots.size(); ++t)
    if (tree_of_root.emplace(a.roots[t], t).second) total += slots<Node>(shape, a.roots[t]);
  if (total > std::numeric_limits<std::uint32_t>::max()) return false;
  forest.nodes = NodeMemory<Node>(total);
  forest.trees.reserve(a.roots.size());
  Order order(a, shape, 64 / sizeof(Node));
  LeafRows rows(a, forest.values);
  std::vector<std::uint32_t> position(a.feature.size());
  std::vector<std::size_t> bytes;
  std::uint32_t next = 0;
  for (std::uint32_t t = 0; t < a.roots.size(); ++t) {
    const std::int32_t root = a.roots[t];
    bytes.push_back(slots<Node>(shape, root) * sizeof(Node));
    if (const std::uint32_t same = tree_of_root[root]; same != t) {
      forest.trees.push_back(forest.trees[same]);
      forest.trees.back().target = static_cast<std::uint32_t>(a.target[t]);
      continue;
    }
    if (!fill_tree(a, order.of(root), shape.leaves[root], rows, position, forest.nodes.data() + next))
      return false;
    forest.trees.push_back({next, shape.depth[root], static_cast<std::uint32_t>(a.target[t]), rows.first()});
    next += static_cast<std::uint32_t>(slots<Node>(shape, root));
  }
  forest.values.shrink_to_fit();
  make_groups(forest, bytes);
  return true;
}

}  // namespace

float threshold_float32(double threshold) {
  const auto nearest = static_cast<float>(threshold);
  return nearest > threshold ? std::nextafter(nearest, -INFINITY) : nearest;
}

TreeArrays tree_arrays(const program::TreeEnsemble& op, const program::Program& program) {
  TreeArrays a;
  a.is_float32 = op.input == program::TreeInput::kFloat32;
  a.sums_float32 = op.sum == program::TreeSum::kFloat32;
  a.category_rule = op.category_rule;
  a.outputs = static_cast<std::size_t>(op.outputs);
  a.divisor = op.divisor;
  a.roots = program.weight(op.roots).as<std::int32_t>();
  a.target = program.weight(op.target).as<std::int32_t>();
  a.feature = program.weight(op.feature).as<std::int32_t>();
  a.threshold = program.weight(op.threshold).as<double>();
  a.left = program.weight(op.left).as<std::int32_t>();
  a.right = program.weight(op.right).as<std::int32_t>();
  a.default_left = program.weight(op.default_left).as<std::uint8_t>();
  a.values = program.weight(op.values).as<double>();
  a.width = static_cast<std::size_t>(program.weight(op.values).shape()[1]);
  a.base = program.weight(op.base).as<double>();
  if (op.has_categories) {
    a.category = program.weight(op.category).as<std::int32_t>();
    a.cat_left = program.weight(op.cat_left).as<std::uint32_t>();
    if (op.category_rule == program::CategoryRule::kUint8)
      a.cat_known = program.weight(op.cat_known).as<std::uint32_t>();
    a.words = static_cast<std::size_t>(program.weight(op.cat_left).shape()[1]);
  }
  return a;
}

base::Result<PackedTrees> PackedTrees::pack(const TreeArrays& a) {
  TRY_ASSIGN(const Shape shape, measure(a));
  PackedTrees packed;
  packed.is_float32_ = a.is_float32;
  packed.outputs_ = a.outputs;
  packed.width_ = a.width;
  packed.divisor_ = a.divisor;
  packed.base_.assign(a.base.begin(), a.base.end());
  packed.sums_float32_ = a.sums_float32;
  packed.sets_ = {a.category_rule,
                  {a.cat_left.begin(), a.cat_left.end()},
                  {a.cat_known.begin(), a.cat_known.end()},
                  a.words};
  for (std::size_t i = 0; i < a.feature.size(); ++i)
    packed.nan_goes_right_ |= a.feature[i] >= 0 && (a.default_left[i] & 1) == 0;
  packed.has_special_ =
      std::ranges::any_of(a.category, [](std::int32_t c) { return c >= 0; }) ||
      std::ranges::any_of(a.default_left, [](std::uint8_t d) { return (d & kZeroIsMissing) != 0; });
  if (a.is_float32 && !packed.has_special_) {
    packed.uses_node8_ = fill_forest(a, shape, packed.small_);
    if (packed.uses_node8_) return packed;
    packed.small_ = {};
  }
  if (!fill_forest(a, shape, packed.large_))
    return base::fail(base::Code::kLimit, "engine.limit",
                      "a tree ensemble has more nodes than can be addressed",
                      "train with fewer or smaller trees");
  return packed;
}

std::size_t PackedTrees::node_bytes() const {
  return small_.nodes.size() * sizeof(Node8) + large_.nodes.size() * sizeof(Node16);
}

std::size_t PackedTrees::best_rows(std::size_t width) const {
  constexpr std::size_t kInputBytes = std::size_t{512} << 10;  // of a second-level cache of 1 or 2 MiB
  const std::size_t per_row =
      std::max<std::size_t>(width, 1) * (uses_node8_ ? sizeof(float) : sizeof(double));
  return std::clamp<std::size_t>(kInputBytes / per_row, 64, 4096) / 8 * 8;
}

}  // namespace wherry::engine
