// sklearn/metrics/pairwise.py (pairwise_kernels) and sklearn/gaussian_process/kernels.py.
#include "import/sklearn/similarity.h"

#include <cmath>
#include <limits>
#include <numbers>

#include "import/sklearn/matrices.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using pickle::Matrix;
using program::Arithmetic;
using program::KernelFunction;
using program::KernelMatrix;

struct NamedFunction {
  std::string_view name;
  KernelFunction function;
};
constexpr NamedFunction kFunctions[] = {
    {"linear", KernelFunction::kLinear},
    {"poly", KernelFunction::kPolynomial},
    {"polynomial", KernelFunction::kPolynomial},
    {"sigmoid", KernelFunction::kSigmoid},
    {"rbf", KernelFunction::kRbf},
    {"laplacian", KernelFunction::kLaplacian},
    {"cosine", KernelFunction::kCosine},
    {"additive_chi2", KernelFunction::kAdditiveChi2},
    {"chi2", KernelFunction::kChi2},
};

Result<KernelFunction> function_of(const View& where, std::string_view name) {
  for (const NamedFunction& row : kFunctions)
    if (row.name == name) return row.function;
  return unsupported_parameter(where, cat("the kernel ", base::quoted(name)));
}

bool is_chi2(KernelFunction function) {
  return function == KernelFunction::kChi2 || function == KernelFunction::kAdditiveChi2;
}

double default_gamma(KernelFunction function, std::int64_t columns) {
  if (is_chi2(function)) return 1;
  return 1.0 / static_cast<double>(columns);
}

// sklearn.preprocessing.normalize; since 1.0 norms below `least` count as 0.
void normalize_rows(Matrix& rows, double least) {
  const auto width = static_cast<std::size_t>(rows.columns);
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows.rows); ++i) {
    double* row = rows.values.data() + i * width;
    double norm = 0;
    for (std::size_t j = 0; j < width; ++j) norm += row[j] * row[j];
    norm = std::sqrt(norm);
    for (std::size_t j = 0; j < width; ++j) row[j] /= norm == 0 || norm < least ? 1.0 : norm;
  }
}

Result<ValueId> add_kernel(Context& context, ValueId x, KernelMatrix op, Matrix rows) {
  op.rows = context.matrix("rows", rows.rows, rows.columns, std::move(rows.values));
  return context.add(op, {x});
}

// A kernel's value: a matrix, or one number everywhere.
struct Value {
  double number = 0;
  std::optional<ValueId> matrix;
};

// What the leaves of a kernel object become: K(X, rows), or the diagonal of K(X, X).
class Leaves {
 public:
  virtual ~Leaves() = default;
  virtual Result<Value> white(double noise) = 0;
  virtual Result<Value> leaf(const View& kernel, const std::string& name) = 0;
};

Result<Value> apply(Context& context, Value left, Arithmetic operation, Value right) {
  const auto fold = [&](double a, double b) { return operation == Arithmetic::kAdd ? a + b : a * b; };
  if (!left.matrix) std::swap(left, right);  // both operations commute
  if (!left.matrix) return Value{.number = fold(left.number, right.number)};
  Result<ValueId> value = right.matrix ? combine(context, *left.matrix, operation, *right.matrix)
                                       : context.arithmetic(*left.matrix, operation, {right.number}, "k");
  TRY(value);
  return Value{.matrix = *value};
}

