#include "import/sklearn/tree_data.h"

#include <algorithm>
#include <limits>

#include "import/pickle/array.h"

namespace wherry::sklearn {

using tensor::Tensor;

namespace {

constexpr std::size_t kMostNodes = std::numeric_limits<std::int32_t>::max();

Status check_lengths(const Tree& tree, const View& where) {
  const std::size_t n = tree.left.size();
  if (n == 0) return inconsistent(where, "a tree without nodes");
  if (tree.right.size() != n || tree.feature.size() != n || tree.threshold.size() != n ||
      (!tree.missing_left.empty() && tree.missing_left.size() != n))
    return inconsistent(where, "node arrays of different lengths");
  return {};
}

}  // namespace

Result<Tree> read_tree(Context& context, const View& estimator) {
  TRY_ASSIGN(const View view, estimator.attr("tree_"));
  TRY_ASSIGN(const View nodes_view, view.attr("nodes"));
  TRY_ASSIGN(const View values_view, view.attr("values"));
  TRY_ASSIGN(const pickle::NdArray nodes, nodes_view.array());
  TRY_ASSIGN(const pickle::NdArray values, values_view.array());
  if (nodes.shape.size() != 1) return nodes_view.wrong("an array of node records");
  if (values.shape.size() != 3 || values.shape[0] != nodes.shape[0])
    return inconsistent(values_view, cat(values.describe(), " for ", nodes.count, " nodes"));
  TRY(context.charge(values_view, nodes.count + values.count));
  Tree tree;
  tree.outputs = values.shape[1];
  tree.width = values.shape[2];
  const std::string where = nodes_view.where();
  const auto integers = [&](std::string_view name) -> Result<std::vector<std::int64_t>> {
    TRY_ASSIGN(const pickle::NdArray column, pickle::field(nodes, name, where));
    return pickle::to_int64s(column, where);
  };
  TRY_ASSIGN(tree.left, integers("left_child"));
  TRY_ASSIGN(tree.right, integers("right_child"));
  TRY_ASSIGN(tree.feature, integers("feature"));
  TRY_ASSIGN(const pickle::NdArray thresholds, pickle::field(nodes, "threshold", where));
  TRY_ASSIGN(tree.threshold, pickle::to_doubles(thresholds, where));
  if (nodes.dtype->find("missing_go_to_left") != nullptr) {
    TRY_ASSIGN(tree.missing_left, integers("missing_go_to_left"));
  }
  TRY_ASSIGN(tree.values, pickle::to_doubles(values, values_view.where()));
  TRY(check_lengths(tree, nodes_view));
  return tree;
}

Status Forest::start_tree(std::size_t count, std::int32_t target, const View& where) {
  if (count > kMostNodes - nodes()) return inconsistent(where, "more nodes than can be numbered");
  roots_.push_back(static_cast<std::int32_t>(nodes()));
  target_.push_back(target);
  return {};
}

void Forest::add_leaf(std::span<const double> values) {
  feature_.push_back(-1);
  threshold_.push_back(0);
  left_.push_back(static_cast<std::int32_t>(values_.size() / static_cast<std::size_t>(leaf_width_)));
  right_.push_back(0);
  default_left_.push_back(0);
  category_.push_back(-1);
  values_.insert(values_.end(), values.begin(), values.end());
}

void Forest::add_split(std::int64_t feature, double threshold, std::int64_t left, std::int64_t right,
                       bool default_left, std::int32_t categories) {
  const auto node = static_cast<std::int64_t>(nodes());
  // What does not fit becomes a child before its parent, or a column past the last: refused by the builder.
  const auto child = [&](std::int64_t index) {
    const std::int64_t root = roots_.back();
    const bool fits = index >= 0 && index <= std::numeric_limits<std::int32_t>::max() - root;
    return static_cast<std::int32_t>(fits ? root + index : node);
  };
  const bool column_fits = feature >= 0 && feature < std::numeric_limits<std::int32_t>::max();
  feature_.push_back(column_fits ? static_cast<std::int32_t>(feature)
                                 : std::numeric_limits<std::int32_t>::max());
  threshold_.push_back(threshold);
  left_.push_back(child(left));
  right_.push_back(child(right));
  default_left_.push_back(default_left ? 1 : 0);
  category_.push_back(categories);
}

std::int32_t Forest::add_categories(std::span<const std::uint32_t> left,
                                    std::span<const std::uint32_t> known) {
  cat_left_.insert(cat_left_.end(), left.begin(), left.end());
  cat_known_.insert(cat_known_.end(), known.begin(), known.end());
  return static_cast<std::int32_t>(cat_left_.size() / kCategoryWords - 1);
}

Status Forest::append(const Tree& tree, std::int32_t target, const View& where,
                      const std::function<void(std::size_t, std::vector<double>&)>& leaf) {
  TRY(start_tree(tree.size(), target, where));
  std::vector<double> values(static_cast<std::size_t>(leaf_width_));
  for (std::size_t i = 0; i < tree.size(); ++i) {
    if (tree.left[i] < 0) {
      leaf(i, values);
      add_leaf(values);
      continue;
    }
    const bool missing_left = !tree.missing_left.empty() && tree.missing_left[i] != 0;
    add_split(tree.feature[i], tree.threshold[i], tree.left[i], tree.right[i], missing_left, -1);
  }
  return {};
}

Result<ValueId> Forest::finish(Context& context, ValueId x, program::TreeInput input, std::int64_t outputs,
                               double divisor, std::vector<double> base, std::optional<ValueId> start) {
  const auto n = static_cast<std::int64_t>(nodes());
  const auto t = static_cast<std::int64_t>(roots_.size());
  const auto leaves = static_cast<std::int64_t>(values_.size()) / leaf_width_;
  program::TreeEnsemble op;
  op.input = input;
  op.outputs = outputs;
  op.divisor = divisor;
  op.has_categories = !cat_left_.empty();
  op.roots = context.weight("roots", Tensor::of({t}, std::move(roots_)));
  op.target = context.weight("target", Tensor::of({t}, std::move(target_)));
  op.feature = context.weight("feature", Tensor::of({n}, std::move(feature_)));
  op.threshold = context.weight("threshold", Tensor::of({n}, std::move(threshold_)));
  op.left = context.weight("left", Tensor::of({n}, std::move(left_)));
  op.right = context.weight("right", Tensor::of({n}, std::move(right_)));
  op.default_left = context.weight("default_left", Tensor::of({n}, std::move(default_left_)));
  op.values = context.matrix("values", leaves, leaf_width_, std::move(values_));
  op.base = context.vector("base", std::move(base));
  if (op.has_categories) {
    const auto sets = static_cast<std::int64_t>(cat_left_.size() / kCategoryWords);
    op.category = context.weight("category", Tensor::of({n}, std::move(category_)));
    op.cat_left = context.weight("cat_left", Tensor::of({sets, kCategoryWords}, std::move(cat_left_)));
    op.cat_known = context.weight("cat_known", Tensor::of({sets, kCategoryWords}, std::move(cat_known_)));
  }
  std::vector<ValueId> inputs{x};
  if (start) inputs.push_back(*start);
  return context.add(op, std::move(inputs));
}

// numpy/core/src/umath/loops_utils.h.src, pairwise_sum.
double pairwise_sum(std::span<const double> row) {
  const std::size_t n = row.size();
  if (n < 8) {
    double sum = 0;
    for (double value : row) sum += value;
    return sum;
  }
  if (n <= 128) {
    double r[8];
    std::copy_n(row.begin(), 8, r);
    std::size_t i = 8;
    for (; i < n - n % 8; i += 8)
      for (std::size_t k = 0; k < 8; ++k) r[k] += row[i + k];
    double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < n; ++i) sum += row[i];
    return sum;
  }
  std::size_t half = n / 2;
  half -= half % 8;
  return pairwise_sum(row.first(half)) + pairwise_sum(row.subspan(half));
}

}  // namespace wherry::sklearn
