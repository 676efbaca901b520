// Decision trees from scikit-learn's two node tables into the arrays of program::TreeEnsemble. Private to
// module sklearn.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "import/sklearn/context.h"

namespace wherry::sklearn {

// One sklearn.tree._tree.Tree. Leaves have left < 0.
struct Tree {
  std::vector<std::int64_t> left, right, feature;
  std::vector<double> threshold;
  std::vector<std::int64_t> missing_left;  // empty before 1.3
  std::vector<double> values;              // [nodes, outputs, width]
  std::int64_t outputs = 0;
  std::int64_t width = 0;  // classes of the output with most of them; 1 for regressors

  std::size_t size() const { return left.size(); }
  std::span<const double> value(std::size_t node) const {
    const auto each = static_cast<std::size_t>(outputs * width);
    return std::span(values).subspan(node * each, each);
  }
};

// The tree_ of `estimator` (a DecisionTree* or ExtraTree*).
Result<Tree> read_tree(Context& context, const View& estimator);

// Whether all of them are of the classes of sklearn.tree, classifiers or regressors.
bool are_trees(std::span<const View> estimators, std::string_view kind);  // kind: "Classifier", "Regressor"

// X as float32, after check_array with the rules on NaN of `estimator`, whose first tree is `first_tree` and
// which takes NaN, if at all, since scikit-learn 1.`nan_since_minor`.
Result<ValueId> tree_input(Context& context, const View& estimator, const View& first_tree, const Flow& input,
                           int nan_since_minor);

// DecisionTreeClassifier.predict_proba of a leaf with these values: up to 1.3 they are weighted counts, which
// are divided by their sum.
void leaf_probabilities(Version version, std::span<const double> leaf, std::span<double> out);

// Nodes of many trees, appended one tree after the other.
class Forest {
 public:
  explicit Forest(std::int64_t leaf_width) : leaf_width_(leaf_width) {}

  // `leaf` gives the leaf_width values of a leaf. The results go to outputs target, target + 1, ….
  Status append(const Tree& tree, std::int32_t target, const View& where,
                const std::function<void(std::size_t node, std::vector<double>& out)>& leaf);

  // For node tables of other kinds: start a tree, then add its nodes in their order. Children are indices
  // within the tree.
  Status start_tree(std::size_t nodes, std::int32_t target, const View& where);
  void add_leaf(std::span<const double> values);
  // `categories`: row made by add_categories, or -1.
  void add_split(std::int64_t feature, double threshold, std::int64_t left, std::int64_t right,
                 bool default_left, std::int32_t categories);
  std::int32_t add_categories(std::span<const std::uint32_t> left, std::span<const std::uint32_t> known);

  std::size_t nodes() const { return feature_.size(); }
  std::size_t trees() const { return roots_.size(); }

  // Moves the arrays into weights. `start`: see TreeEnsemble's second input; else `base` [outputs].
  Result<ValueId> finish(Context& context, ValueId x, program::TreeInput input, std::int64_t outputs,
                         double divisor, std::vector<double> base, std::optional<ValueId> start = {});

 private:
  static constexpr std::size_t kCategoryWords = 8;

  std::int64_t leaf_width_;
  std::vector<std::int32_t> roots_, target_, feature_, left_, right_, category_;
  std::vector<double> threshold_, values_;
  std::vector<std::uint8_t> default_left_;
  std::vector<std::uint32_t> cat_left_, cat_known_;
};

// Sum of a row in numpy's order (program::RowSum::kPairwise).
double pairwise_sum(std::span<const double> row);

}  // namespace wherry::sklearn