Result<Value> kernel_value(Context& context, const View& kernel, Leaves& leaves, int depth) {
  constexpr int kDeepest = 32;
  constexpr std::string_view kModule = "sklearn.gaussian_process.kernels.";
  const std::string qualified = kernel.class_name();
  if (!qualified.starts_with(kModule))
    return unsupported_parameter(kernel,
                                 cat("the kernel ", qualified.empty() ? kernel.describe() : qualified));
  const std::string name = qualified.substr(kModule.size());
  if (depth > kDeepest || ++context.estimators > 10'000)
    return inconsistent(kernel, "kernels nested too deeply");
  if (name == "Sum" || name == "Product") {
    TRY_ASSIGN(const View k1, kernel.attr("k1"));
    TRY_ASSIGN(const View k2, kernel.attr("k2"));
    TRY_ASSIGN(const Value left, kernel_value(context, k1, leaves, depth + 1));
    TRY_ASSIGN(const Value right, kernel_value(context, k2, leaves, depth + 1));
    return apply(context, left, name == "Sum" ? Arithmetic::kAdd : Arithmetic::kMultiply, right);
  }
  if (name == "Exponentiation") {
    TRY_ASSIGN(const View inner, kernel.attr("kernel"));
    TRY_ASSIGN(const View power, kernel.attr("exponent"));
    TRY_ASSIGN(const double exponent, power.as_double());
    TRY_ASSIGN(const Value value, kernel_value(context, inner, leaves, depth + 1));
    if (!value.matrix) return Value{.number = std::pow(value.number, exponent)};
    TRY_ASSIGN(const ValueId raised, context.add(program::Power{exponent}, {*value.matrix}));
    return Value{.matrix = raised};
  }
  if (name == "ConstantKernel") {
    TRY_ASSIGN(const View constant, kernel.attr("constant_value"));
    TRY_ASSIGN(const double number, constant.as_double());
    return Value{.number = number};
  }
  if (name == "WhiteKernel") {
    TRY_ASSIGN(const View level, kernel.attr("noise_level"));
    TRY_ASSIGN(const double noise, level.as_double());
    return leaves.white(noise);
  }
  return leaves.leaf(kernel, name);
}

Result<double> one_number(const View& kernel, std::string_view attribute) {
  TRY_ASSIGN(const View view, kernel.attr(attribute));
  if (const auto single = view.as_double()) return *single;
  TRY_ASSIGN(const auto values, view.doubles());
  if (values.size() != 1) return view.wrong("one number");
  return values[0];
}

Result<PairwiseKernel> pairwise_of(const View& kernel) {
  PairwiseKernel out;
  TRY_ASSIGN(const View metric, kernel.attr("metric"));
  if (metric.kind() != pickle::Kind::kStr)
    return unsupported_parameter(metric, "a Python function as kernel");
  TRY_ASSIGN(out.name, metric.as_string());
  TRY_ASSIGN(out.gamma, one_number(kernel, "gamma"));
  const auto arguments = kernel.find("pairwise_kernels_kwargs");
  if (!arguments || arguments->is_none()) return out;
  TRY_ASSIGN(const auto entries, arguments->entries());
  for (const auto& [key, value] : entries) {
    TRY_ASSIGN(const std::string name, key.as_string());
    if (name == "degree") {
      TRY_ASSIGN(out.degree, value.as_double());
    } else if (name == "coef0") {
      TRY_ASSIGN(out.coef0, value.as_double());
    } else {
      return unsupported_parameter(*arguments, cat("the argument ", base::quoted(name)));
    }
  }
  return out;
}

class WithRows : public Leaves {
 public:
  WithRows(Context& context, ValueId x, Matrix rows, bool float32)
      : context_(context), x_(x), rows_(std::move(rows)), float32_(float32) {}

  Result<Value> white(double) override { return Value{.number = 0}; }

  Result<Value> leaf(const View& kernel, const std::string& name) override {
    TRY(context_.charge(kernel, rows_.values.size()));
    if (name == "RBF") {
      return scaled(kernel, {.function = KernelFunction::kRbfOfDifferences, .gamma = 0.5});
    }
    if (name == "Matern") {
      TRY_ASSIGN(const double nu, one_number(kernel, "nu"));
      return scaled(kernel, {.function = KernelFunction::kMatern, .degree = nu});
    }
    if (name == "RationalQuadratic") {
      TRY_ASSIGN(const double alpha, one_number(kernel, "alpha"));
      TRY_ASSIGN(const double length, one_number(kernel, "length_scale"));
      return plain({.function = KernelFunction::kRationalQuadratic,
                    .gamma = alpha,
                    .coef0 = 2 * alpha * (length * length)});
    }
    if (name == "ExpSineSquared") {
      TRY_ASSIGN(const double length, one_number(kernel, "length_scale"));
      TRY_ASSIGN(const double periodicity, one_number(kernel, "periodicity"));
      return plain({.function = KernelFunction::kExpSineSquared,
                    .gamma = std::numbers::pi / periodicity,
                    .coef0 = length});
    }
    if (name == "DotProduct") {
      TRY_ASSIGN(const double sigma, one_number(kernel, "sigma_0"));
      TRY_ASSIGN(const Value dot, plain({.function = KernelFunction::kLinear}));
      return apply(context_, dot, Arithmetic::kAdd, Value{.number = sigma * sigma});
    }
    if (name == "PairwiseKernel") {
      TRY_ASSIGN(const PairwiseKernel pairwise, pairwise_of(kernel));
      TRY_ASSIGN(const ValueId value, kernel_matrix(context_, kernel, x_, rows_, pairwise));
      return Value{.matrix = value};
    }
    return unsupported_parameter(kernel, cat("the kernel ", name));
  }

 private:
  Result<Value> plain(const KernelMatrix& op) {
    TRY_ASSIGN(const ValueId value, add_kernel(context_, x_, op, rows_));
    return Value{.matrix = value};
  }

  // Both sides divided by length_scale. A float32 X_train divided by one number stays float32 before numpy 2.
  Result<Value> scaled(const View& kernel, const KernelMatrix& op) {
    TRY_ASSIGN(const View view, kernel.attr("length_scale"));
    std::vector<double> scale;
    if (const auto single = view.as_double()) {
      scale = {*single};
    } else {
      TRY_ASSIGN(scale, view.doubles());
    }
    const auto width = static_cast<std::size_t>(rows_.columns);
    if (scale.size() != 1 && scale.size() != width)
      return inconsistent(view, cat(scale.size(), " numbers for ", width, " columns"));
    const bool rounds = float32_ && scale.size() == 1 && !context_.version().at_least(1, 5);
    Matrix rows = rows_;
    for (std::size_t i = 0; i < rows.values.size(); ++i) {
      const double divisor = scale[scale.size() == 1 ? 0 : i % width];
      rows.values[i] =
          rounds ? static_cast<double>(static_cast<float>(rows.values[i]) / static_cast<float>(divisor))
                 : rows.values[i] / divisor;
    }
    TRY_ASSIGN(const ValueId x,
               context_.arithmetic(x_, Arithmetic::kDivide, std::move(scale), "length_scale"));
    TRY_ASSIGN(const ValueId value, add_kernel(context_, x, op, std::move(rows)));
    return Value{.matrix = value};
  }

  Context& context_;
  ValueId x_;
  Matrix rows_;
  bool float32_;
};

class WithItself : public Leaves {
 public:
  WithItself(Context& context, ValueId x) : context_(context), x_(x) {}

  Result<Value> white(double noise) override { return Value{.number = noise}; }

  Result<Value> leaf(const View& kernel, const std::string& name) override {
    for (const std::string_view normalized : {"RBF", "Matern", "RationalQuadratic", "ExpSineSquared"})
      if (name == normalized) return Value{.number = 1};
    if (name == "DotProduct") {
      TRY_ASSIGN(const double sigma, one_number(kernel, "sigma_0"));
      TRY_ASSIGN(const Value dot, squares());
      return apply(context_, dot, Arithmetic::kAdd, Value{.number = sigma * sigma});
    }
    if (name != "PairwiseKernel") return unsupported_parameter(kernel, cat("the kernel ", name));
    TRY_ASSIGN(const PairwiseKernel pairwise, pairwise_of(kernel));
    return pairwise_diagonal(kernel, pairwise);
  }

 private:
  Result<Value> squares() {
    TRY_ASSIGN(const ValueId sums, context_.add(program::SumRows{.squares = true}, {x_}));
    return Value{.matrix = sums};
  }

  Result<Value> pairwise_diagonal(const View& where, const PairwiseKernel& kernel) {
    TRY_ASSIGN(const KernelFunction function, function_of(where, kernel.name));
    switch (function) {
      case KernelFunction::kRbf:
      case KernelFunction::kLaplacian:
      case KernelFunction::kChi2:
        return Value{.number = 1};
      case KernelFunction::kAdditiveChi2:
        return Value{.number = 0};
      case KernelFunction::kLinear:
        return squares();
      case KernelFunction::kPolynomial:
      case KernelFunction::kSigmoid: {
        TRY_ASSIGN(Value value, squares());
        TRY_ASSIGN(value, apply(context_, value, Arithmetic::kMultiply, Value{.number = *kernel.gamma}));
        TRY_ASSIGN(value, apply(context_, value, Arithmetic::kAdd, Value{.number = kernel.coef0}));
        Result<ValueId> out = function == KernelFunction::kSigmoid
                                  ? context_.apply(*value.matrix, program::Function::kTanh)
                                  : context_.add(program::Power{kernel.degree}, {*value.matrix});
        TRY(out);
        return Value{.matrix = *out};
      }
      default:
        return unsupported_parameter(where, "a cosine kernel where the variance is needed");
    }
  }

  Context& context_;
  ValueId x_;
};

}  // namespace

