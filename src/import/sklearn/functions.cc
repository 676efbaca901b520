// FunctionTransformer with functions everybody has: sklearn/preprocessing/_function_transformer.py.
#include <algorithm>
#include <cmath>
#include <limits>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using program::Arithmetic;
using program::ConstantOperation;
using program::Function;

// A function with the arguments it is called with besides X.
struct Call {
  std::string module;
  std::string name;
  std::vector<View> positional;  // before X
  std::vector<std::pair<std::string, View>> keywords;

  const View* find(std::string_view keyword) const {
    for (const auto& [key, value] : keywords)
      if (key == keyword) return &value;
    return nullptr;
  }
  bool has_only(std::initializer_list<std::string_view> known) const {
    return positional.empty() && std::ranges::all_of(keywords, [&](const auto& keyword) {
             return std::ranges::find(known, keyword.first) != known.end();
           });
  }
};

std::unexpected<base::Error> refuse(const View& where, const Call& call, std::string_view why) {
  return base::fail(
      base::Code::kUnsupported, "sklearn.unsupported_parameter",
      cat(where.where(), ": the function ", call.module, ".", call.name, " of a FunctionTransformer: ", why),
      "use functions of numpy or scikit-learn which work on each value or row, or do this work "
      "before the request");
}

Status add_keywords(const View& dictionary, Call& call) {
  TRY_ASSIGN(const auto entries, dictionary.entries());
  for (const auto& [key, value] : entries) {
    TRY_ASSIGN(std::string name, key.as_string());
    std::erase_if(call.keywords, [&](const auto& keyword) { return keyword.first == name; });
    call.keywords.emplace_back(std::move(name), value);
  }
  return {};
}

// The function itself, or functools.partial of one.
Result<Call> resolve(const View& function, int depth = 0) {
  Call call;
  std::string qualified = function.global_name();
  if (qualified.empty() && function.class_name() == "numpy._core._ufunc_reconstruct") {
    TRY_ASSIGN(const View module, function.argument(0));
    TRY_ASSIGN(const View name, function.argument(1));
    TRY_ASSIGN(const std::string module_text, module.as_string());
    TRY_ASSIGN(const std::string name_text, name.as_string());
    qualified = cat(module_text, ".", name_text);
  }
  if (function.class_name() == "functools.partial" && depth < 8) {
    const auto state = function.state();  // (func, args, keywords, __dict__)
    if (!state) return inconsistent(function, "a partial function without its function");
    TRY_ASSIGN(const View target, state->item(0));
    TRY_ASSIGN(const View arguments, state->item(1));
    TRY_ASSIGN(const View keywords, state->item(2));
    TRY_ASSIGN(call, resolve(target, depth + 1));
    TRY_ASSIGN(const std::vector<View> items, arguments.items());
    call.positional.insert(call.positional.end(), items.begin(), items.end());
    TRY(add_keywords(keywords, call));
    return call;
  }
  if (qualified.empty())
    return base::fail(base::Code::kUnsupported, "sklearn.unsupported_parameter",
                      cat(function.where(), ": a FunctionTransformer calls ", function.describe(),
                          ", whose code wherry does not run"),
                      "use a function of numpy, or do this work before the request");
  const auto dot = qualified.rfind('.');
  call.module = qualified.substr(0, dot == std::string::npos ? 0 : dot);
  call.name = qualified.substr(dot + 1);
  return call;
}

bool below(std::string_view module, std::string_view package) {
  return module == package || (module.starts_with(package) && module[package.size()] == '.');
}

// --- numpy's functions of one value ------------------------------------------------------------------------

// What becomes of float32: nothing changes (an exact result), one rounding makes it right, or it is another
// algorithm.
enum class Single { kExact, kRounds, kOther };

struct Ufunc {
  std::string_view name;
  Function function;
  bool keeps_zero = false;  // f(0) = 0: defined for sparse matrices
  Single single = Single::kOther;
};

