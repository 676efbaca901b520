// Transformers beyond scalers and encoders: sklearn/preprocessing/_data.py, _discretization.py,
// _polynomial.py, _label.py.
#include <algorithm>
#include <cmath>
#include <limits>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/matrices.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using program::Arithmetic;
using program::Function;

Status refuse_sparse(const View& estimator, const Flow& input) {
  if (input.sparse) return inconsistent(estimator, "a sparse matrix, which it does not take");
  return {};
}

Fitted one_to_one(const Context& context, const Flow& input, ValueId value) {
  Fitted fitted;
  fitted.transform = made(value, static_cast<std::size_t>(context.width(input)), input.names, input.sparse);
  return fitted;
}

Result<Fitted> lower_binarizer(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View view, estimator.attr("threshold"));
  TRY_ASSIGN(const double threshold, view.as_double());
  TRY(refuse_float32(estimator, input));
  if (input.sparse && threshold < 0)
    return inconsistent(estimator, "a sparse matrix and a threshold below 0, which scikit-learn refuses");
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false));
  TRY_ASSIGN(const ValueId value, context.add(program::Threshold{.threshold = threshold}, {x}));
  return one_to_one(context, input, value);
}

Result<Fitted> lower_normalizer(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const std::string name, word(estimator, "norm", "l2"));
  TRY(refuse_float32(estimator, input));
  program::NormalizeLengths op{.sparse = input.sparse};
  if (name != "l1" && name != "l2" && name != "max")
    return unsupported_parameter(estimator, cat("norm=", base::quoted(name)));
  op.norm = name == "l1" ? program::Norm::kL1 : name == "l2" ? program::Norm::kL2 : program::Norm::kMax;
  // _handle_zeros_in_scale
  if (!input.sparse && context.version().at_least(1, 0))
    op.smallest = 10 * std::numeric_limits<double>::epsilon();
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false));
  TRY_ASSIGN(const ValueId value, context.add(op, {x}));
  return one_to_one(context, input, value);
}

Result<Fitted> lower_kernel_centerer(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_sparse(estimator, input));
  TRY(refuse_float32(estimator, input));
  const auto width = static_cast<std::size_t>(context.width(input));
  TRY_ASSIGN(std::vector<double> rows, doubles_of(estimator, "K_fit_rows_", width));
  TRY_ASSIGN(const View all, estimator.attr("K_fit_all_"));
  program::CenterKernel op;
  TRY_ASSIGN(op.all, all.as_double());
  op.rows = context.vector("kernel_rows", std::move(rows));
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false));
  TRY_ASSIGN(const ValueId value, context.add(op, {x}));
  return transformed(context, estimator, value);
}

Result<Fitted> lower_power_transformer(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_sparse(estimator, input));
  TRY(refuse_float32(estimator, input));
  const auto width = static_cast<std::size_t>(context.width(input));
  TRY_ASSIGN(const std::string method, word(estimator, "method", "yeo-johnson"));
  if (method != "yeo-johnson" && method != "box-cox")
    return unsupported_parameter(estimator, cat("method=", base::quoted(method)));
  TRY_ASSIGN(std::vector<double> lambdas, doubles_of(estimator, "lambdas_", width));
  program::PowerTransform op;
  op.method = method == "box-cox"                ? program::PowerMethod::kBoxCox
              : context.version().at_least(1, 8) ? program::PowerMethod::kYeoJohnsonStable
                                                 : program::PowerMethod::kYeoJohnson;
  op.lambdas = context.vector("lambdas", std::move(lambdas));
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), true));
  TRY_ASSIGN(const ValueId value, context.add(op, {x}));
  Fitted fitted = one_to_one(context, input, value);
  TRY_ASSIGN(const bool standardize, flag(estimator, "standardize", true));
  if (standardize) {
    TRY_ASSIGN(const View scaler, estimator.attr("_scaler"));
    TRY_ASSIGN(fitted.transform, lower_transformer(context, scaler, *fitted.transform));
  }
  return fitted;
}

