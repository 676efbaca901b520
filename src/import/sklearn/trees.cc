// Trees and forests: sklearn/tree/_classes.py, _tree.pyx and sklearn/ensemble/_forest.py.
#include <algorithm>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/predictions.h"
#include "import/sklearn/tree_data.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

// BaseDecisionTree._support_missing_values of a dense X, as the tags of the tree's class are in each version.
Result<bool> tree_takes_nan(const Context& context, const View& tree) {
  const Version version = context.version();
  if (!version.at_least(1, 3)) return false;
  const std::string name = short_class(tree);
  const bool extra = name.starts_with("ExtraTree");
  TRY_ASSIGN(const std::string splitter, word(tree, "splitter", extra ? "random" : "best"));
  if (version.at_least(1, 9)) return extra ? splitter == "random" : true;
  if (version.at_least(1, 4) && !is_none_or_absent(tree, "monotonic_cst")) return false;
  TRY_ASSIGN(const std::string criterion, word(tree, "criterion", ""));
  const bool known = name.ends_with("Classifier")
                         ? is_one_of(criterion, {"gini", "log_loss", "entropy"})
                         : is_one_of(criterion, {"squared_error", "friedman_mse", "poisson"});
  if (!version.at_least(1, 6)) return known && splitter == "best";
  // 1.6 to 1.8: a misprint leaves ExtraTreeRegressor with the rule of DecisionTreeRegressor up to 1.7.
  if (name == "ExtraTreeClassifier" || (extra && version.at_least(1, 8)))
    return known && splitter == "random";
  return known && (splitter == "best" || splitter == "random");
}

Result<std::size_t> output_count(const View& estimator) {
  const auto view = estimator.find("n_outputs_");
  if (!view) return 1;
  TRY_ASSIGN(const std::int64_t count, view->as_int());
  if (count < 1 || count > 1'000'000) return inconsistent(*view, cat(count, " outputs"));
  return static_cast<std::size_t>(count);
}

// A classifier's trees as one ensemble whose leaves hold the probabilities of every class of every output.
class ClassifierTrees {
 public:
  ClassifierTrees(Context& context, std::span<const Labels> labels)
      : context_(context), labels_(labels), forest_(0) {
    for (const Labels& output : labels) total_ += static_cast<std::int64_t>(output.size());
    forest_ = Forest(total_);
    raw_ = Forest(total_);
    // Up to 1.3 the leaves hold weighted counts, which predict_proba divides by their sum.
    counts_ = !context.version().at_least(1, 4);
  }

  std::int64_t total() const { return total_; }

  Status append(const View& estimator, bool keep_raw) {
    TRY_ASSIGN(const Tree tree, read_tree(context_, estimator));
    std::size_t widest = 0;
    for (const Labels& output : labels_) widest = std::max(widest, output.size());
    if (tree.outputs != static_cast<std::int64_t>(labels_.size()) ||
        tree.width != static_cast<std::int64_t>(widest))
      return inconsistent(estimator, cat("leaves of ", tree.outputs, " × ", tree.width, " values for ",
                                         labels_.size(), " outputs with up to ", widest, " classes"));
    TRY(forest_.append(tree, 0, estimator,
                       [&](std::size_t node, std::vector<double>& out) { fill(tree, node, true, out); }));
    if (counts_ && keep_raw)
      TRY(raw_.append(tree, 0, estimator,
                      [&](std::size_t node, std::vector<double>& out) { fill(tree, node, false, out); }));
    return {};
  }

  Result<ValueId> finish(Context& context, ValueId x, double divisor) {
    return forest_.finish(context, x, program::TreeInput::kFloat32, total_, divisor, zeros());
  }
  // What DecisionTreeClassifier.predict compares: the counts themselves. They order as the probabilities do
  // except where division makes two of them equal.
  bool argmax_differs() const { return argmax_differs_; }
  Result<ValueId> finish_raw(Context& context, ValueId x) {
    return raw_.finish(context, x, program::TreeInput::kFloat32, total_, 1, zeros());
  }

 private:
  std::vector<double> zeros() const { return std::vector<double>(static_cast<std::size_t>(total_)); }

  void fill(const Tree& tree, std::size_t node, bool normalise, std::vector<double>& out) {
    const auto leaf = tree.value(node);
    std::size_t next = 0;
    for (std::size_t k = 0; k < labels_.size(); ++k) {
      const auto row = leaf.subspan(k * static_cast<std::size_t>(tree.width), labels_[k].size());
      const std::span part = std::span(out).subspan(next, row.size());
      next += row.size();
      if (!normalise) {
        std::ranges::copy(row, part.begin());
        continue;
      }
      leaf_probabilities(context_.version(), row, part);
      if (std::ranges::max_element(part) - part.begin() != std::ranges::max_element(row) - row.begin())
        argmax_differs_ = true;
    }
  }

  Context& context_;
  std::span<const Labels> labels_;
  std::int64_t total_ = 0;
  Forest forest_, raw_{0};
  bool counts_ = false;
  bool argmax_differs_ = false;
};

Status append_regressor(Context& context, Forest& forest, const View& estimator, std::int64_t outputs) {
  TRY_ASSIGN(const Tree tree, read_tree(context, estimator));
  if (tree.outputs != outputs || tree.width < 1)
    return inconsistent(estimator, cat("leaves of ", tree.outputs, " values for ", outputs, " outputs"));
  return forest.append(tree, 0, estimator, [&](std::size_t node, std::vector<double>& out) {
    for (std::size_t k = 0; k < out.size(); ++k)
      out[k] = tree.value(node)[k * static_cast<std::size_t>(tree.width)];
  });
}

