#include "import/sklearn/registry.h"

#include <algorithm>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

#define LINEAR(file, old) "sklearn.linear_model." file " sklearn.linear_model." old
constexpr std::string_view kLinearBase = LINEAR("_base", "base");
constexpr std::string_view kRidge = LINEAR("_ridge", "ridge");
constexpr std::string_view kCoordinate = LINEAR("_coordinate_descent", "coordinate_descent");
constexpr std::string_view kLogistic = LINEAR("_logistic", "logistic");
constexpr std::string_view kStochastic = LINEAR("_stochastic_gradient", "stochastic_gradient");
#undef LINEAR
constexpr std::string_view kSvm = "sklearn.svm._classes sklearn.svm.classes";
constexpr std::string_view kTree = "sklearn.tree._classes sklearn.tree.tree";
constexpr std::string_view kForest = "sklearn.ensemble._forest sklearn.ensemble.forest";
constexpr std::string_view kBoosting = "sklearn.ensemble._gb sklearn.ensemble.gradient_boosting";
constexpr std::string_view kHist = "sklearn.ensemble._hist_gradient_boosting.gradient_boosting";
constexpr std::string_view kData = "sklearn.preprocessing._data sklearn.preprocessing.data";
constexpr std::string_view kSearch = "sklearn.model_selection._search";
constexpr std::string_view kHalving = "sklearn.model_selection._search_successive_halving";

constexpr EstimatorRow kRows[] = {
    {"LinearRegression", kLinearBase, "coef_", lower_linear_regressor},
    {"Ridge", kRidge, "coef_", lower_linear_regressor},
    {"RidgeCV", kRidge, "coef_", lower_linear_regressor},
    {"RidgeClassifier", kRidge, "coef_", lower_ridge_classifier},
    {"RidgeClassifierCV", kRidge, "coef_", lower_ridge_classifier},
    {"Lasso", kCoordinate, "coef_", lower_linear_regressor},
    {"LassoCV", kCoordinate, "coef_", lower_linear_regressor},
    {"ElasticNet", kCoordinate, "coef_", lower_linear_regressor},
    {"ElasticNetCV", kCoordinate, "coef_", lower_linear_regressor},
    {"MultiTaskLasso", kCoordinate, "coef_", lower_linear_regressor},
    {"MultiTaskLassoCV", kCoordinate, "coef_", lower_linear_regressor},
    {"MultiTaskElasticNet", kCoordinate, "coef_", lower_linear_regressor},
    {"MultiTaskElasticNetCV", kCoordinate, "coef_", lower_linear_regressor},
    {"LogisticRegression", kLogistic, "coef_", lower_logistic_regression},
    {"LogisticRegressionCV", kLogistic, "coef_", lower_logistic_regression},
    {"SGDClassifier", kStochastic, "coef_", lower_sgd_classifier},
    {"SGDRegressor", kStochastic, "coef_", lower_linear_regressor},
    {"LinearSVC", kSvm, "coef_", lower_linear_classifier},
    {"LinearSVR", kSvm, "coef_", lower_linear_regressor},
    {"DecisionTreeClassifier", kTree, "tree_", lower_decision_tree_classifier},
    {"DecisionTreeRegressor", kTree, "tree_", lower_decision_tree_regressor},
    {"ExtraTreeClassifier", kTree, "tree_", lower_decision_tree_classifier},
    {"ExtraTreeRegressor", kTree, "tree_", lower_decision_tree_regressor},
    {"RandomForestClassifier", kForest, "estimators_", lower_forest_classifier},
    {"RandomForestRegressor", kForest, "estimators_", lower_forest_regressor},
    {"ExtraTreesClassifier", kForest, "estimators_", lower_forest_classifier},
    {"ExtraTreesRegressor", kForest, "estimators_", lower_forest_regressor},
    {"GradientBoostingClassifier", kBoosting, "estimators_", lower_gradient_boosting_classifier, "init_"},
    {"GradientBoostingRegressor", kBoosting, "estimators_", lower_gradient_boosting_regressor, "init_"},
    {"HistGradientBoostingClassifier", kHist, "_predictors", lower_hist_classifier, "_preprocessor"},
    {"HistGradientBoostingRegressor", kHist, "_predictors", lower_hist_regressor, "_preprocessor"},
    {"DummyClassifier", "sklearn.dummy", "classes_", lower_dummy_classifier},
    {"DummyRegressor", "sklearn.dummy", "constant_", lower_dummy_regressor},
    {"StandardScaler", kData, "scale_", lower_standard_scaler},
    {"MinMaxScaler", kData, "scale_", lower_min_max_scaler},
    {"MaxAbsScaler", kData, "scale_", lower_max_abs_scaler},
    {"RobustScaler", kData, "", lower_robust_scaler},
    {"FunctionTransformer", "sklearn.preprocessing._function_transformer", "", lower_function_transformer},
    {"OneHotEncoder", "sklearn.preprocessing._encoders", "categories_", lower_one_hot_encoder},
    {"OrdinalEncoder", "sklearn.preprocessing._encoders", "categories_", lower_ordinal_encoder},
    {"SimpleImputer", "sklearn.impute._base", "statistics_", lower_simple_imputer},
    {"MissingIndicator", "sklearn.impute._base", "features_", lower_missing_indicator},
    {"Pipeline", "sklearn.pipeline", "", lower_pipeline, "steps"},
    {"FeatureUnion", "sklearn.pipeline", "", lower_feature_union, "transformer_list"},
    {"ColumnTransformer", "sklearn.compose._column_transformer", "transformers_", lower_column_transformer,
     "transformers_"},
    {"GridSearchCV", kSearch, "best_estimator_", lower_search, "best_estimator_"},
    {"RandomizedSearchCV", kSearch, "best_estimator_", lower_search, "best_estimator_"},
    {"HalvingGridSearchCV", kHalving, "best_estimator_", lower_search, "best_estimator_"},
    {"HalvingRandomSearchCV", kHalving, "best_estimator_", lower_search, "best_estimator_"},
};

