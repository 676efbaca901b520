#include "import/xgboost/trees.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"

namespace wherry::xgboost {
namespace {

using base::cat;
using base::Result;
using base::Status;
using program::ProgramBuilder;
using program::ValueId;
using tensor::Tensor;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::int64_t kMostWords = std::int64_t{1} << 26;  // of all sets of categories: 256 MB

template <class T>
Tensor vector(std::vector<T> values) {
  const auto size = static_cast<std::int64_t>(values.size());
  return Tensor::of({size}, std::move(values));
}

Result<std::size_t> trees_of_rounds(const Model& model, const Options& options) {
  if (!options.rounds || *options.rounds == 0) return model.trees.size();
  const std::int64_t rounds = *options.rounds;
  if (rounds < 0 || rounds > static_cast<std::int64_t>(model.rounds_end.size()))
    return inconsistent(cat("the best iteration is ", rounds - 1, " of ", model.rounds_end.size()));
  return static_cast<std::size_t>(model.rounds_end[static_cast<std::size_t>(rounds) - 1]);
}

// The arrays of program::TreeEnsemble.
class Arrays {
 public:
  Arrays(const Model& model, const std::vector<float>& base, const Options& options)
      : model_(model), base_(base), options_(options), words_(category_words(model)) {}

  Status append(std::size_t index) {
    const Tree& tree = model_.trees[index];
    const std::size_t first = feature_.size();
    const auto width = static_cast<std::size_t>(model_.leaf_width);
    const std::size_t first_leaf = values_.size() / width;
    constexpr std::size_t kMost = std::numeric_limits<std::int32_t>::max();
    if (first + tree.nodes.size() > kMost) return inconsistent(cat("more than ", kMost, " nodes"));
    roots_.push_back(static_cast<std::int32_t>(first));
    target_.push_back(tree.group);
    const auto group = static_cast<std::size_t>(tree.group);
    for (const float leaf : tree.leaves) values_.push_back(static_cast<double>(weighted(leaf, index, group)));
    for (const TreeNode& node : tree.nodes) {
      if (node.left < 0) {
        add_leaf(static_cast<std::int32_t>(first_leaf) + node.right);
      } else {
        TRY(add_split(tree, node, static_cast<std::int32_t>(first)));
      }
    }
    return {};
  }

  Result<ValueId> finish(ProgramBuilder& builder, ValueId matrix) {
    program::TreeEnsemble op;
    op.input = program::TreeInput::kFloat32;
    op.sum = program::TreeSum::kFloat32;
    op.outputs = model_.outputs;
    op.roots = builder.weight("roots", vector(std::move(roots_)));
    op.target = builder.weight("target", vector(std::move(target_)));
    op.feature = builder.weight("feature", vector(std::move(feature_)));
    op.threshold = builder.weight("threshold", vector(std::move(threshold_)));
    op.left = builder.weight("left", vector(std::move(left_)));
    op.right = builder.weight("right", vector(std::move(right_)));
    op.default_left = builder.weight("default_left", vector(std::move(default_left_)));
    const auto leaves = static_cast<std::int64_t>(values_.size()) / model_.leaf_width;
    op.values = builder.weight("values", Tensor::of({leaves, model_.leaf_width}, std::move(values_)));
    op.base = builder.weight("base", vector(std::vector<double>(base_.begin(), base_.end())));
    if (sets_ > 0) {
      op.has_categories = true;
      op.category_rule = program::CategoryRule::kMembersRight;
      op.category = builder.weight("category", vector(std::move(category_)));
      op.cat_left = builder.weight("categories", Tensor::of({sets_, words_}, std::move(members_)));
    }
    return builder.add(op, {matrix});
  }

 private:
  // DART: the weight, rounded as PredictBatchImpl or, in place, as InplacePredict does, where each tree's
  // prediction has the base score in it, which is taken off again.
  float weighted(float leaf, std::size_t tree, std::size_t group) const {
    if (model_.weights.empty()) return leaf;
    if (!options_.in_place) return leaf * model_.weights[tree];
    const float with_base = base_[group] + leaf;
    return (with_base - base_[group]) * model_.weights[tree];
  }

