#include "import/xgboost/tree.h"

#include <cmath>
#include <limits>

#include "base/text.h"

namespace wherry::xgboost {
namespace {

using base::cat;
using base::Result;
using base::Status;

constexpr std::int64_t kMostNodes = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMostCategory = 16'777'215;  // src/common/categorical.h OutOfRangeCat

// The arrays of a tree, one element a node.
struct Table {
  std::vector<std::int64_t> left, right, feature, default_left, split_type;
  std::vector<float> condition;
  std::vector<float> base_weights, leaf_weights;      // of leaves with a value for each output
  std::vector<std::vector<std::int32_t>> categories;  // per node, of splits by category
  std::size_t size() const { return left.size(); }
};

Status read_categories(const Place& tree, Table& table) {
  table.categories.resize(table.size());
  if (!tree.has("categories_nodes")) return {};
  const auto last = static_cast<std::int64_t>(table.size()) - 1;
  TRY_ASSIGN(const auto nodes, tree.integers("categories_nodes", 0, last));
  if (nodes.empty()) return {};
  TRY_ASSIGN(const auto members, tree.integers("categories", 0, kMostCategory));
  const auto count = static_cast<std::int64_t>(members.size());
  TRY_ASSIGN(const auto begins, tree.integers("categories_segments", 0, count));
  TRY_ASSIGN(const auto sizes, tree.integers("categories_sizes", 1, count));
  if (begins.size() != nodes.size() || sizes.size() != nodes.size())
    return tree.wrong("not one segment of categories per node");
  std::int64_t total = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (begins[i] > count - sizes[i]) return tree.wrong("a segment beyond the categories");
    if ((total += sizes[i]) > count) return tree.wrong("segments of categories overlap");
    auto& own = table.categories[static_cast<std::size_t>(nodes[i])];
    if (!own.empty()) return tree.wrong(cat("node ", nodes[i], " has two segments of categories"));
    for (std::int64_t j = begins[i]; j < begins[i] + sizes[i]; ++j)
      own.push_back(static_cast<std::int32_t>(members[static_cast<std::size_t>(j)]));
  }
  return {};
}

Result<Table> read_table(const Place& tree, std::int64_t leaf_width) {
  Table table;
  TRY_ASSIGN(table.left, tree.integers("left_children", -1, kMostNodes));
  TRY_ASSIGN(table.right, tree.integers("right_children", -1, kMostNodes));
  TRY_ASSIGN(table.feature, tree.integers("split_indices", 0, std::numeric_limits<std::uint32_t>::max()));
  TRY_ASSIGN(table.condition, tree.floats("split_conditions"));
  TRY_ASSIGN(table.default_left, tree.integers("default_left", 0, 1));
  table.split_type.resize(table.size());
  if (tree.has("split_type")) {
    TRY_ASSIGN(table.split_type, tree.integers("split_type", 0, 1));
    if (table.split_type.empty()) table.split_type.resize(table.size());
  }
  if (leaf_width > 1) {
    TRY_ASSIGN(table.base_weights, tree.floats("base_weights"));
    if (tree.has("leaf_weights")) {
      TRY_ASSIGN(table.leaf_weights, tree.floats("leaf_weights"));
    }
  }
  const std::size_t size = table.size();
  if (size == 0) return tree.wrong("a tree without nodes");
  for (const std::size_t other : {table.right.size(), table.feature.size(), table.condition.size(),
                                  table.default_left.size(), table.split_type.size()})
    if (other != size) return tree.wrong(cat("arrays of ", size, " and of ", other, " nodes"));
  TRY(read_categories(tree, table));
  return table;
}

class Renumbering {
 public:
  Renumbering(const Place& place, const Table& table, std::int64_t features, std::int64_t leaf_width)
      : place_(place), table_(table), features_(features), width_(static_cast<std::size_t>(leaf_width)) {}