constexpr Ufunc kUfuncs[] = {
    {"abs", Function::kAbs, true, Single::kExact},
    {"absolute", Function::kAbs, true, Single::kExact},
    {"fabs", Function::kAbs, false, Single::kExact},
    {"negative", Function::kNegate, false, Single::kExact},
    {"sign", Function::kSign, true, Single::kExact},
    {"floor", Function::kFloor, true, Single::kExact},
    {"ceil", Function::kCeil, true, Single::kExact},
    {"trunc", Function::kTrunc, true, Single::kExact},
    {"fix", Function::kTrunc, false, Single::kExact},
    {"rint", Function::kRint, true, Single::kExact},
    {"isnan", Function::kIsNan, false, Single::kExact},
    {"isfinite", Function::kIsFinite, false, Single::kExact},
    {"isinf", Function::kIsInf, false, Single::kExact},
    {"sqrt", Function::kSqrt, true, Single::kRounds},
    {"square", Function::kSquare, false, Single::kRounds},
    {"reciprocal", Function::kReciprocal, false, Single::kRounds},
    {"exp", Function::kExp},
    {"exp2", Function::kExp2},
    {"expm1", Function::kExpm1, true},
    {"log", Function::kLog},
    {"log2", Function::kLog2},
    {"log10", Function::kLog10},
    {"log1p", Function::kLog1p, true},
    {"cbrt", Function::kCbrt},
    {"sin", Function::kSin, true},
    {"cos", Function::kCos},
    {"tan", Function::kTan, true},
    {"sinh", Function::kSinh, true},
    {"cosh", Function::kCosh},
    {"tanh", Function::kTanh, true},
    {"arcsin", Function::kArcsin, true},
    {"arccos", Function::kArccos},
    {"arctan", Function::kArctan, true},
    {"arcsinh", Function::kArcsinh, true},
    {"arccosh", Function::kArccosh},
    {"arctanh", Function::kArctanh, true},
    {"degrees", Function::kDegrees},
    {"rad2deg", Function::kDegrees, true},
    {"radians", Function::kRadians},
    {"deg2rad", Function::kRadians, true},
    {"expit", Function::kExpit},
};

Flow like(const Context& context, const Flow& input, ValueId value) {
  Flow out = made(value, static_cast<std::size_t>(context.width(input)), input.names, input.sparse);
  out.one_dimensional = input.one_dimensional;
  return out;
}

Result<Flow> apply_ufunc(Context& context, const View& where, const Call& call, const Ufunc& ufunc,
                         const Flow& input) {
  if (!call.has_only({})) return refuse(where, call, "arguments which wherry does not know");
  if (input.sparse && !ufunc.keeps_zero)
    return refuse(where, call, "a sparse matrix, which it does not take");
  if (input.float32 && ufunc.single == Single::kOther)
    return unsupported_parameter(where, "a float32 matrix from the step before it");
  TRY_ASSIGN(const ValueId x, context.numbers(input));
  TRY_ASSIGN(ValueId value, context.apply(x, ufunc.function));
  if (input.float32 && ufunc.single == Single::kRounds) {
    TRY_ASSIGN(value, context.apply(value, Function::kRoundFloat32));
  }
  Flow out = like(context, input, value);
  out.float32 = input.float32;
  return out;
}

// --- functions with constants ------------------------------------------------------------------------------

// A number, or `otherwise` where the argument is absent or None.
Result<double> number(const View* argument, double otherwise) {
  if (argument == nullptr || argument->is_none()) return otherwise;
  return argument->as_double();
}

