#include "import/sklearn/importances.h"

#include <algorithm>
#include <cmath>

#include "import/pickle/array.h"
#include "import/sklearn/matrices.h"
#include "import/sklearn/tree_data.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using Numbers = std::vector<double>;

// Tree.compute_feature_importances; empty for a tree of one node.
Result<Numbers> of_tree(Context& context, const View& estimator, std::size_t columns, bool normalize) {
  TRY_ASSIGN(const Tree tree, read_tree(context, estimator));
  if (tree.size() <= 1) return Numbers();
  TRY_ASSIGN(const View view, estimator.attr("tree_"));
  TRY_ASSIGN(const View nodes_view, view.attr("nodes"));
  TRY_ASSIGN(const pickle::NdArray nodes, nodes_view.array());
  const std::string where = nodes_view.where();
  TRY_ASSIGN(const pickle::NdArray impurity_field, pickle::field(nodes, "impurity", where));
  TRY_ASSIGN(const pickle::NdArray weight_field, pickle::field(nodes, "weighted_n_node_samples", where));
  TRY_ASSIGN(const Numbers impurity, pickle::to_doubles(impurity_field, where));
  TRY_ASSIGN(const Numbers weight, pickle::to_doubles(weight_field, where));
  if (impurity.size() != tree.size() || weight.size() != tree.size())
    return inconsistent(nodes_view, "node arrays of different lengths");
  Numbers out(columns);
  for (std::size_t i = 0; i < tree.size(); ++i) {
    if (tree.left[i] < 0) continue;
    const auto left = static_cast<std::size_t>(tree.left[i]);
    const auto right = static_cast<std::size_t>(tree.right[i]);
    const auto feature = static_cast<std::size_t>(tree.feature[i]);
    if (left >= tree.size() || right >= tree.size() || feature >= columns)
      return inconsistent(nodes_view, "a node out of range");
    out[feature] += weight[i] * impurity[i] - weight[left] * impurity[left] - weight[right] * impurity[right];
  }
  for (double& value : out) value /= weight[0];
  const double total = pairwise_sum(out);
  if (normalize && total > 0)
    for (double& value : out) value /= total;
  return out;
}

void collect_trees(const View& list, std::vector<View>& out) {
  if (const auto array = list.array(); array && array->shape.size() == 2) {
    for (const pickle::Object* element : array->elements) out.emplace_back(*element, list.path());
  } else if (const auto items = list.items()) {
    out.insert(out.end(), items->begin(), items->end());
  }
}

// The mean over trees of more than one node, which then sums to 1.
Result<Numbers> of_trees(Context& context, const View& list, std::size_t columns, bool normalize_each) {
  std::vector<View> trees;
  collect_trees(list, trees);
  Numbers out(columns);
  std::size_t count = 0;
  for (const View& tree : trees) {
    TRY_ASSIGN(const Numbers one, of_tree(context, tree, columns, normalize_each));
    if (one.empty()) continue;
    ++count;
    for (std::size_t j = 0; j < columns; ++j) out[j] += one[j];
  }
  if (count == 0) return out;
  for (double& value : out) value /= static_cast<double>(count);
  const double total = pairwise_sum(out);
  for (double& value : out) value /= total;
  return out;
}

Result<Numbers> of_property(Context& context, const View& estimator, std::size_t columns) {
  const std::string name = short_class(estimator);
  if (estimator.has("tree_")) {
    TRY_ASSIGN(Numbers out, of_tree(context, estimator, columns, true));
    out.resize(columns);
    return out;
  }
  const auto list = estimator.find("estimators_");
  if (list && (name.starts_with("RandomForest") || name.starts_with("ExtraTrees")))
    return of_trees(context, *list, columns, true);
  if (list && name.starts_with("GradientBoosting")) return of_trees(context, *list, columns, false);
  if (list && name.starts_with("AdaBoost")) {
    TRY_ASSIGN(const std::vector<View> members, list->items());
    TRY_ASSIGN(const View view, estimator.attr("estimator_weights_"));
    TRY_ASSIGN(const Numbers weights, view.doubles());
    if (weights.size() < members.size()) return inconsistent(view, "not one weight per estimator");
    Numbers out(columns);
    double total = 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
      TRY_ASSIGN(const Numbers one, of_property(context, members[i], columns));
      for (std::size_t j = 0; j < columns; ++j) out[j] += weights[i] * one[j];
      total += weights[i];
    }
    for (double& value : out) value /= total;
    return out;
  }
  return unsupported_parameter(estimator, cat("importances of a ", name, ", which are not in the file"));
}