Result<PairwiseKernel> pairwise_kernel(const View& estimator, std::string_view kernel) {
  PairwiseKernel out;
  TRY_ASSIGN(const View name, estimator.attr(kernel));
  if (!name.is(pickle::Kind::kStr)) return unsupported_parameter(name, "a Python function as kernel");
  TRY_ASSIGN(out.name, name.as_string());
  const auto read = [&](std::string_view attribute, auto& value) -> Status {
    const auto view = estimator.find(attribute);
    if (!view || view->is_none()) return {};
    TRY_ASSIGN(value, view->as_double());
    return {};
  };
  TRY(read("gamma", out.gamma));
  TRY(read("degree", out.degree));
  TRY(read("coef0", out.coef0));
  return out;
}

Result<ValueId> kernel_matrix(Context& context, const View& where, ValueId x, Matrix rows,
                              const PairwiseKernel& kernel) {
  const std::int64_t columns = context.width(Flow{.value = x});
  if (kernel.name == "precomputed") {
    if (rows.rows != columns)
      return inconsistent(where, cat("a kernel with ", rows.rows, " rows has ", columns, " columns"));
    return x;
  }
  if (rows.columns != columns || rows.rows < 1)
    return inconsistent(where, cat("rows of ", rows.columns, " columns for an input of ", columns));
  KernelMatrix op;
  TRY_ASSIGN(op.function, function_of(where, kernel.name));
  op.gamma = kernel.gamma.value_or(default_gamma(op.function, columns));
  op.degree = kernel.degree;
  op.coef0 = kernel.coef0;
  if (op.function == KernelFunction::kCosine) {
    op.coef0 = context.version().at_least(1, 0) ? 10 * std::numeric_limits<double>::epsilon() : 0;
    normalize_rows(rows, op.coef0);
  }
  if (is_chi2(op.function)) {
    TRY_ASSIGN(
        x,
        context.add(program::CheckLeast{.least = 0, .estimator = cat("the ", kernel.name, " kernel")}, {x}));
  }
  context.note_products();
  return add_kernel(context, x, op, std::move(rows));
}

Result<ValueId> process_kernel(Context& context, const View& kernel, ValueId x, const View& rows) {
  TRY_ASSIGN(Matrix matrix, dense_matrix(context, rows));
  if (matrix.columns != context.width(Flow{.value = x}) || matrix.rows < 1)
    return inconsistent(rows, cat("rows of ", matrix.columns, " columns"));
  const auto count = static_cast<std::size_t>(matrix.rows);
  WithRows leaves(context, x, std::move(matrix), is_float32_array(rows));
  TRY_ASSIGN(const Value value, kernel_value(context, kernel, leaves, 0));
  if (value.matrix) return *value.matrix;
  return constant(context, std::vector<double>(count, value.number), x);
}

Result<ValueId> process_kernel_diagonal(Context& context, const View& kernel, ValueId x) {
  WithItself leaves(context, x);
  TRY_ASSIGN(const Value value, kernel_value(context, kernel, leaves, 0));
  if (value.matrix) return *value.matrix;
  return constant(context, {value.number}, x);
}

}  // namespace wherry::sklearn