Result<Flow> clip(Context& context, const View& where, const Call& call, const Flow& input) {
  if (!call.has_only({"a_min", "a_max", "min", "max"}))
    return refuse(where, call, "arguments which wherry does not know");
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const View* low_view = call.find("a_min") != nullptr ? call.find("a_min") : call.find("min");
  const View* high_view = call.find("a_max") != nullptr ? call.find("a_max") : call.find("max");
  TRY_ASSIGN(double low, number(low_view, -kInfinity));
  TRY_ASSIGN(const double high, number(high_view, kInfinity));
  if (std::isnan(low) || std::isnan(high)) return refuse(where, call, "a bound that is NaN");
  low = std::min(low, high);
  TRY_ASSIGN(const ValueId x, context.numbers(input));
  TRY_ASSIGN(const ValueId value, context.add(program::Clip{low, high}, {x}));
  return like(context, input, value);
}

Result<Flow> round(Context& context, const View& where, const Call& call, const Flow& input) {
  if (!call.has_only({"decimals"})) return refuse(where, call, "arguments which wherry does not know");
  std::int64_t decimals = 0;
  if (const View* view = call.find("decimals")) {
    TRY_ASSIGN(decimals, view->as_int());
  }
  constexpr std::int64_t kMost = 22;  // powers of ten that are exact
  if (decimals < -kMost || decimals > kMost) return refuse(where, call, "more decimals than a number has");
  const double power = std::pow(10.0, static_cast<double>(std::abs(decimals)));
  TRY_ASSIGN(ValueId x, context.numbers(input));
  if (decimals != 0) {
    TRY_ASSIGN(x, context.arithmetic(x, decimals > 0 ? Arithmetic::kMultiply : Arithmetic::kDivide, {power},
                                     "power_of_ten"));
  }
  TRY_ASSIGN(x, context.apply(x, Function::kRint));
  if (decimals != 0) {
    TRY_ASSIGN(x, context.arithmetic(x, decimals > 0 ? Arithmetic::kDivide : Arithmetic::kMultiply, {power},
                                     "power_of_ten"));
  }
  return like(context, input, x);
}

Result<Flow> nan_to_num(Context& context, const View& where, const Call& call, const Flow& input) {
  if (!call.has_only({"copy", "nan", "posinf", "neginf"}))
    return refuse(where, call, "arguments which wherry does not know");
  program::ReplaceNonFinite op;
  TRY_ASSIGN(op.nan, number(call.find("nan"), 0.0));
  TRY_ASSIGN(op.positive, number(call.find("posinf"), std::numeric_limits<double>::max()));
  TRY_ASSIGN(op.negative, number(call.find("neginf"), std::numeric_limits<double>::lowest()));
  TRY_ASSIGN(const ValueId x, context.numbers(input));
  TRY_ASSIGN(const ValueId value, context.add(op, {x}));
  return like(context, input, value);
}

// A ufunc of two arguments whose first is given by functools.partial.
Result<Flow> with_constant(Context& context, const View& where, const Call& call, const Flow& input) {
  if (call.positional.size() != 1 || !call.keywords.empty())
    return refuse(where, call, "it needs a number as its first argument, from functools.partial");
  TRY_ASSIGN(const double constant, call.positional[0].as_double());
  TRY_ASSIGN(ValueId x, context.numbers(input));
  if (call.name == "add") {
    TRY_ASSIGN(x, context.arithmetic(x, Arithmetic::kAdd, {constant}, "constant"));
  } else if (call.name == "multiply") {
    TRY_ASSIGN(x, context.arithmetic(x, Arithmetic::kMultiply, {constant}, "constant"));
  } else if (call.name == "subtract") {
    TRY_ASSIGN(x, context.apply(x, Function::kNegate));
    TRY_ASSIGN(x, context.arithmetic(x, Arithmetic::kAdd, {constant}, "constant"));
  } else {
    const ConstantOperation operation = call.name == "power" || call.name == "float_power"
                                            ? ConstantOperation::kPowerOfX
                                        : call.name == "maximum" ? ConstantOperation::kMaximum
                                        : call.name == "minimum" ? ConstantOperation::kMinimum
                                                                 : ConstantOperation::kDivideByX;
    TRY_ASSIGN(x, context.add(program::WithConstant{operation, constant}, {x}));
  }
  return like(context, input, x);
}