  void add_leaf(std::int32_t row) {
    feature_.push_back(-1), threshold_.push_back(0);
    left_.push_back(row), right_.push_back(-1);
    default_left_.push_back(0), category_.push_back(-1);
  }

  // x < c goes left: x <= the float32 before c.
  Status add_split(const Tree& tree, const TreeNode& node, std::int32_t first) {
    feature_.push_back(node.feature);
    left_.push_back(first + node.left), right_.push_back(first + node.right);
    default_left_.push_back(node.default_left ? 1 : 0);
    category_.push_back(-1), threshold_.push_back(0);
    if (node.categories >= 0) {
      category_.back() = static_cast<std::int32_t>(sets_);
      return add_set(tree.categories[static_cast<std::size_t>(node.categories)], node.default_left);
    }
    if (node.condition == -kInfinity) {  // nothing is below: everything is at most +inf on the other side
      std::swap(left_.back(), right_.back());
      default_left_.back() ^= 1;
      threshold_.back() = static_cast<double>(kInfinity);
    } else {
      threshold_.back() = static_cast<double>(std::nextafter(node.condition, -kInfinity));
    }
    return {};
  }

  Status add_set(const std::vector<std::int32_t>& categories, bool default_left) {
    if (++sets_ > kMostWords / words_)
      return base::fail(base::Code::kLimit, "xgboost.limit",
                        cat("sets of categories of ", words_, " words each, and many of them"),
                        "number the categories from 0 without gaps, and train again");
    const auto begin = members_.size();
    members_.resize(begin + static_cast<std::size_t>(words_));
    std::int32_t largest = 0;
    for (const std::int32_t category : categories) {
      members_[begin + static_cast<std::size_t>(category / 32)] |= std::uint32_t{1} << (category % 32);
      largest = std::max(largest, category);
    }
    // Up to 1.6, past the words of a node's own set: the way of missing values.
    if (!model_.version.at_least(1, 7) && !default_left)
      std::fill(members_.begin() + static_cast<std::ptrdiff_t>(begin) + largest / 32 + 1, members_.end(),
                ~std::uint32_t{0});
    return {};
  }

  const Model& model_;
  const std::vector<float>& base_;
  const Options& options_;
  std::int64_t words_;
  std::int64_t sets_ = 0;
  std::vector<std::int32_t> roots_, target_, feature_, left_, right_, category_;
  std::vector<double> threshold_, values_;
  std::vector<std::uint8_t> default_left_;
  std::vector<std::uint32_t> members_;
};

}  // namespace

std::int64_t category_words(const Model& model) {
  std::int32_t largest = -1;
  for (const Tree& tree : model.trees)
    for (const auto& categories : tree.categories) largest = std::max(largest, std::ranges::max(categories));
  return (static_cast<std::int64_t>(largest) + 32) / 32;
}

std::vector<bool> category_features(const Model& model) {
  std::vector<bool> out(static_cast<std::size_t>(model.features));
  for (const Tree& tree : model.trees)
    for (const TreeNode& node : tree.nodes)
      if (node.left >= 0 && node.categories >= 0) out[static_cast<std::size_t>(node.feature)] = true;
  return out;
}

Result<ValueId> lower_trees(ProgramBuilder& builder, const Model& model, ValueId matrix,
                            const std::vector<float>& base, const Options& options) {
  TRY_ASSIGN(const std::size_t trees, trees_of_rounds(model, options));
  if (trees == 0) {
    const program::Constant constant{
        builder.weight("base", vector(std::vector<double>(base.begin(), base.end())))};
    return builder.add(constant, {matrix});
  }
  Arrays arrays(model, base, options);
  for (std::size_t i = 0; i < trees; ++i) TRY(arrays.append(i));
  return arrays.finish(builder, matrix);
}

}  // namespace wherry::xgboost
