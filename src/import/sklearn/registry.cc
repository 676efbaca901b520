#include "import/sklearn/registry.h"

#include <algorithm>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

constexpr std::span<const EstimatorRow> (*kFamilies[])() = {
    calibration_rows,
    catboost_rows,
    cluster_rows,
    compose_rows,
    cross_decomposition_rows,
    decomposition_rows,
    dict_features_rows,
    dictionary_rows,
    discriminant_rows,
    dummy_rows,
    encoders_rows,
    ensemble_rows,
    feature_selection_rows,
    functions_rows,
    gaussian_process_rows,
    gradient_boosting_rows,
    hist_gradient_boosting_rows,
    impute_more_rows,
    impute_rows,
    isotonic_rows,
    kernel_methods_rows,
    label_propagation_rows,
    lightgbm_rows,
    linear_more_rows,
    linear_rows,
    manifold_rows,
    mixture_rows,
    multiclass_rows,
    multioutput_rows,
    naive_bayes_rows,
    neighbors_rows,
    neural_network_rows,
    outliers_rows,
    preprocessing_more_rows,
    preprocessing_rows,
    search_rows,
    stacking_rows,
    svm_rows,
    target_rows,
    text_rows,
    thresholds_rows,
    trees_embedding_rows,
    trees_rows,
    voting_rows,
    xgboost_rows,
};

struct Reason {
  std::string_view name;
  std::string_view reason;
};

constexpr std::string_view kClusters = "it labels the rows it was fitted on and has no predict for new ones";
constexpr std::string_view kBiclusters =
    "it groups the rows and columns of the matrix it was fitted on and has no predict for new ones";
constexpr std::string_view kCovariance =
    "it estimates a covariance and has neither predict nor transform; EllipticEnvelope tells outliers by one";
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
    {"SpectralBiclustering", kBiclusters},
    {"SpectralCoclustering", kBiclusters},
    {"NearestNeighbors", "it finds neighbours and has no predict or transform of its own"},
    {"EmpiricalCovariance", kCovariance},
    {"MinCovDet", kCovariance},
    {"LedoitWolf", kCovariance},
    {"OAS", kCovariance},
    {"ShrunkCovariance", kCovariance},
    {"GraphicalLasso", kCovariance},
    {"GraphicalLassoCV", kCovariance},
    {"MultiLabelBinarizer",
     "it takes a list of labels for each row, and a row of a table holds single values"},
    {"PatchExtractor",
     "it cuts each image into several patches, so that the rows of its answer are not those asked"},
};

std::string_view last_part(std::string_view qualified) {
  return qualified.substr(qualified.rfind('.') + 1);
}

std::unexpected<base::Error> unknown_class(const View& estimator, const std::string& name) {
  if (name.starts_with("__main__."))
    return base::fail(
        base::Code::kUnsupported, "sklearn.unknown_class",
        cat(estimator.where(), " is of class ", name,
            ", which the program that trained the model defined itself: its code is not in the file"),
        "do this step's work before the request, or let scikit-learn's own transformers do it "
        "(FunctionTransformer with a function of numpy, ColumnTransformer, …) and fit the model again");
  if (!name.starts_with("sklearn."))
    return base::fail(
        base::Code::kUnsupported, "sklearn.unknown_class",
        cat(estimator.where(), " is of class ", name, ", of a package whose estimators wherry does not know"),
        "replace this step with one of scikit-learn's own estimators, or do its work before the request");
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

std::vector<const EstimatorRow*> estimator_rows() {
  std::vector<const EstimatorRow*> out;
  for (const auto family : kFamilies)
    for (const EstimatorRow& row : family()) out.push_back(&row);
  return out;
}

const EstimatorRow* find_row(std::string_view class_name) {
  const auto dot = class_name.rfind('.');
  if (dot == std::string_view::npos) return nullptr;
  const std::string_view module = class_name.substr(0, dot);
  const std::string_view name = class_name.substr(dot + 1);
  for (const auto family : kFamilies) {
    for (const EstimatorRow& row : family()) {
      if (row.name != name) continue;
      const auto modules = base::split(row.modules, ' ');
      if (std::ranges::find(modules, module) != modules.end()) return &row;
    }
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
        row->fitted == "best_estimator_" ? "search with refit=True, call fit() and save the result"
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