// --- functions that keep the values ------------------------------------------------------------------------

Result<Flow> as_array(Context& context, const View& where, const Call& call, const Flow& input) {
  if (!call.has_only({"dtype", "copy", "order", "subok", "ndmin"}))
    return refuse(where, call, "arguments which wherry does not know");
  if (input.sparse) return refuse(where, call, "a sparse matrix, which it does not take");
  const View* dtype = call.find("dtype");
  if (dtype == nullptr || dtype->is_none()) {
    context.mark_all(input, program::ColumnType::kAny);
    return input;
  }
  TRY_ASSIGN(ValueId x, context.numbers(input));
  const std::string name =
      dtype->is(pickle::Kind::kStr) ? std::string((*dtype)->text()) : dtype->global_name();
  const bool is_double =
      name == "float" || name == "float64" || name == "builtins.float" || name == "numpy.float64";
  if (!is_double && !is_float32(*dtype)) return refuse(where, call, "a dtype other than float64 and float32");
  if (is_float32(*dtype)) {
    TRY_ASSIGN(x, context.apply(x, Function::kRoundFloat32));
  }
  Flow out = like(context, input, x);
  out.float32 = is_float32(*dtype);
  return out;
}

// One column as an array [n], for a step that wants texts.
Result<Flow> ravel(Context& context, const View& where, const Call& call, const Flow& input) {
  if (!call.has_only({"order"})) return refuse(where, call, "arguments which wherry does not know");
  if (context.width(input) != 1)
    return refuse(where, call, "it joins the columns of all rows, which no request can do on its own");
  Flow out = input;
  context.mark_all(input, program::ColumnType::kAny);
  out.one_dimensional = true;
  return out;
}

// check_array as scikit-learn's own transformers and HistGradientBoosting*._preprocessor have it.
Result<Flow> check_array(Context& context, const View& where, const Call& call, const Flow& input) {
  if (!call.has_only({"dtype", "force_all_finite", "ensure_all_finite", "accept_sparse", "copy"}))
    return refuse(where, call, "arguments which wherry does not know");
  bool finite = true;
  bool allow_nan = false;
  for (const std::string_view name : {"force_all_finite", "ensure_all_finite"}) {
    const View* view = call.find(name);
    if (view == nullptr) continue;
    if (view->is(pickle::Kind::kStr)) {
      allow_nan = (*view)->text() == "allow-nan";
      if (!allow_nan) return refuse(where, call, "a check which wherry does not know");
    } else {
      TRY_ASSIGN(finite, view->as_bool());
    }
  }
  if (const View* view = call.find("dtype"); view != nullptr && !view->is(pickle::Kind::kStr)) {
    std::string name = view->global_name();
    if (const auto list = view->items(); list && list->size() == 1) name = (*list)[0].global_name();
    if (name != "numpy.float64" && name != "builtins.float")
      return refuse(where, call, "another dtype than float64");
  }
  if (input.sparse) return refuse(where, call, "a sparse matrix");
  if (!finite) {
    TRY_ASSIGN(const ValueId x, context.numbers(input));
    return like(context, input, x);
  }
  TRY_ASSIGN(const ValueId x, context.checked(input, "check_array", allow_nan));
  return like(context, input, x);
}

using Apply = Result<Flow> (*)(Context& context, const View& where, const Call& call, const Flow& input);

struct Known {
  std::string_view package;
  std::string_view name;
  Apply apply;
};

