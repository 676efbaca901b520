// sklearn/preprocessing/_data.py, _function_transformer.py, sklearn/pipeline.py: inverse_transform.
#include "import/sklearn/inverse.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "import/sklearn/members.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using program::Arithmetic;
using program::Function;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::size_t width_of(const Context& context, ValueId matrix) {
  return static_cast<std::size_t>(context.width(Flow{.value = matrix}));
}

Result<ValueId> check(Context& context, const View& transformer, ValueId matrix, bool allow_nan) {
  return context.add(program::CheckFinite{.allow_nan = allow_nan, .estimator = short_class(transformer)},
                     {matrix});
}

// matrix (operation) attribute, element by element of the rows.
Result<ValueId> with_attribute(Context& context, const View& transformer, ValueId matrix,
                               Arithmetic operation, std::string_view attribute) {
  TRY_ASSIGN(std::vector<double> values, doubles_of(transformer, attribute, width_of(context, matrix)));
  return context.arithmetic(matrix, operation, std::move(values), attribute);
}

// X * scale + centre, each if the parameter says so.
Result<ValueId> unscale(Context& context, const View& transformer, ValueId matrix,
                        std::string_view with_scale, std::string_view scale, std::string_view with_centre,
                        std::string_view centre) {
  TRY_ASSIGN(const bool scaled, flag(transformer, with_scale, true));
  TRY_ASSIGN(const bool centred, flag(transformer, with_centre, true));
  if (context.version().at_least(1, 0)) {
    TRY_ASSIGN(matrix, check(context, transformer, matrix, true));
  }
  if (scaled) {
    TRY_ASSIGN(matrix, with_attribute(context, transformer, matrix, Arithmetic::kMultiply, scale));
  }
  if (centred) {
    TRY_ASSIGN(matrix, with_attribute(context, transformer, matrix, Arithmetic::kAdd, centre));
  }
  return matrix;
}

Result<ValueId> standard(Context& context, const View& transformer, ValueId matrix) {
  return unscale(context, transformer, matrix, "with_std", "scale_", "with_mean", "mean_");
}

Result<ValueId> robust(Context& context, const View& transformer, ValueId matrix) {
  return unscale(context, transformer, matrix, "with_scaling", "scale_", "with_centering", "center_");
}

Result<ValueId> max_abs(Context& context, const View& transformer, ValueId matrix) {
  TRY_ASSIGN(matrix, check(context, transformer, matrix, true));
  return with_attribute(context, transformer, matrix, Arithmetic::kMultiply, "scale_");
}

Result<ValueId> min_max(Context& context, const View& transformer, ValueId matrix) {
  TRY_ASSIGN(matrix, check(context, transformer, matrix, true));
  TRY_ASSIGN(matrix, with_attribute(context, transformer, matrix, Arithmetic::kSubtract, "min_"));
  return with_attribute(context, transformer, matrix, Arithmetic::kDivide, "scale_");
}

// --- PowerTransformer --------------------------------------------------------------------------------------

// pow(x * factor + 1, 1 / lambda)
Result<ValueId> power(Context& context, ValueId x, double factor, double lambda) {
  TRY_ASSIGN(x, context.arithmetic(x, Arithmetic::kMultiply, {factor}, "factor"));
  TRY_ASSIGN(x, context.arithmetic(x, Arithmetic::kAdd, {1}, "one"));
  return context.add(program::Power{1 / lambda}, {x});
}

// The branch for x >= 0 is 0 at 0, and so is that for x < 0: each gets x cut off there, and they are added.
Result<ValueId> yeo_johnson(Context& context, ValueId x, double lambda) {
  constexpr double kSpacing = std::numeric_limits<double>::epsilon();
  TRY_ASSIGN(ValueId positive, context.add(program::Clip{0, kInfinity}, {x}));
  TRY_ASSIGN(positive, std::abs(lambda) < kSpacing ? context.apply(positive, Function::kExp)
                                                   : power(context, positive, lambda, lambda));
  TRY_ASSIGN(positive, context.arithmetic(positive, Arithmetic::kSubtract, {1}, "one"));
  TRY_ASSIGN(ValueId negative, context.add(program::Clip{-kInfinity, 0}, {x}));
  if (std::abs(lambda - 2) > kSpacing) {
    TRY_ASSIGN(negative, power(context, negative, -(2 - lambda), 2 - lambda));
  } else {
    TRY_ASSIGN(negative, context.apply(negative, Function::kNegate));
    TRY_ASSIGN(negative, context.apply(negative, Function::kExp));
  }
  TRY_ASSIGN(negative, context.apply(negative, Function::kNegate));
  TRY_ASSIGN(negative, context.arithmetic(negative, Arithmetic::kAdd, {1}, "one"));
  return context.add(program::Elementwise{Arithmetic::kAdd}, {positive, negative});
}

