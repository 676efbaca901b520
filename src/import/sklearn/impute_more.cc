// KNNImputer and IterativeImputer: sklearn/impute/_knn.py, _iterative.py.
#include <algorithm>
#include <cmath>

#include "import/sklearn/impute_parts.h"
#include "import/sklearn/lowerings.h"
#include "import/sklearn/neighbor_data.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using tensor::CellValue;
using tensor::Tensor;

// missing_values, which must be a number here.
Result<double> missing_number(const View& estimator) {
  TRY_ASSIGN(const CellValue missing, missing_marker(estimator));
  const double* number = std::get_if<double>(&missing);
  if (number == nullptr) return unsupported_parameter(estimator, "missing_values which is no number");
  return *number;
}

// The columns which have a value in some row of the fit.
std::vector<std::int64_t> columns_with_values(const std::vector<std::uint8_t>& absent, std::int64_t columns) {
  std::vector<std::int64_t> out;
  const auto width = static_cast<std::size_t>(columns);
  for (std::size_t j = 0; j < width; ++j)
    for (std::size_t i = j; i < absent.size(); i += width) {
      if (absent[i] != 0) continue;
      out.push_back(static_cast<std::int64_t>(j));
      break;
    }
  return out;
}

// Columns no row of the fit has: left out, or with keep_empty_features 0.
Result<Flow> without_empty(Context& context, const View& estimator, const std::vector<std::int64_t>& kept,
                           const Flow& input, ValueId value) {
  const std::int64_t width = context.width(input);
  TRY_ASSIGN(const bool keep_empty, flag(estimator, "keep_empty_features", false));
  if (std::ssize(kept) == width) return kept_columns(input, value, kept);
  if (!keep_empty) {
    TRY_ASSIGN(value, context.select(value, kept));
    return kept_columns(input, value, kept);
  }
  TRY_ASSIGN(const ValueId zero, context.add(program::Constant{context.vector("empty", {0})}, {value}));
  TRY_ASSIGN(const ValueId both, context.add(program::Concat{}, {value, zero}));
  std::vector<std::int64_t> places(static_cast<std::size_t>(width), width);
  std::vector<std::int64_t> all;
  for (const std::int64_t column : kept) places[static_cast<std::size_t>(column)] = column;
  for (std::int64_t column = 0; column < width; ++column) all.push_back(column);
  TRY_ASSIGN(value, context.select(both, places));
  Flow out = kept_columns(input, value, all);
  out.names.clear();  // scikit-learn names only the columns it would keep otherwise
  return out;
}

Result<Fitted> lower_knn_imputer(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_float32(estimator, input));
  if (input.sparse) return inconsistent(estimator, "a sparse matrix, which it does not take");
  const std::int64_t columns = context.width(input);
  TRY_ASSIGN(const double missing, missing_number(estimator));
  TRY_ASSIGN(const View rows_view, estimator.attr("_fit_X"));
  TRY_ASSIGN(StoredMatrix rows, read_matrix(context, rows_view));
  TRY_ASSIGN(const View absent_view, estimator.attr("_mask_fit_X"));
  TRY_ASSIGN(const std::vector<bool> absent_flags, absent_view.bools());
  if (rows.columns != columns || absent_flags.size() != rows.values.size())
    return inconsistent(rows_view, cat("not rows of ", columns, " columns and a mask of them"));
  if (rows.float32) return unsupported_parameter(rows_view, "rows of float32");
  std::vector<std::uint8_t> absent(absent_flags.begin(), absent_flags.end());
  const std::vector<std::int64_t> kept = columns_with_values(absent, columns);
  TRY_ASSIGN(const std::string metric, word(estimator, "metric", "nan_euclidean"));
  if (metric != "nan_euclidean")
    return unsupported_parameter(estimator, cat("metric=", base::quoted(metric)));
  program::NeighborImpute op{.missing = missing};
  TRY_ASSIGN(op.count, count_of(estimator, "n_neighbors"));
  const auto weights = estimator.find("weights");
  if (weights && !weights->is(pickle::Kind::kStr))
    return unsupported_parameter(*weights, "a function of one's own as weights");
  TRY_ASSIGN(const std::string weighting, word(estimator, "weights", "uniform"));
  if (weighting == "distance")
    op.weights = program::NeighborWeights::kDistance;
  else if (weighting != "uniform")
    return unsupported_parameter(estimator, cat("weights=", base::quoted(weighting)));
  op.unreachable_count = !context.version().at_least(1, 6);
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), std::isnan(missing)));
  op.rows = context.matrix("rows", rows.rows, columns, std::move(rows.values));
  op.absent = context.weight("absent", Tensor::of({rows.rows, columns}, std::move(absent)));
  TRY_ASSIGN(const ValueId value, context.add(op, {x}));
  context.note(
      "among equally near rows KNNImputer takes those numpy's argpartition leaves in front; numpy 2 chooses "
      "others where the machine has AVX2 or AVX-512");
  TRY_ASSIGN(Flow imputed, without_empty(context, estimator, kept, input, value));
  Fitted fitted;
  TRY_ASSIGN(fitted.transform,
             with_indicator(context, estimator, CellValue{missing}, x, input, std::move(imputed)));
  return fitted;
}

// What IterativeImputer keeps of its columns, and their lowest and highest values.
struct Iterations {
  std::vector<std::int64_t> kept;
  std::vector<double> low, high;
};

Result<std::vector<double>> limits(const View& estimator, std::string_view attribute, std::size_t columns) {
  return doubles_of(estimator, attribute, columns);
}