Result<std::vector<View>> trees_of(const View& estimator) {
  TRY_ASSIGN(const View list, estimator.attr("estimators_"));
  TRY_ASSIGN(std::vector<View> trees, list.items());
  if (trees.empty()) return inconsistent(list, "a forest without trees");
  return trees;
}

Result<Fitted> lower_decision_tree_classifier(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const std::size_t outputs, output_count(estimator));
  TRY_ASSIGN(const View classes, estimator.attr("classes_"));
  TRY_ASSIGN(const std::vector<Labels> labels, labels_per_output(classes, outputs));
  TRY_ASSIGN(const ValueId x, tree_input(context, estimator, estimator, input, 3));
  ClassifierTrees trees(context, labels);
  TRY(trees.append(estimator, true));
  const bool raw = trees.argmax_differs();
  TRY_ASSIGN(const ValueId proba, trees.finish(context, x, 1));
  TRY_ASSIGN(const ValueId scores, raw ? trees.finish_raw(context, x) : Result<ValueId>(proba));
  return classification(context, proba, scores, labels, estimator);
}

Result<Fitted> lower_decision_tree_regressor(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const std::size_t outputs, output_count(estimator));
  TRY_ASSIGN(const ValueId x, tree_input(context, estimator, estimator, input, 3));
  const auto width = static_cast<std::int64_t>(outputs);
  Forest forest(width);
  TRY(append_regressor(context, forest, estimator, width));
  TRY_ASSIGN(const ValueId value,
             forest.finish(context, x, program::TreeInput::kFloat32, width, 1, std::vector<double>(outputs)));
  return regression(context, value, outputs == 1);
}

// ForestClassifier.predict_proba: zeros, plus each tree's probabilities in their order, divided by their
// number.
Result<Fitted> lower_forest_classifier(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const std::size_t outputs, output_count(estimator));
  TRY_ASSIGN(const View classes, estimator.attr("classes_"));
  TRY_ASSIGN(const std::vector<Labels> labels, labels_per_output(classes, outputs));
  TRY_ASSIGN(const std::vector<View> members, trees_of(estimator));
  TRY_ASSIGN(const ValueId x, tree_input(context, estimator, members[0], input, 4));
  ClassifierTrees trees(context, labels);
  for (const View& member : members) TRY(trees.append(member, false));
  TRY_ASSIGN(const ValueId proba, trees.finish(context, x, static_cast<double>(members.size())));
  return classification(context, proba, proba, labels, estimator);
}

Result<Fitted> lower_forest_regressor(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const std::size_t outputs, output_count(estimator));
  TRY_ASSIGN(const std::vector<View> members, trees_of(estimator));
  TRY_ASSIGN(const ValueId x, tree_input(context, estimator, members[0], input, 4));
  const auto width = static_cast<std::int64_t>(outputs);
  Forest forest(width);
  for (const View& member : members) TRY(append_regressor(context, forest, member, width));
  TRY_ASSIGN(const ValueId value,
             forest.finish(context, x, program::TreeInput::kFloat32, width,
                           static_cast<double>(members.size()), std::vector<double>(outputs)));
  return regression(context, value, outputs == 1);
}

constexpr std::string_view kTree = "sklearn.tree._classes sklearn.tree.tree";
constexpr std::string_view kForest = "sklearn.ensemble._forest sklearn.ensemble.forest";

constexpr EstimatorRow kTreesRows[] = {
    {"DecisionTreeClassifier", kTree, "tree_", lower_decision_tree_classifier},
    {"DecisionTreeRegressor", kTree, "tree_", lower_decision_tree_regressor},
    {"ExtraTreeClassifier", kTree, "tree_", lower_decision_tree_classifier},
    {"ExtraTreeRegressor", kTree, "tree_", lower_decision_tree_regressor},
    {"RandomForestClassifier", kForest, "estimators_", lower_forest_classifier},
    {"RandomForestRegressor", kForest, "estimators_", lower_forest_regressor},
    {"ExtraTreesClassifier", kForest, "estimators_", lower_forest_classifier},
    {"ExtraTreesRegressor", kForest, "estimators_", lower_forest_regressor},
};

}  // namespace

Result<ValueId> tree_input(Context& context, const View& estimator, const View& first_tree, const Flow& input,
                           int nan_since_minor) {
  bool allow_nan = false;
  if (!input.sparse && context.version().at_least(1, nan_since_minor)) {
    TRY_ASSIGN(allow_nan, tree_takes_nan(context, first_tree));
  }
  return context.checked(input, short_class(estimator), allow_nan, true);
}

bool are_trees(std::span<const View> estimators, std::string_view kind) {
  return std::ranges::all_of(estimators, [&](const View& estimator) {
    const EstimatorRow* row = find_row(estimator.class_name());
    return row != nullptr && row->modules == kTree && row->name.ends_with(kind);
  });
}

void leaf_probabilities(Version version, std::span<const double> leaf, std::span<double> out) {
  std::ranges::copy(leaf, out.begin());
  if (version.at_least(1, 4)) return;
  double sum = pairwise_sum(leaf);
  if (sum == 0) sum = 1;
  for (double& value : out) value /= sum;
}

std::span<const EstimatorRow> trees_rows() {
  return kTreesRows;
}

}  // namespace wherry::sklearn