Result<Fitted> lower_quantile_transformer(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_float32(estimator, input));
  TRY_ASSIGN(const View view, estimator.attr("quantiles_"));
  TRY_ASSIGN(const pickle::Matrix quantiles, view.matrix());
  if (quantiles.columns != context.width(input) || quantiles.rows < 1)
    return inconsistent(view, cat(quantiles.columns, " columns where ", context.width(input), " belong"));
  TRY(context.charge(view, quantiles.values.size()));
  TRY_ASSIGN(std::vector<double> references,
             doubles_of(estimator, "references_", static_cast<std::size_t>(quantiles.rows)));
  std::vector<double> by_column;
  by_column.reserve(quantiles.values.size());
  for (std::int64_t j = 0; j < quantiles.columns; ++j)
    for (std::int64_t i = 0; i < quantiles.rows; ++i)
      by_column.push_back(quantiles.values[static_cast<std::size_t>(i * quantiles.columns + j)]);
  TRY_ASSIGN(const std::string distribution, word(estimator, "output_distribution", "uniform"));
  if (distribution != "uniform" && distribution != "normal")
    return unsupported_parameter(estimator, cat("output_distribution=", base::quoted(distribution)));
  program::Quantiles op{.normal = distribution == "normal", .keep_zeros = input.sparse};
  op.quantiles = context.matrix("quantiles", quantiles.columns, quantiles.rows, std::move(by_column));
  op.references = context.vector("references", std::move(references));
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), true));
  TRY_ASSIGN(const ValueId value, context.add(op, {x}));
  return one_to_one(context, input, value);
}

Result<Fitted> lower_k_bins_discretizer(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_sparse(estimator, input));
  TRY_ASSIGN(const View view, estimator.attr("bin_edges_"));
  TRY_ASSIGN(const std::vector<View> columns, view.items());
  if (static_cast<std::int64_t>(columns.size()) != context.width(input))
    return inconsistent(view, "not one list of edges per column");
  program::Bins op{.tolerant = !context.version().at_least(1, 1), .offsets = {0}};
  std::vector<double> edges;
  for (const View& column : columns) {
    TRY_ASSIGN(const std::vector<double> values, column.doubles());
    TRY(context.charge(column, values.size()));
    if (values.size() > 2) edges.insert(edges.end(), values.begin() + 1, values.end() - 1);
    op.offsets.push_back(static_cast<std::int64_t>(edges.size()));
  }
  op.edges = context.vector("bin_edges", std::move(edges));
  const auto dtype = estimator.find("dtype");
  const bool float32 = dtype && !dtype->is_none() ? is_float32(*dtype) : input.float32;
  TRY_ASSIGN(ValueId x, context.checked(input, short_class(estimator), false, float32));
  if (float32 && !input.float32) {
    TRY_ASSIGN(x, context.apply(x, Function::kRoundFloat32));
  }
  TRY_ASSIGN(const ValueId value, context.add(std::move(op), {x}));
  Fitted fitted = one_to_one(context, input, value);
  TRY_ASSIGN(const std::string encode, word(estimator, "encode", "onehot"));
  if (encode != "ordinal") {
    TRY_ASSIGN(const View encoder, estimator.attr("_encoder"));
    TRY_ASSIGN(fitted.transform, lower_transformer(context, encoder, *fitted.transform));
  }
  fitted.transform->float32 = float32;
  return fitted;
}

// --- PolynomialFeatures ------------------------------------------------------------------------------------

// The columns of PolynomialFeatures in order, each as parent times feature.
struct Terms {
  std::vector<std::int64_t> parents;
  std::vector<std::int64_t> features;
  std::vector<std::vector<std::int64_t>> factors;  // ascending
};

struct Polynomial {
  std::int64_t lowest = 0;
  std::int64_t highest = 2;
  bool interaction_only = false;
  bool bias = true;
};

Result<Polynomial> read_polynomial(const View& estimator) {
  Polynomial out;
  TRY_ASSIGN(out.interaction_only, flag(estimator, "interaction_only", false));
  TRY_ASSIGN(out.bias, flag(estimator, "include_bias", true));
  if (const auto highest = estimator.find("_max_degree")) {
    TRY_ASSIGN(out.highest, highest->as_int());
    TRY_ASSIGN(const View lowest, estimator.attr("_min_degree"));
    TRY_ASSIGN(out.lowest, lowest.as_int());
  } else {
    TRY_ASSIGN(const View degree, estimator.attr("degree"));
    TRY_ASSIGN(out.highest, degree.as_int());
  }
  constexpr std::int64_t kHighest = 64;
  if (out.highest < 0 || out.highest > kHighest || out.lowest < 0 || out.lowest > out.highest)
    return inconsistent(estimator, cat("degrees ", out.lowest, " to ", out.highest));
  return out;
}

