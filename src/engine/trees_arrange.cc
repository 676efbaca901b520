#include "engine/trees_arrange.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>
#include <unordered_map>

#include "base/text.h"

namespace wherry::engine {
namespace {

// What the order needs to know of each node that belongs to a tree.
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

// The nodes of a tree in the order they are to stand: the root, then pairs of siblings. Each cache line is
// filled from one spot downwards, the children with most leaves below them first; beside the root is an
// unused place.
class Order {
 public:
  Order(const TreeArrays& arrays, const Shape& shape, std::size_t nodes_per_line)
      : arrays_(arrays), shape_(shape), nodes_per_line_(nodes_per_line) {}

  const std::vector<std::int32_t>& of(std::int32_t root) {
    nodes_.assign({root});
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
      if ((nodes_.size() + 1) % nodes_per_line_ == 0) start_line();
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

// Numbers the distinct rows of leaf values, those of one tree at a time.
class LeafRows {
 public:
  LeafRows(const TreeArrays& arrays, std::vector<double>& stored) : arrays_(arrays), stored_(stored) {}

  void start_tree(std::size_t leaves) {
    first_ = stored_.size() / arrays_.width;
    count_ = 0;
    table_.assign(std::bit_ceil(2 * leaves), 0);
  }

  // Of the row among all that are stored.
  std::int32_t number_of(std::int32_t row) {
    const double* values = arrays_.values.data() + static_cast<std::size_t>(row) * arrays_.width;
    const std::string_view bytes(reinterpret_cast<const char*>(values), arrays_.width * sizeof(double));
    std::size_t at = std::hash<std::string_view>()(bytes) & (table_.size() - 1);
    for (; table_[at] != 0; at = (at + 1) & (table_.size() - 1)) {
      const double* known = stored_.data() + (first_ + table_[at] - 1) * arrays_.width;
      if (std::memcmp(known, values, bytes.size()) == 0)
        return static_cast<std::int32_t>(first_ + table_[at] - 1);
    }
    table_[at] = ++count_;
    stored_.insert(stored_.end(), values, values + arrays_.width);
    return static_cast<std::int32_t>(first_ + count_ - 1);
  }

 private:
  const TreeArrays& arrays_;
  std::vector<double>& stored_;
  std::size_t first_ = 0;  // row of this tree
  std::uint32_t count_ = 0;
  std::vector<std::uint32_t> table_;  // number + 1, or 0
};

void append(const TreeArrays& a, std::int32_t node, TreeStorage& out) {
  out.feature.push_back(a.feature[node]);
  out.threshold.push_back(a.feature[node] < 0 ? 0 : a.threshold[node]);
  out.default_left.push_back(a.feature[node] < 0 ? 0 : a.default_left[node]);
  if (!a.category.empty()) out.category.push_back(a.feature[node] < 0 ? -1 : a.category[node]);
}

}  // namespace

TreeArrays TreeStorage::arrays(const TreeArrays& like) const {
  TreeArrays a = like;
  a.roots = roots;
  a.feature = feature;
  a.threshold = threshold;
  a.left = left;
  a.right = right;
  a.default_left = default_left;
  a.values = values;
  a.category = category;
  return a;
}

bool has_special_splits(const TreeArrays& a) {
  return std::ranges::any_of(a.category, [](std::int32_t c) { return c >= 0; }) ||
         std::ranges::any_of(a.default_left, [](std::uint8_t d) { return (d & kZeroIsMissing) != 0; });
}

base::Result<TreeStorage> arrange(const TreeArrays& a) {
  TRY_ASSIGN(const Shape shape, measure(a));
  constexpr std::size_t kLine = 64;
  Order order(a, shape, kLine / (a.is_float32 && !has_special_splits(a) ? sizeof(Node8) : sizeof(Node16)));
  TreeStorage out;
  LeafRows rows(a, out.values);
  std::vector<std::int32_t> place(a.feature.size());
  std::unordered_map<std::int32_t, std::int32_t> placed;
  for (const std::int32_t root : a.roots) {
    const auto [same, is_new] = placed.emplace(root, static_cast<std::int32_t>(out.feature.size()));
    out.roots.push_back(same->second);
    if (!is_new) continue;
    const std::vector<std::int32_t>& nodes = order.of(root);
    for (std::size_t i = 0; i < nodes.size(); ++i)
      place[nodes[i]] = same->second + static_cast<std::int32_t>(i);
    rows.start_tree(shape.leaves[root]);
    for (const std::int32_t node : nodes) {
      append(a, node, out);
      const bool is_leaf = a.feature[node] < 0;
      out.left.push_back(is_leaf ? rows.number_of(a.left[node]) : place[a.left[node]]);
      out.right.push_back(is_leaf ? 0 : place[a.right[node]]);
    }
  }
  return out;
}

std::optional<std::vector<TreeSpan>> arranged_spans(const TreeArrays& a) {
  std::vector<std::int32_t> roots(a.roots.begin(), a.roots.end());
  std::ranges::sort(roots);
  roots.erase(std::unique(roots.begin(), roots.end()), roots.end());
  const auto nodes = static_cast<std::int32_t>(a.feature.size());
  if (roots.empty() ? nodes != 0 : roots[0] != 0) return std::nullopt;
  std::vector<TreeSpan> spans;
  std::vector<std::uint32_t> depth;
  for (std::size_t t = 0; t < roots.size(); ++t) {
    const std::int32_t first = roots[t];
    const std::int32_t last = t + 1 < roots.size() ? roots[t + 1] : nodes;
    depth.assign(static_cast<std::size_t>(last - first), 0);
    TreeSpan span{first, last, 0, INT32_MAX, 0};
    std::int32_t pairs = 0;
    for (std::int32_t i = first; i < last; ++i) {
      const std::uint32_t above = depth[i - first];
      if (i > first && above == 0) return std::nullopt;  // no parent
      if (a.feature[i] < 0) {
        span.first_value = std::min(span.first_value, a.left[i]);
        span.last_value = std::max(span.last_value, a.left[i] + 1);
        span.depth = std::max(span.depth, above);
        continue;
      }
      const std::int32_t left = a.left[i];
      if (left <= i || left + 1 >= last || (left - first) % 2 == 0 || a.right[i] != left + 1 ||
          depth[left - first] != 0)
        return std::nullopt;
      depth[left - first] = depth[left + 1 - first] = above + 1;
      ++pairs;
    }
    if (last - first != 2 * pairs + 1) return std::nullopt;
    spans.push_back(span);
  }
  return spans;
}

base::Result<program::Program> arranged(const program::Program& program) {
  using tensor::Tensor;
  std::vector<std::pair<program::WeightId, Tensor>> replaced;
  const auto replace = [&](program::WeightId id, auto values) {
    const auto count = static_cast<std::int64_t>(values.size());
    replaced.emplace_back(id, Tensor::of({count}, std::move(values)));
  };
  for (const program::Node& node : program.nodes()) {
    const auto* op = std::get_if<program::TreeEnsemble>(&node.op);
    if (op == nullptr) continue;
    const TreeArrays arrays = tree_arrays(*op, program);
    if (arranged_spans(arrays)) continue;
    TRY_ASSIGN(TreeStorage storage, arrange(arrays));
    const auto width = static_cast<std::int64_t>(arrays.width);
    const auto rows = static_cast<std::int64_t>(storage.values.size()) / width;
    replace(op->roots, std::move(storage.roots));
    replace(op->feature, std::move(storage.feature));
    replace(op->threshold, std::move(storage.threshold));
    replace(op->left, std::move(storage.left));
    replace(op->right, std::move(storage.right));
    replace(op->default_left, std::move(storage.default_left));
    replaced.emplace_back(op->values, Tensor::of({rows, width}, std::move(storage.values)));
    if (op->has_categories) replace(op->category, std::move(storage.category));
  }
  if (replaced.empty()) return program;
  return program::with_weights(program, std::move(replaced));
}

}  // namespace wherry::engine
