// SimpleImputer and MissingIndicator: sklearn/impute/_base.py.
#include <algorithm>
#include <cmath>

#include "import/sklearn/impute_parts.h"
#include "import/sklearn/lowerings.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using tensor::CellValue;

// MissingIndicator.transform: one column of 0 and 1 for each of features_. `refuse` is error_on_new.
struct Indicator {
  std::vector<std::int64_t> columns;
  bool refuse = false;
};

Result<Indicator> read_indicator(const View& estimator, std::int64_t width) {
  Indicator out;
  TRY_ASSIGN(const View features, estimator.attr("features_"));
  TRY_ASSIGN(out.columns, features.int64s());
  for (std::int64_t column : out.columns)
    if (column < 0 || column >= width) return inconsistent(features, cat("column ", column, " of ", width));
  TRY_ASSIGN(const std::string kind, word(estimator, "features", "missing-only"));
  TRY_ASSIGN(const bool error_on_new, flag(estimator, "error_on_new", true));
  out.refuse = error_on_new && kind == "missing-only";
  return out;
}

Result<Flow> mask(Context& context, const Indicator& indicator, const CellValue& missing, ValueId value,
                  const Flow& input) {
  TRY_ASSIGN(const ValueId made_value,
             context.add(program::MissingMask{missing, indicator.columns, indicator.refuse}, {value}));
  std::vector<std::string> names;
  if (!input.names.empty())
    for (std::int64_t column : indicator.columns)
      names.push_back(cat("missingindicator_", input.names[static_cast<std::size_t>(column)]));
  return made(made_value, indicator.columns.size(), std::move(names), input.sparse);
}

// Fitted on an array of objects (text), so that X is one at prediction too.
Result<bool> works_on_objects(const View& estimator, const View& statistics) {
  if (const auto dtype = estimator.find("_fit_dtype"); dtype && dtype->is(pickle::Kind::kDtype))
    return dtype->object().dtype().kind == 'O';
  TRY_ASSIGN(const char kind, array_kind(statistics));
  return kind == 'O' || kind == 'U';
}

// statistics_ as transform puts them in: into a matrix of float32, and since 1.7 cast to the dtype of the
// fill value.
Result<std::vector<double>> numeric_statistics(const View& estimator, const View& statistics,
                                               const Flow& input) {
  TRY_ASSIGN(std::vector<double> out, statistics.doubles());
  const auto dtype = estimator.find("_fill_dtype");
  if (input.float32 || (dtype && is_float32(*dtype)))
    for (double& value : out) value = static_cast<double>(static_cast<float>(value));
  return out;
}

// Columns that had no value at all when fitted have NaN as statistic and are left out.
Result<bool> keeps_all(const Context& context, const View& estimator) {
  TRY_ASSIGN(const bool keep_empty, flag(estimator, "keep_empty_features", false));
  TRY_ASSIGN(const std::string strategy, word(estimator, "strategy", "mean"));
  return keep_empty || (strategy == "constant" && !context.version().at_least(1, 8));
}

Result<Flow> impute_numbers(Context& context, const View& estimator, const View& statistics_view,
                            bool keep_all, double missing, const Flow& input, ValueId x) {
  TRY_ASSIGN(const std::vector<double> statistics, numeric_statistics(estimator, statistics_view, input));
  program::Impute op{.missing = missing};
  std::vector<double> kept_values;
  for (std::size_t i = 0; i < statistics.size(); ++i) {
    if (!keep_all && std::isnan(statistics[i])) continue;
    op.kept.push_back(static_cast<std::int64_t>(i));
    kept_values.push_back(statistics[i]);
  }
  const std::vector<std::int64_t> kept = op.kept;
  op.statistics = context.vector("statistics", std::move(kept_values));
  TRY_ASSIGN(const ValueId value, context.add(std::move(op), {x}));
  Flow out = kept_columns(input, value, kept);
  out.float32 = input.float32;
  return out;
}

Result<Flow> impute_cells(Context& context, const View& statistics_view, bool keep_all,
                          const CellValue& missing, const Flow& input) {
  TRY_ASSIGN(const std::vector<CellValue> statistics, cells(statistics_view));
  program::ImputeCells op{.missing = missing};
  for (std::size_t i = 0; i < statistics.size(); ++i) {
    if (!keep_all && is_nan(statistics[i])) continue;
    op.kept.push_back(static_cast<std::int64_t>(i));
    op.statistics.push_back(statistics[i]);
  }
  const std::vector<std::int64_t> kept = op.kept;
  context.mark_all(input, program::ColumnType::kAny);
  TRY_ASSIGN(const ValueId value, context.add(std::move(op), {input.value}));
  return kept_columns(input, value, kept);
}