// A dense matrix multiplies the terms of one degree less that leave out earlier features with a feature; a
// sparse one the factors from left to right. The order of the columns is the same.
Result<Terms> polynomial_terms(Context& context, const View& estimator, const Polynomial& polynomial,
                               std::int64_t width, bool sparse) {
  Terms terms;
  const auto add = [&](std::int64_t parent, std::int64_t feature,
                       std::vector<std::int64_t> factors) -> Status {
    TRY(context.charge(estimator, 2 + factors.size()));
    terms.parents.push_back(parent);
    terms.features.push_back(feature);
    terms.factors.push_back(std::move(factors));
    return {};
  };
  if (polynomial.bias) TRY(add(-1, -1, {}));
  if (polynomial.highest == 0) return terms;
  std::vector<std::int64_t> index;  // where the terms of the last degree with first factor j begin
  for (std::int64_t j = 0; j < width; ++j) {
    index.push_back(static_cast<std::int64_t>(terms.parents.size()));
    TRY(add(-1, j, {j}));
  }
  index.push_back(static_cast<std::int64_t>(terms.parents.size()));
  for (std::int64_t degree = 2; degree <= polynomial.highest; ++degree) {
    const std::int64_t end = index.back();
    std::vector<std::int64_t> next;
    for (std::int64_t j = 0; j < width; ++j) {
      next.push_back(static_cast<std::int64_t>(terms.parents.size()));
      const auto first = index[static_cast<std::size_t>(polynomial.interaction_only ? j + 1 : j)];
      for (std::int64_t parent = first; parent < end; ++parent) {
        std::vector<std::int64_t> factors = terms.factors[static_cast<std::size_t>(parent)];
        factors.insert(factors.begin(), j);
        TRY(add(parent, j, std::move(factors)));
      }
    }
    next.push_back(static_cast<std::int64_t>(terms.parents.size()));
    index = std::move(next);
  }
  if (!sparse) return terms;
  std::map<std::vector<std::int64_t>, std::int64_t> places;
  for (std::size_t i = 0; i < terms.factors.size(); ++i) {
    std::vector<std::int64_t> prefix = terms.factors[i];
    if (prefix.size() > 1) {
      terms.features[i] = prefix.back();
      prefix.pop_back();
      terms.parents[i] = places.at(prefix);
    }
    places[terms.factors[i]] = static_cast<std::int64_t>(i);
  }
  return terms;
}

std::string term_name(const std::vector<std::int64_t>& factors, const std::vector<std::string>& names) {
  if (factors.empty()) return "1";
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < factors.size();) {
    std::size_t end = i;
    while (end < factors.size() && factors[end] == factors[i]) ++end;
    const std::string& name = names[static_cast<std::size_t>(factors[i])];
    parts.push_back(end - i == 1 ? name : cat(name, "^", end - i));
    i = end;
  }
  return base::join(parts, " ");
}

Result<Fitted> lower_polynomial_features(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_float32(estimator, input));
  TRY_ASSIGN(const Polynomial polynomial, read_polynomial(estimator));
  TRY_ASSIGN(const Terms terms,
             polynomial_terms(context, estimator, polynomial, context.width(input), input.sparse));
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false));
  TRY_ASSIGN(ValueId value, context.add(program::Products{terms.parents, terms.features}, {x}));
  std::vector<std::int64_t> kept;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < terms.factors.size(); ++i) {
    const auto degree = static_cast<std::int64_t>(terms.factors[i].size());
    if (degree > 0 && degree < polynomial.lowest) continue;
    kept.push_back(static_cast<std::int64_t>(i));
    if (!input.names.empty()) names.push_back(term_name(terms.factors[i], input.names));
  }
  const std::size_t columns = kept.size();
  if (columns != terms.factors.size()) {
    TRY_ASSIGN(value, context.select(value, std::move(kept)));
  }
  Fitted fitted;
  fitted.transform = made(value, columns, std::move(names), input.sparse);
  return fitted;
}