// The columns that had a value when fitted: those the initial imputer has a statistic of.
Result<std::vector<std::int64_t>> filled_columns(const View& estimator, const View& initial,
                                                 std::int64_t width) {
  std::vector<std::int64_t> out;
  if (const auto empty_view = estimator.find("_is_empty_feature")) {
    TRY_ASSIGN(const std::vector<bool> empty, empty_view->bools());
    if (std::ssize(empty) != width) return inconsistent(*empty_view, cat("not ", width, " columns"));
    for (std::int64_t j = 0; j < width; ++j)
      if (!empty[static_cast<std::size_t>(j)]) out.push_back(j);
    return out;
  }
  TRY_ASSIGN(const std::vector<double> statistics,
             doubles_of(initial, "statistics_", static_cast<std::size_t>(width)));
  for (std::int64_t j = 0; j < width; ++j)
    if (!std::isnan(statistics[static_cast<std::size_t>(j)])) out.push_back(j);
  return out;
}

// One step of imputation_sequence_: feature feat_idx is predicted from the features neighbor_feat_idx.
Result<ValueId> impute_feature(Context& context, const View& step, ValueId x, ValueId mask,
                               const Iterations& iterations) {
  const auto width = static_cast<std::int64_t>(iterations.kept.size());
  TRY_ASSIGN(const View feature_view, step.argument(0));
  TRY_ASSIGN(const std::int64_t feature, feature_view.as_int());
  TRY_ASSIGN(const View neighbors_view, step.argument(1));
  TRY_ASSIGN(const std::vector<std::int64_t> neighbors, neighbors_view.int64s());
  TRY_ASSIGN(const View model, step.argument(2));
  if (feature < 0 || feature >= width || neighbors.empty())
    return inconsistent(step, cat("feature ", feature, " of ", width));
  for (const std::int64_t column : neighbors)
    if (column < 0 || column >= width)
      return inconsistent(neighbors_view, cat("feature ", column, " of ", width));
  TRY(context.charge(step, static_cast<std::uint64_t>(width)));
  TRY_ASSIGN(const ValueId selected, context.select(x, neighbors));
  TRY_ASSIGN(const Fitted fitted,
             lower_estimator(context, model, made(selected, neighbors.size(), {}, false)));
  if (!fitted.numbers || context.width(Flow{.value = *fitted.numbers}) != 1)
    return unsupported_parameter(model, "an estimator which does not predict one number");
  const auto at = static_cast<std::size_t>(feature);
  return context.add(
      program::ReplaceMasked{.column = feature, .low = iterations.low[at], .high = iterations.high[at]},
      {x, mask, *fitted.numbers});
}

Result<Fitted> lower_iterative_imputer(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_float32(estimator, input));
  TRY_ASSIGN(const bool posterior, flag(estimator, "sample_posterior", false));
  if (posterior)
    return unsupported_parameter(estimator, "sample_posterior=True, which draws random values at prediction");
  TRY_ASSIGN(const double missing, missing_number(estimator));
  const std::int64_t width = context.width(input);
  TRY_ASSIGN(const ValueId source, context.checked(input, short_class(estimator), std::isnan(missing)));
  TRY_ASSIGN(const View initial, estimator.attr("initial_imputer_"));
  TRY_ASSIGN(const Flow filled, lower_transformer(context, initial, input));
  Iterations iterations;
  TRY_ASSIGN(iterations.kept, filled_columns(estimator, initial, width));
  TRY_ASSIGN(const bool keep_empty, flag(estimator, "keep_empty_features", false));
  TRY_ASSIGN(const View rounds_view, estimator.attr("n_iter_"));
  TRY_ASSIGN(const std::int64_t rounds, rounds_view.as_int());
  std::vector<std::int64_t> masked = iterations.kept;
  bool iterate = rounds > 0;
  if (keep_empty && !context.version().at_least(1, 6)) {
    // These versions take every value for missing, then notice that nothing is known.
    if (std::ssize(masked) != width)
      return unsupported_parameter(estimator,
                                   "keep_empty_features=True before scikit-learn 1.6, which replaces "
                                   "values that are there");
    iterate = false;
  }
  if (keep_empty) {
    iterations.kept.clear();
    for (std::int64_t j = 0; j < width; ++j) iterations.kept.push_back(j);
  }
  const std::size_t kept = iterations.kept.size();
  if (context.width(filled) != static_cast<std::int64_t>(kept))
    return inconsistent(initial, cat(context.width(filled), " columns filled of ", kept));
  ValueId x = filled.value;
  if (iterate) {
    TRY_ASSIGN(iterations.low, limits(estimator, "_min_value", kept));
    TRY_ASSIGN(iterations.high, limits(estimator, "_max_value", kept));
    TRY_ASSIGN(const ValueId mask,
               context.add(program::MissingMask{CellValue{missing}, iterations.kept, false}, {source}));
    TRY_ASSIGN(const View sequence, estimator.attr("imputation_sequence_"));
    TRY_ASSIGN(const std::vector<View> steps, sequence.items());
    for (const View& step : steps) {
      TRY_ASSIGN(x, impute_feature(context, step, x, mask, iterations));
    }
    context.note(
        "IterativeImputer fills a row in which nothing is known as any other; scikit-learn leaves the "
        "initial values when this is so in every row it is asked with");
  }
  Flow imputed = kept_columns(input, x, iterations.kept);
  Fitted fitted;
  TRY_ASSIGN(fitted.transform,
             with_indicator(context, estimator, CellValue{missing}, source, input, std::move(imputed)));
  return fitted;
}

constexpr EstimatorRow kImputeMoreRows[] = {
    {"KNNImputer", "sklearn.impute._knn", "_fit_X", lower_knn_imputer},
    {"IterativeImputer", "sklearn.impute._iterative", "imputation_sequence_", lower_iterative_imputer,
     "estimator"},
};

}  // namespace

std::span<const EstimatorRow> impute_more_rows() {
  return kImputeMoreRows;
}

}  // namespace wherry::sklearn