Result<Flow> join(Context& context, const Flow& left, const Flow& right) {
  TRY_ASSIGN(const ValueId value, context.add(program::Concat{}, {left.value, right.value}));
  Flow out{.value = value, .sparse = left.sparse, .float32 = left.float32, .sources = left.sources};
  out.sources.insert(out.sources.end(), right.sources.begin(), right.sources.end());
  if (left.names.size() == left.sources.size() && right.names.size() == right.sources.size()) {
    out.names = left.names;
    out.names.insert(out.names.end(), right.names.begin(), right.names.end());
  }
  return out;
}

}  // namespace

Result<CellValue> missing_marker(const View& estimator) {
  TRY_ASSIGN(const View view, estimator.attr("missing_values"));
  return cell(view);
}

Flow kept_columns(const Flow& input, ValueId value, const std::vector<std::int64_t>& kept) {
  Flow out{.value = value, .sparse = input.sparse};
  for (std::int64_t column : kept) {
    const auto i = static_cast<std::size_t>(column);
    out.sources.push_back(i < input.sources.size() ? input.sources[i] : -1);
    if (!input.names.empty()) out.names.push_back(input.names[i]);
  }
  return out;
}

Result<Flow> with_indicator(Context& context, const View& estimator, const CellValue& missing, ValueId source,
                            const Flow& input, Flow imputed) {
  TRY_ASSIGN(const bool add_indicator, flag(estimator, "add_indicator", false));
  if (!add_indicator) return imputed;
  TRY_ASSIGN(const View indicator_view, estimator.attr("indicator_"));
  TRY_ASSIGN(const Indicator indicator, read_indicator(indicator_view, context.width(input)));
  TRY_ASSIGN(const Flow columns, mask(context, indicator, missing, source, input));
  return join(context, imputed, columns);
}

namespace {

Result<Fitted> lower_simple_imputer(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View statistics, estimator.attr("statistics_"));
  TRY_ASSIGN(const pickle::NdArray array, statistics.array());
  const std::int64_t width = context.width(input);
  if (array.shape.size() != 1 || array.shape[0] != width)
    return inconsistent(statistics, cat(array.describe(), " for ", width, " columns"));
  TRY_ASSIGN(const CellValue missing, missing_marker(estimator));
  TRY_ASSIGN(const bool objects, works_on_objects(estimator, statistics));
  TRY_ASSIGN(const bool keep_all, keeps_all(context, estimator));
  ValueId source = input.value;
  Flow imputed;
  if (objects) {
    TRY_ASSIGN(imputed, impute_cells(context, statistics, keep_all, missing, input));
  } else {
    const double* number = std::get_if<double>(&missing);
    if (number == nullptr)
      return unsupported_parameter(estimator, "missing_values is not a number, but it was fitted on numbers");
    TRY_ASSIGN(source, context.checked(input, short_class(estimator), std::isnan(*number)));
    TRY_ASSIGN(imputed, impute_numbers(context, estimator, statistics, keep_all, *number, input, source));
  }
  TRY_ASSIGN(imputed, with_indicator(context, estimator, missing, source, input, std::move(imputed)));
  Fitted fitted;
  fitted.transform = std::move(imputed);
  return fitted;
}

Result<Fitted> lower_missing_indicator(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const CellValue missing, missing_marker(estimator));
  TRY_ASSIGN(const Indicator indicator, read_indicator(estimator, context.width(input)));
  ValueId source = input.value;
  context.mark_all(input, program::ColumnType::kAny);
  if (!context.is_table(input)) {
    TRY_ASSIGN(source, context.checked(input, short_class(estimator), is_nan(missing)));
  }
  Fitted fitted;
  TRY_ASSIGN(fitted.transform, mask(context, indicator, missing, source, input));
  return fitted;
}

constexpr EstimatorRow kImputeRows[] = {
    {"SimpleImputer", "sklearn.impute._base", "statistics_", lower_simple_imputer},
    {"MissingIndicator", "sklearn.impute._base", "features_", lower_missing_indicator},
};

}  // namespace

std::span<const EstimatorRow> impute_rows() {
  return kImputeRows;
}

}  // namespace wherry::sklearn