// --- SplineTransformer -------------------------------------------------------------------------------------

Result<program::Extrapolation> read_extrapolation(const View& estimator) {
  TRY_ASSIGN(const std::string name, word(estimator, "extrapolation", "constant"));
  const auto names = program::enum_names(program::Extrapolation{});
  const auto found = std::ranges::find(names, name);
  if (found == names.end())
    return unsupported_parameter(estimator, cat("extrapolation=", base::quoted(name)));
  return static_cast<program::Extrapolation>(found - names.begin());
}

Result<Fitted> lower_spline_transformer(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_sparse(estimator, input));
  TRY(refuse_float32(estimator, input));
  program::SplineBasis op;
  TRY_ASSIGN(const View degree, estimator.attr("degree"));
  TRY_ASSIGN(op.degree, degree.as_int());
  TRY_ASSIGN(op.extrapolation, read_extrapolation(estimator));
  TRY_ASSIGN(op.include_last, flag(estimator, "include_bias", true));
  TRY_ASSIGN(op.sparse, flag(estimator, "sparse_output", false));
  TRY_ASSIGN(const std::string missing, word(estimator, "handle_missing", "error"));
  op.nan_as_zeros = missing == "zeros";
  TRY_ASSIGN(const View list, estimator.attr("bsplines_"));
  TRY_ASSIGN(const std::vector<View> splines, list.items());
  const std::int64_t width = context.width(input);
  if (static_cast<std::int64_t>(splines.size()) != width || width == 0)
    return inconsistent(list, "not one spline per column");
  std::vector<double> knots;
  std::size_t count = 0;
  for (const View& spline : splines) {
    const auto state = spline.state();  // since scipy 1.17 (the object with the attributes, an empty array)
    const bool wraps = state && state->is(pickle::Kind::kTuple) && !spline.has("t");
    TRY_ASSIGN(const View holder, wraps ? state->item(0) : Result<View>(spline));
    TRY_ASSIGN(const View t, holder.attr("t"));
    TRY_ASSIGN(const std::vector<double> values, t.doubles());
    TRY(context.charge(t, values.size()));
    if (knots.empty()) count = values.size();
    if (values.size() != count || count == 0)
      return inconsistent(t, "columns with different numbers of knots");
    knots.insert(knots.end(), values.begin(), values.end());
  }
  op.knots = context.matrix("knots", width, static_cast<std::int64_t>(count), std::move(knots));
  // ensure_all_finite=False where NaN becomes zeros: infinities pass too.
  TRY_ASSIGN(const ValueId x, op.nan_as_zeros ? context.numbers(input)
                                              : context.checked(input, short_class(estimator), false));
  const bool sparse = op.sparse;
  TRY_ASSIGN(const ValueId value, context.add(op, {x}));
  const auto columns = static_cast<std::size_t>(context.width(Flow{.value = value}));
  const std::size_t each = columns / static_cast<std::size_t>(width);
  std::vector<std::string> names;
  for (const std::string& name : input.names)
    for (std::size_t j = 0; j < each; ++j) names.push_back(cat(name, "_sp_", j));
  Fitted fitted;
  fitted.transform = made(value, columns, std::move(names), sparse);
  return fitted;
}

// --- labels ------------------------------------------------------------------------------------------------

Status check_one_column(const Context& context, const View& estimator, const Flow& input) {
  if (context.width(input) != 1) return inconsistent(estimator, "it takes one column of labels");
  if (context.is_sparse(input)) return inconsistent(estimator, "a sparse matrix, which it does not take");
  return {};
}

program::ColumnType label_type(char kind) {
  return kind == 'U'   ? program::ColumnType::kText
         : kind == 'O' ? program::ColumnType::kAny
         : kind == 'b' ? program::ColumnType::kBool
                       : program::ColumnType::kNumber;
}