  // Depth first: the left child follows its parent.
  Result<Tree> run() {
    constexpr std::int32_t kUnseen = -1;
    std::vector<std::int32_t> number(table_.size(), kUnseen);
    struct Todo {
      std::int64_t node;
      std::int32_t parent;
    };
    std::vector<Todo> todo{{0, -1}};
    while (!todo.empty()) {
      const auto [old, parent] = todo.back();
      todo.pop_back();
      if (old < 0 || old >= static_cast<std::int64_t>(table_.size()))
        return place_.wrong(cat("child ", old, " of ", table_.size(), " nodes"));
      const auto i = static_cast<std::size_t>(old);
      if (number[i] != kUnseen) return place_.wrong(cat("node ", old, " is reached twice"));
      number[i] = static_cast<std::int32_t>(tree_.nodes.size());
      if (parent >= 0) {
        TreeNode& above = tree_.nodes[static_cast<std::size_t>(parent)];
        (above.left < 0 ? above.left : above.right) = number[i];
      }
      if (table_.left[i] < 0) {
        TRY(add_leaf(i));
      } else {
        TRY(add_split(i));
        todo.push_back({table_.right[i], number[i]});
        todo.push_back({table_.left[i], number[i]});
      }
    }
    return std::move(tree_);
  }

 private:
  Status add_leaf(std::size_t i) {
    TreeNode node;
    node.right = static_cast<std::int32_t>(tree_.leaves.size() / width_);
    tree_.nodes.push_back(node);
    if (width_ == 1) {
      tree_.leaves.push_back(table_.condition[i]);
      return {};
    }
    // Since 3.2 the right child of a leaf is its row of leaf_weights; before, base_weights has a row a node.
    const bool has_rows = !table_.leaf_weights.empty();
    const std::vector<float>& values = has_rows ? table_.leaf_weights : table_.base_weights;
    const std::int64_t row = has_rows ? table_.right[i] : static_cast<std::int64_t>(i);
    if (row < 0 || static_cast<std::size_t>(row) >= values.size() / width_)
      return place_.wrong(cat("no values for the leaf at node ", i));
    const auto first = values.begin() + row * static_cast<std::int64_t>(width_);
    tree_.leaves.insert(tree_.leaves.end(), first, first + static_cast<std::int64_t>(width_));
    return {};
  }

  Status add_split(std::size_t i) {
    TreeNode node;
    if (table_.feature[i] >= features_)
      return place_.wrong(cat("node ", i, " splits on feature ", table_.feature[i], " of ", features_));
    node.feature = static_cast<std::int32_t>(table_.feature[i]);
    node.default_left = table_.default_left[i] != 0;
    if (table_.split_type[i] != 0) {
      if (table_.categories[i].empty()) return place_.wrong(cat("node ", i, " splits on no categories"));
      node.categories = static_cast<std::int32_t>(tree_.categories.size());
      tree_.categories.push_back(table_.categories[i]);
    } else {
      node.condition = table_.condition[i];
      if (std::isnan(node.condition)) return place_.wrong(cat("node ", i, " splits at NaN"));
    }
    tree_.nodes.push_back(node);
    return {};
  }

  const Place& place_;
  const Table& table_;
  std::int64_t features_;
  std::size_t width_;
  Tree tree_;
};

}  // namespace

Result<std::int64_t> leaf_width(const Place& tree) {
  TRY_ASSIGN(const Place parameters, tree.member("tree_param"));
  TRY_ASSIGN(const std::int64_t width, parameters.integer("size_leaf_vector", 1));
  if (width < 0 || width > 1'000'000) return parameters.wrong(cat("leaves of ", width, " values"));
  return std::max<std::int64_t>(width, 1);
}

Result<Tree> read_tree(const Place& tree, std::int64_t features, std::int64_t leaf_width) {
  TRY_ASSIGN(const Table table, read_table(tree, leaf_width));
  return Renumbering(tree, table, features, leaf_width).run();
}

}  // namespace wherry::xgboost