// scipy.special.inv_boxcox since 1.6.
Result<ValueId> box_cox(Context& context, ValueId x, double lambda) {
  if (lambda == 0) return context.apply(x, Function::kExp);
  if (!context.version().at_least(1, 6)) return power(context, x, lambda, lambda);
  TRY_ASSIGN(x, context.arithmetic(x, Arithmetic::kMultiply, {lambda}, "lambda"));
  TRY_ASSIGN(x, context.apply(x, Function::kLog1p));
  TRY_ASSIGN(x, context.arithmetic(x, Arithmetic::kDivide, {lambda}, "lambda"));
  return context.apply(x, Function::kExp);
}

Result<ValueId> power_transformer(Context& context, const View& transformer, ValueId matrix) {
  TRY_ASSIGN(const std::string method, word(transformer, "method", "yeo-johnson"));
  if (method != "yeo-johnson" && method != "box-cox")
    return unsupported_parameter(transformer, cat("method=", base::quoted(method)));
  TRY_ASSIGN(matrix, check(context, transformer, matrix, true));
  TRY_ASSIGN(const bool standardize, flag(transformer, "standardize", true));
  if (standardize) {
    TRY_ASSIGN(const View scaler, transformer.attr("_scaler"));
    TRY_ASSIGN(matrix, standard(context, scaler, matrix));
  }
  TRY_ASSIGN(const std::vector<double> lambdas,
             doubles_of(transformer, "lambdas_", width_of(context, matrix)));
  std::vector<ValueId> columns;
  for (std::size_t i = 0; i < lambdas.size(); ++i) {
    TRY_ASSIGN(const ValueId column, context.select(matrix, {static_cast<std::int64_t>(i)}));
    TRY_ASSIGN(const ValueId out, method == "box-cox" ? box_cox(context, column, lambdas[i])
                                                      : yeo_johnson(context, column, lambdas[i]));
    columns.push_back(out);
  }
  return concat(context, std::move(columns));
}

// --- QuantileTransformer -----------------------------------------------------------------------------------

// norm.cdf(x); what is nearer to 0 or 1 than BOUNDS_THRESHOLD becomes it.
Result<ValueId> normal_probability(Context& context, ValueId x) {
  constexpr double kBounds = 1e-7;
  TRY_ASSIGN(x, context.apply(x, Function::kNormalCdf));
  TRY_ASSIGN(ValueId low, context.arithmetic(x, Arithmetic::kSubtract, {kBounds}, "bounds"));
  TRY_ASSIGN(low, context.apply(low, Function::kNegate));
  TRY_ASSIGN(low, context.add(program::Threshold{0}, {low}));
  TRY_ASSIGN(ValueId high, context.arithmetic(x, Arithmetic::kAdd, {kBounds}, "bounds"));
  TRY_ASSIGN(high, context.add(program::Threshold{1}, {high}));
  TRY_ASSIGN(ValueId keep, context.add(program::Elementwise{Arithmetic::kAdd}, {low, high}));
  TRY_ASSIGN(keep, context.apply(keep, Function::kNegate));
  TRY_ASSIGN(keep, context.arithmetic(keep, Arithmetic::kAdd, {1}, "one"));
  TRY_ASSIGN(x, context.add(program::Elementwise{Arithmetic::kMultiply}, {x, keep}));
  return context.add(program::Elementwise{Arithmetic::kAdd}, {x, high});
}

Result<ValueId> quantile_transformer(Context& context, const View& transformer, ValueId matrix) {
  TRY_ASSIGN(const std::string distribution, word(transformer, "output_distribution", "uniform"));
  if (distribution != "uniform" && distribution != "normal")
    return unsupported_parameter(transformer, cat("output_distribution=", base::quoted(distribution)));
  TRY_ASSIGN(matrix, check(context, transformer, matrix, true));
  if (distribution == "normal") {
    TRY_ASSIGN(matrix, normal_probability(context, matrix));
  }
  TRY_ASSIGN(const View references_view, transformer.attr("references_"));
  TRY_ASSIGN(const std::vector<double> references, references_view.doubles());
  TRY_ASSIGN(const View quantiles_view, transformer.attr("quantiles_"));
  TRY_ASSIGN(const pickle::Matrix quantiles, quantiles_view.matrix());
  const std::size_t width = width_of(context, matrix);
  if (quantiles.rows != static_cast<std::int64_t>(references.size()) ||
      quantiles.columns != static_cast<std::int64_t>(width))
    return inconsistent(quantiles_view, cat(quantiles_view.describe(), " for ", references.size(),
                                            " references and ", width, " columns"));
  TRY(context.charge(quantiles_view, 2 * quantiles.values.size()));
  std::vector<ValueId> columns;
  for (std::size_t j = 0; j < width; ++j) {
    std::vector<double> values;
    for (std::size_t i = 0; i < references.size(); ++i) values.push_back(quantiles.values[i * width + j]);
    TRY_ASSIGN(const ValueId column, context.select(matrix, {static_cast<std::int64_t>(j)}));
    program::Interpolate op;
    op.x = context.vector("references", references);
    op.y = context.vector("quantiles", std::move(values));
    op.outside = program::Outside::kClip;
    TRY_ASSIGN(const ValueId out, context.add(op, {column}));
    columns.push_back(out);
  }
  return concat(context, std::move(columns));
}

// --- FunctionTransformer -----------------------------------------------------------------------------------