Result<std::vector<tensor::CellValue>> read_classes(Context& context, const View& estimator,
                                                    const Flow& input) {
  TRY(check_one_column(context, estimator, input));
  TRY_ASSIGN(const View classes, estimator.attr("classes_"));
  TRY_ASSIGN(const char kind, array_kind(classes));
  TRY_ASSIGN(std::vector<tensor::CellValue> values, cells(classes));
  TRY(context.charge(classes, values.size()));
  if (values.empty()) return inconsistent(classes, "no classes");
  context.mark(input, 0, label_type(kind));
  return values;
}

Result<Fitted> lower_label_encoder(Context& context, const View& estimator, const Flow& input) {
  program::OrdinalColumn column{.refuse_unknown = true};
  TRY_ASSIGN(column.categories, read_classes(context, estimator, input));
  for (std::size_t code = 0; code < column.categories.size(); ++code)
    column.codes.push_back(static_cast<double>(code));
  TRY_ASSIGN(const ValueId value, context.add(program::Ordinal{{std::move(column)}}, {input.value}));
  Fitted fitted;
  fitted.transform = made(value, 1, {}, false);
  fitted.transform->one_dimensional = true;
  return fitted;
}

Result<Fitted> lower_label_binarizer(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const std::string kind, word(estimator, "y_type_", "multiclass"));
  if (kind.starts_with("multilabel"))
    return unsupported_parameter(estimator, "fitted on a matrix of labels, which it gives back unchanged");
  program::OneHotColumn column;
  TRY_ASSIGN(column.categories, read_classes(context, estimator, input));
  const auto count = static_cast<std::int64_t>(column.categories.size());
  column.width = count == 2 ? 1 : count;
  for (std::int64_t code = 0; code < count; ++code)
    column.targets.push_back(count == 1 ? -1 : count == 2 ? code - 1 : code);
  // With two classes an unknown label changes what scikit-learn takes the labels for.
  column.refuse_unknown = count == 2;
  TRY_ASSIGN(const View positive_view, estimator.attr("pos_label"));
  TRY_ASSIGN(const View negative_view, estimator.attr("neg_label"));
  TRY_ASSIGN(const double positive, positive_view.as_double());
  TRY_ASSIGN(const double negative, negative_view.as_double());
  const auto width = static_cast<std::size_t>(column.width);
  TRY_ASSIGN(ValueId value, context.add(program::OneHot{{std::move(column)}}, {input.value}));
  if (positive != 1 || negative != 0) {
    TRY_ASSIGN(value, context.arithmetic(value, Arithmetic::kMultiply, {positive - negative}, "span"));
    TRY_ASSIGN(value, context.arithmetic(value, Arithmetic::kAdd, {negative}, "negative"));
  }
  Fitted fitted;
  fitted.transform = made(value, width, {}, false);
  return fitted;
}

Result<InputColumns> one_column(const View&) {
  return InputColumns{{}, 1};
}

constexpr std::string_view kData = "sklearn.preprocessing._data sklearn.preprocessing.data";
constexpr std::string_view kPolynomial =
    "sklearn.preprocessing._polynomial sklearn.preprocessing._data sklearn.preprocessing.data";
constexpr std::string_view kLabel = "sklearn.preprocessing._label sklearn.preprocessing.label";

constexpr EstimatorRow kPreprocessingMoreRows[] = {
    {"Binarizer", kData, "", lower_binarizer},
    {"Normalizer", kData, "", lower_normalizer},
    {"KernelCenterer", kData, "K_fit_rows_", lower_kernel_centerer},
    {"PowerTransformer", kData, "lambdas_", lower_power_transformer},
    {"QuantileTransformer", kData, "quantiles_", lower_quantile_transformer},
    {"KBinsDiscretizer", "sklearn.preprocessing._discretization", "bin_edges_", lower_k_bins_discretizer},
    {"PolynomialFeatures", kPolynomial, "n_output_features_", lower_polynomial_features},
    {"SplineTransformer", kPolynomial, "bsplines_", lower_spline_transformer},
    {"LabelEncoder", kLabel, "classes_", lower_label_encoder, "", one_column},
    {"LabelBinarizer", kLabel, "classes_", lower_label_binarizer, "", one_column},
};

}  // namespace

std::span<const EstimatorRow> preprocessing_more_rows() {
  return kPreprocessingMoreRows;
}

}  // namespace wherry::sklearn
