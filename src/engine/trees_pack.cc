#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "engine/trees_complete.h"

namespace wherry::engine {
namespace {

constexpr std::uint8_t kZeroIsMissing = 2;                  // bit of default_left
constexpr std::size_t kGroupBytes = std::size_t{24} << 10;  // of a first-level cache of 32 or 48 KiB

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

// Slots of a tree: an unused one beside the root, and a whole number of cache lines.
template <class Node>
std::size_t slots(const TreeSpan& span) {
  constexpr std::size_t kPerLine = 64 / sizeof(Node);
  const auto nodes = static_cast<std::size_t>(span.last - span.first) + 1;
  return (nodes + kPerLine - 1) / kPerLine * kPerLine;
}

// False when a distance or a number of leaves does not fit the node.
template <class Node>
bool fill_tree(const TreeArrays& a, const TreeSpan& span, Node* nodes) {
  if (static_cast<std::uint32_t>(span.last_value - span.first_value) > Node::kMostValues) return false;
  for (std::int32_t i = span.first; i < span.last; ++i) {
    Node& node = nodes[i == span.first ? 0 : i - span.first + 1];
    if (a.feature[i] < 0) {
      node = make_leaf(static_cast<std::uint32_t>(a.left[i] - span.first_value), static_cast<Node*>(nullptr));
      continue;
    }
    const auto distance = static_cast<std::uint32_t>(a.left[i] - i + (i == span.first ? 1 : 0));
    if (distance > Node::kMostDistance || static_cast<std::uint32_t>(a.feature[i]) >= Node::kMostFeatures)
      return false;
    node = make_branch(a, i, distance, static_cast<Node*>(nullptr));
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
bool fill_forest(const TreeArrays& a, const std::vector<TreeSpan>& spans, Forest<Node>& forest) {
  std::size_t total = 0;
  for (const TreeSpan& span : spans) total += slots<Node>(span);
  if (total > std::numeric_limits<std::uint32_t>::max()) return false;
  forest.nodes = NodeMemory<Node>(total);
  std::vector<std::uint32_t> start;  // by span, in nodes
  std::uint32_t next = 0;
  for (const TreeSpan& span : spans) {
    start.push_back(next);
    if (!fill_tree(a, span, forest.nodes.data() + next)) return false;
    next += static_cast<std::uint32_t>(slots<Node>(span));
  }
  forest.trees.reserve(a.roots.size());
  std::vector<std::size_t> bytes;
  for (std::size_t t = 0; t < a.roots.size(); ++t) {
    const auto span = std::ranges::lower_bound(spans, a.roots[t], {}, &TreeSpan::first);
    bytes.push_back(slots<Node>(*span) * sizeof(Node));
    forest.trees.push_back({start[span - spans.begin()], span->depth, static_cast<std::uint32_t>(a.target[t]),
                            static_cast<std::uint64_t>(span->first_value) * a.width});
  }
  forest.values.assign(a.values.begin(), a.values.end());
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
  if (const auto spans = arranged_spans(a)) return pack(a, *spans);
  TRY_ASSIGN(const TreeStorage storage, arrange(a));
  const TreeArrays arranged = storage.arrays(a);
  return pack(arranged, *arranged_spans(arranged));
}

base::Result<PackedTrees> PackedTrees::pack(const TreeArrays& a, const std::vector<TreeSpan>& spans) {
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
  packed.has_special_ = has_special_splits(a);
  if (auto complete = CompleteTrees::make(a, spans))
    packed.complete_ = std::make_shared<const CompleteTrees>(*std::move(complete));
  if (a.is_float32 && !packed.has_special_) {
    packed.uses_node8_ = fill_forest(a, spans, packed.small_);
    if (packed.uses_node8_) return packed;
    packed.small_ = {};
  }
  if (!fill_forest(a, spans, packed.large_))
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
  const std::size_t per_row = std::max<std::size_t>(width, 1) *
                              (uses_node8_ && complete_ == nullptr ? sizeof(float) : sizeof(double));
  return std::clamp<std::size_t>(kInputBytes / per_row, 64, 4096) / 8 * 8;
}

}  // namespace wherry::engine