double norm_of(std::span<const double> values, double order) {
  double out = 0;
  if (order == 1) {
    for (const double value : values) out += std::abs(value);
    return out;
  }
  if (std::isinf(order)) {
    out = order > 0 ? 0 : INFINITY;
    for (const double value : values)
      out = order > 0 ? std::max(out, std::abs(value)) : std::min(out, std::abs(value));
    return out;
  }
  if (order == 2) {
    for (const double value : values) out += value * value;
    return std::sqrt(out);
  }
  for (const double value : values) out += std::pow(std::abs(value), order);
  return std::pow(out, 1 / order);
}

Result<Numbers> of_coefficients(Context& context, const View& coef, double order, std::int64_t columns) {
  const auto width = static_cast<std::size_t>(columns);
  Numbers values;
  if (coef.is_sparse()) {
    TRY_ASSIGN(const pickle::Csr sparse, coef.sparse());
    if (sparse.columns != columns) return inconsistent(coef, "its size does not match the number of columns");
    TRY(context.charge(coef, static_cast<std::uint64_t>(sparse.rows) * width));
    values = dense_values(sparse);
  } else {
    TRY_ASSIGN(const pickle::NdArray array, coef.array());
    if (array.shape.empty() || array.shape.size() > 2 || array.shape.back() != columns)
      return inconsistent(coef, cat(array.describe(), " for ", columns, " columns"));
    TRY(context.charge(coef, array.count));
    TRY_ASSIGN(values, coef.doubles());
    if (array.shape.size() == 1) {
      for (double& value : values) value = std::abs(value);
      return values;
    }
  }
  Numbers out;
  Numbers column(width == 0 ? 0 : values.size() / width);
  for (std::size_t j = 0; j < width; ++j) {
    for (std::size_t i = 0; i < column.size(); ++i) column[i] = values[i * width + j];
    out.push_back(norm_of(column, order));
  }
  return out;
}

// A step of a dotted path: an attribute, a key, or a name among the steps of a Pipeline.
Result<View> follow(const View& from, std::string_view name) {
  if (name == "named_steps") return from;
  if (const auto found = from.find(name)) return *found;
  if (const auto found = from.find_key(name)) return *found;
  if (const auto steps = from.find("steps")) {
    TRY_ASSIGN(const std::vector<View> items, steps->items());
    for (const View& item : items) {
      TRY_ASSIGN(const View key, item.item(0));
      if (key.is(pickle::Kind::kStr) && key->text() == name) return item.item(1);
    }
  }
  return from.attr(name);
}

}  // namespace

Result<std::vector<double>> feature_importances(Context& context, const View& estimator,
                                                std::string_view getter, double norm_order,
                                                std::int64_t columns) {
  View holder = estimator;
  std::string last(getter);
  if (getter == "auto") {
    last = estimator.has("coef_") ? "coef_" : "feature_importances_";
  } else {
    const auto parts = base::split(getter, '.');
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      TRY_ASSIGN(holder, follow(holder, parts[i]));
    }
    last = parts.back();
  }
  if (const auto stored = holder.find(last)) return of_coefficients(context, *stored, norm_order, columns);
  if (last == "feature_importances_") return of_property(context, holder, static_cast<std::size_t>(columns));
  return unsupported_parameter(holder, cat(last, ", which is not in the file"));
}

bool allows_nan(const Context& context, const View& estimator, int depth) {
  if (depth > 8) return false;
  const std::string name = short_class(estimator);
  const Version version = context.version();
  const std::string qualified = estimator.class_name();
  if (!qualified.starts_with("sklearn.")) return true;  // boosting libraries
  if (name.starts_with("HistGradientBoosting")) return true;
  if (name.starts_with("DecisionTree")) return version.at_least(1, 3);
  if (name.starts_with("RandomForest")) return version.at_least(1, 4);
  if (name.starts_with("ExtraTree")) return version.at_least(1, 6);
  constexpr std::string_view kAllowing[] = {"SimpleImputer",    "KNNImputer",         "IterativeImputer",
                                            "StandardScaler",   "MinMaxScaler",       "MaxAbsScaler",
                                            "RobustScaler",     "OneHotEncoder",      "OrdinalEncoder",
                                            "PowerTransformer", "QuantileTransformer"};
  return std::ranges::find(kAllowing, name) != std::end(kAllowing);
}

}  // namespace wherry::sklearn