struct Named {
  std::string_view name;
  Function function;
};

// Functions of numpy, and with "special." those of scipy.special.
constexpr Named kFunctions[] = {
    {"exp", Function::kExp},
    {"exp2", Function::kExp2},
    {"expm1", Function::kExpm1},
    {"log", Function::kLog},
    {"log2", Function::kLog2},
    {"log10", Function::kLog10},
    {"log1p", Function::kLog1p},
    {"sqrt", Function::kSqrt},
    {"square", Function::kSquare},
    {"cbrt", Function::kCbrt},
    {"negative", Function::kNegate},
    {"reciprocal", Function::kReciprocal},
    {"absolute", Function::kAbs},
    {"abs", Function::kAbs},
    {"fabs", Function::kAbs},
    {"sin", Function::kSin},
    {"cos", Function::kCos},
    {"tan", Function::kTan},
    {"sinh", Function::kSinh},
    {"cosh", Function::kCosh},
    {"tanh", Function::kTanh},
    {"arcsin", Function::kArcsin},
    {"arccos", Function::kArccos},
    {"arctan", Function::kArctan},
    {"arcsinh", Function::kArcsinh},
    {"arccosh", Function::kArccosh},
    {"arctanh", Function::kArctanh},
    {"floor", Function::kFloor},
    {"ceil", Function::kCeil},
    {"trunc", Function::kTrunc},
    {"rint", Function::kRint},
    {"sign", Function::kSign},
    {"degrees", Function::kDegrees},
    {"rad2deg", Function::kDegrees},
    {"radians", Function::kRadians},
    {"deg2rad", Function::kRadians},
    {"special.expit", Function::kExpit},
    {"special.logit", Function::kLogit},
};

// "numpy.log1p", "numpy._core._multiarray_umath.log1p", or _ufunc_reconstruct("numpy.core…", "log1p").
std::string function_name(const View& function) {
  std::string name = function.global_name();
  if (function.class_name() == "numpy._core._ufunc_reconstruct") {
    const auto text = function.argument(1);
    if (const auto word = text ? text->as_string() : Result<std::string>("")) name = cat("numpy.", *word);
  }
  const std::string_view last = std::string_view(name).substr(name.rfind('.') + 1);
  if (name.starts_with("numpy.")) return std::string(last);
  if (name.starts_with("scipy.special.")) return cat("special.", last);
  return {};
}

Result<ValueId> function_transformer(Context& context, const View& transformer, ValueId matrix) {
  TRY_ASSIGN(const bool validate, flag(transformer, "validate", false));
  if (validate) {
    TRY_ASSIGN(matrix, check(context, transformer, matrix, false));
  }
  const auto function = transformer.find("inverse_func");
  if (!function || function->is_none()) return matrix;
  if (const auto arguments = transformer.find("inv_kw_args"); arguments && !arguments->is_none()) {
    TRY_ASSIGN(const std::size_t count, arguments->size());
    if (count > 0) return unsupported_parameter(*arguments, "arguments for the inverse function");
  }
  const std::string name = function_name(*function);
  const auto known = std::ranges::find(kFunctions, name, &Named::name);
  if (known == std::end(kFunctions))
    return unsupported_parameter(*function, cat("the function ", function->describe()));
  return context.apply(matrix, known->function);
}

Result<ValueId> pipeline(Context& context, const View& transformer, ValueId matrix) {
  TRY_ASSIGN(const View list, transformer.attr("steps"));
  TRY_ASSIGN(const std::vector<View> steps, list.items());
  for (std::size_t i = steps.size(); i-- > 0;) {
    TRY_ASSIGN(const View step, steps[i].item(1));
    if (step.is_none() || step.is(pickle::Kind::kStr)) continue;  // 'passthrough'
    TRY_ASSIGN(matrix, inverse_transform(context, step, matrix));
  }
  return matrix;
}

struct Inverse {
  std::string_view name;
  Result<ValueId> (*make)(Context& context, const View& transformer, ValueId matrix);
};

constexpr Inverse kInverses[] = {
    {"StandardScaler", standard},
    {"RobustScaler", robust},
    {"MaxAbsScaler", max_abs},
    {"MinMaxScaler", min_max},
    {"PowerTransformer", power_transformer},
    {"QuantileTransformer", quantile_transformer},
    {"FunctionTransformer", function_transformer},
    {"Pipeline", pipeline},
};

}  // namespace

Result<ValueId> inverse_transform(Context& context, const View& transformer, ValueId matrix) {
  constexpr int kDeepest = 32;
  const std::string name = short_class(transformer);
  const auto row = std::ranges::find(kInverses, name, &Inverse::name);
  if (row == std::end(kInverses) || !transformer.class_name().starts_with("sklearn."))
    return unsupported_parameter(
        transformer, cat("the inverse of ", transformer.describe(), ", which wherry does not know"));
  if (context.depth >= kDeepest) return inconsistent(transformer, "pipelines within pipelines");
  ++context.depth;
  auto out = row->make(context, transformer, matrix);
  --context.depth;
  return out;
}

}  // namespace wherry::sklearn