constexpr Known kKnown[] = {
    {"numpy", "clip", clip},
    {"numpy", "round", round},
    {"numpy", "round_", round},
    {"numpy", "around", round},
    {"numpy", "nan_to_num", nan_to_num},
    {"numpy", "add", with_constant},
    {"numpy", "multiply", with_constant},
    {"numpy", "subtract", with_constant},
    {"numpy", "divide", with_constant},
    {"numpy", "true_divide", with_constant},
    {"numpy", "power", with_constant},
    {"numpy", "float_power", with_constant},
    {"numpy", "maximum", with_constant},
    {"numpy", "minimum", with_constant},
    {"numpy", "array", as_array},
    {"numpy", "asarray", as_array},
    {"numpy", "asanyarray", as_array},
    {"numpy", "ascontiguousarray", as_array},
    {"numpy", "copy", as_array},
    {"numpy", "positive", as_array},
    {"numpy", "ravel", ravel},
    {"numpy", "squeeze", ravel},
    {"sklearn", "check_array", check_array},
};

struct WholeColumn {
  std::string_view package;
  std::string_view name;
};

// They look at all rows of a call at once.
constexpr WholeColumn kWholeColumns[] = {
    {"sklearn", "scale"},
    {"sklearn", "minmax_scale"},
    {"sklearn", "maxabs_scale"},
    {"sklearn", "robust_scale"},
    {"sklearn", "quantile_transform"},
    {"sklearn", "power_transform"},
    {"numpy", "cumsum"},
    {"numpy", "diff"},
    {"numpy", "sort"},
    {"numpy", "unique"},
    {"numpy", "mean"},
    {"numpy", "sum"},
    {"numpy", "gradient"},
};

Result<Flow> apply_call(Context& context, const View& where, const Call& call, const Flow& input) {
  const bool numpy = below(call.module, "numpy");
  if (numpy || below(call.module, "scipy.special"))
    for (const Ufunc& ufunc : kUfuncs)
      if (ufunc.name == call.name &&
          (numpy ? ufunc.name != "expit"
                 : ufunc.name == "expit" || ufunc.name == "expm1" || ufunc.name == "log1p" ||
                       ufunc.name == "exp2" || ufunc.name == "cbrt"))
        return apply_ufunc(context, where, call, ufunc, input);
  for (const Known& known : kKnown) {
    if (known.name != call.name || !below(call.module, known.package)) continue;
    if (input.sparse || input.float32)
      if (known.apply != as_array && known.apply != ravel && known.apply != check_array)
        return unsupported_parameter(where, "a sparse or float32 matrix from the step before it");
    return known.apply(context, where, call, input);
  }
  for (const WholeColumn& row : kWholeColumns)
    if (row.name == call.name && below(call.module, row.package))
      return refuse(where, call, "its result for a row depends on the other rows of the call");
  if (below(call.module, "numpy") || below(call.module, "scipy") || below(call.module, "sklearn"))
    return refuse(where, call, "not one of those wherry knows");
  return refuse(where, call, "its code is not in the file, and wherry never runs Python");
}

Result<Fitted> lower_function_transformer(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View function, estimator.attr("func"));
  TRY_ASSIGN(const bool validate, flag(estimator, "validate", false));
  Flow flow = input;
  if (validate) {
    TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false));
    flow = like(context, input, x);
    flow.float32 = input.float32;
  }
  Fitted fitted;
  if (function.is_none()) {
    context.mark_all(flow, program::ColumnType::kAny);
    fitted.transform = std::move(flow);
    return fitted;
  }
  TRY_ASSIGN(Call call, resolve(function));
  if (const auto arguments = estimator.find("kw_args"); arguments && !arguments->is_none()) {
    TRY(add_keywords(*arguments, call));
  }
  TRY_ASSIGN(fitted.transform, apply_call(context, function, call, flow));
  return fitted;
}

constexpr EstimatorRow kFunctionsRows[] = {
    {"FunctionTransformer", "sklearn.preprocessing._function_transformer", "", lower_function_transformer},
};

}  // namespace

std::span<const EstimatorRow> functions_rows() {
  return kFunctionsRows;
}

}  // namespace wherry::sklearn