struct Reason {
  std::string_view name;
  std::string_view reason;
};

constexpr std::string_view kClusters = "it labels the rows it was fitted on and has no predict for new ones";
constexpr std::string_view kEmbeds = "it places the rows it was fitted on and has no transform for new ones";

constexpr Reason kReasons[] = {
    {"DBSCAN", kClusters},
    {"OPTICS", kClusters},
    {"HDBSCAN", kClusters},
    {"SpectralClustering", kClusters},
    {"AgglomerativeClustering", kClusters},
    {"TSNE", kEmbeds},
    {"MDS", kEmbeds},
    {"SpectralEmbedding", kEmbeds},
    {"ClassicalMDS", kEmbeds},
};

std::string_view last_part(std::string_view qualified) {
  return qualified.substr(qualified.rfind('.') + 1);
}

std::unexpected<base::Error> unknown_class(const View& estimator, const std::string& name) {
  if (!name.starts_with("sklearn."))
    return base::fail(
        base::Code::kUnsupported, "sklearn.unknown_class",
        cat(estimator.where(), " is a ", name, ", which is not a class of scikit-learn"),
        "replace this step with scikit-learn's own estimators, or do its work before the request");
  if (const auto reason = reason_without_inference(name))
    return base::fail(base::Code::kUnsupported, "sklearn.no_inference",
                      cat(estimator.where(), " is a ", last_part(name), ": ", *reason),
                      "train a classifier or a nearest-neighbour model on its result, and serve that");
  return base::fail(base::Code::kUnsupported, "sklearn.unsupported_estimator",
                    cat(estimator.where(), " is a ", name, ", which wherry cannot predict with"),
                    "`wherry inspect` shows the steps; replace this one by a supported estimator");
}

Status check_width(const Context& context, const View& estimator, const Flow& input) {
  const auto view = estimator.find("n_features_in_");
  if (!view || view->is_none()) return {};
  TRY_ASSIGN(const std::int64_t fitted, view->as_int());
  if (fitted != context.width(input))
    return inconsistent(estimator, cat("fitted on ", fitted, " columns, but the step before it makes ",
                                       context.width(input)));
  return {};
}

}  // namespace

std::span<const EstimatorRow> estimator_rows() {
  return kRows;
}

const EstimatorRow* find_row(std::string_view class_name) {
  const auto dot = class_name.rfind('.');
  if (dot == std::string_view::npos) return nullptr;
  const std::string_view module = class_name.substr(0, dot);
  const std::string_view name = class_name.substr(dot + 1);
  for (const EstimatorRow& row : kRows) {
    if (row.name != name) continue;
    const auto modules = base::split(row.modules, ' ');
    if (std::ranges::find(modules, module) != modules.end()) return &row;
  }
  return nullptr;
}

std::optional<std::string_view> reason_without_inference(std::string_view class_name) {
  if (!class_name.starts_with("sklearn.")) return std::nullopt;
  for (const Reason& row : kReasons)
    if (row.name == last_part(class_name)) return row.reason;
  return std::nullopt;
}

Result<Fitted> lower_estimator(Context& context, const View& estimator, const Flow& input) {
  constexpr int kDeepest = 32;
  constexpr int kMostEstimators = 10'000;
  if (context.depth >= kDeepest || ++context.estimators > kMostEstimators)
    return base::fail(base::Code::kLimit, "sklearn.too_deep",
                      cat(estimator.where(), ": estimators within estimators, more than ", kDeepest,
                          " deep or ", kMostEstimators, " altogether"),
                      "save the innermost estimators as models of their own");
  const std::string name = estimator.class_name();
  if (name.empty()) return estimator.wrong("an estimator");
  const EstimatorRow* row = find_row(name);
  if (row == nullptr) return unknown_class(estimator, name);
  if (!row->fitted.empty() && !estimator.has(row->fitted))
    return base::fail(
        base::Code::kInvalidInput, "sklearn.unfitted",
        cat(estimator.where(), ": this ", row->name, " has no ", row->fitted, ", so it was not fitted"),
        row->lower == lower_search ? "search with refit=True, call fit() and save the result"
                                   : "call fit() before saving the model");
  TRY(check_width(context, estimator, input));
  TRY(context.charge(estimator, static_cast<std::uint64_t>(context.width(input))));
  ++context.depth;
  auto fitted = row->lower(context, estimator, input);
  --context.depth;
  return fitted;
}

Result<Flow> lower_transformer(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(Fitted fitted, lower_estimator(context, estimator, input));
  if (!fitted.transform)
    return inconsistent(estimator, cat("a ", short_class(estimator), " has no transform"));
  return *std::move(fitted.transform);
}

}  // namespace wherry::sklearn
