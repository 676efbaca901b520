// Arithmetic on matrices: every operation rounds on its own, in the order program/ops.h states.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/kernel_loops.h"
#include "engine/row_sum.h"

namespace wherry::engine {
namespace {

// out[i,j] = function(in[i,j], operand[j]).
template <class F>
Kernel columnwise(const Wiring& wiring, std::vector<double> operand, F function) {
  if (operand.size() == 1) operand.resize(wiring.width_of(wiring.input()), operand[0]);
  return elementwise_by_column(
      wiring, [=, operand = std::move(operand)](double x, std::size_t j) { return function(x, operand[j]); });
}

// A matrix product with each sum in ascending order of j. Sums of eight outputs, or of four rows when outputs
// are few, proceed side by side; no sum is ever split.
class Dot {
 public:
  Dot(std::vector<double> coefficients, std::vector<double> intercept, std::size_t width)
      : rowwise_(std::move(coefficients)), intercept_(std::move(intercept)), width_(width) {
    const std::size_t blocked = intercept_.size() - intercept_.size() % kLanes;
    blocks_.resize(blocked * width_);
    for (std::size_t k = 0; k < blocked; ++k)
      for (std::size_t j = 0; j < width_; ++j)
        blocks_[(k / kLanes * width_ + j) * kLanes + k % kLanes] = rowwise_[k * width_ + j];
  }

  void run(const double* in, std::size_t rows, double* out) const {
    const std::size_t outputs = intercept_.size();
    const std::size_t blocked = outputs - outputs % kLanes;
    for (std::size_t k = 0; k < blocked; k += kLanes)
      for (std::size_t row = 0; row < rows; ++row) block(in + row * width_, k, out + row * outputs + k);
    for (std::size_t k = blocked; k < outputs; ++k) {
      std::size_t row = 0;
      for (; row + kRows <= rows; row += kRows) column<kRows>(in + row * width_, k, out + row * outputs + k);
      for (; row < rows; ++row) column<1>(in + row * width_, k, out + row * outputs + k);
    }
  }

 private:
  static constexpr std::size_t kLanes = 8;
  static constexpr std::size_t kRows = 4;

  void block(const double* x, std::size_t k, double* out) const {
    double sum[kLanes] = {};
    const double* c = blocks_.data() + k * width_;
    for (std::size_t j = 0; j < width_; ++j, c += kLanes)
      for (std::size_t l = 0; l < kLanes; ++l) sum[l] += x[j] * c[l];
    for (std::size_t l = 0; l < kLanes; ++l) out[l] = sum[l] + intercept_[k + l];
  }

  template <std::size_t kCount>
  void column(const double* x, std::size_t k, double* out) const {
    double sum[kCount] = {};
    const double* c = rowwise_.data() + k * width_;
    for (std::size_t j = 0; j < width_; ++j)
      for (std::size_t l = 0; l < kCount; ++l) sum[l] += x[l * width_ + j] * c[j];
    for (std::size_t l = 0; l < kCount; ++l) out[l * intercept_.size()] = sum[l] + intercept_[k];
  }

  std::vector<double> rowwise_;  // as given: [outputs, width]
  std::vector<double> blocks_;   // eight outputs side by side: [outputs / 8, width, 8]
  std::vector<double> intercept_;
  std::size_t width_;
};

double sequential_sum(const double* values, std::size_t count) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += values[i];
  return sum;
}

void softmax(const program::Softmax& op, const double* x, std::size_t width, double* out) {
  double most = -INFINITY;
  for (std::size_t j = 0; j < width; ++j)
    if (x[j] > most || std::isnan(x[j])) most = x[j];
  if (op.via_log && !std::isfinite(most)) most = 0;  // scipy.special.logsumexp
  for (std::size_t j = 0; j < width; ++j) out[j] = std::exp(x[j] - most);
  const double sum =
      op.row_sum == program::RowSum::kPairwise ? row_sum(out, width) : sequential_sum(out, width);
  if (op.via_log) {
    const double log_sum = std::log(sum) + most;
    for (std::size_t j = 0; j < width; ++j) out[j] = std::exp(x[j] - log_sum);
  } else {
    for (std::size_t j = 0; j < width; ++j) out[j] /= sum;
  }
}

void normalize(program::ZeroSum zero_sum, const double* x, std::size_t width, double* out) {
  const double sum = row_sum(x, width);
  if (sum != 0 || zero_sum == program::ZeroSum::kDivide) {
    for (std::size_t j = 0; j < width; ++j) out[j] = x[j] / sum;
  } else if (zero_sum == program::ZeroSum::kUniform) {
    std::fill_n(out, width, 1.0 / static_cast<double>(width));
  } else {
    std::copy_n(x, width, out);
  }
}

void multinomial_logit(const double* x, std::size_t width, double* out) {
  for (std::size_t j = 0; j < width; ++j) out[j] = std::log(x[j]);
  const double mean = std::exp(row_sum(out, width) / static_cast<double>(width));
  for (std::size_t j = 0; j < width; ++j) out[j] = std::log(x[j] / mean);
}

double log_odds(double x) {
  return std::log(x / (1.0 - x));
}

double logit(double x) {
  if (x < 0.3 || x > 0.65) return log_odds(x);
  const double s = 2.0 * (x - 0.5);
  return std::log1p(s) - std::log1p(-s);
}

double sign(double x) {
  return x > 0 ? 1.0 : x < 0 ? -1.0 : x == 0 ? 0.0 : x;
}

// scipy/special/cephes/ndtr.c
double normal_cdf(double x) {
  const double scaled = x * (std::numbers::sqrt2 / 2);
  if (std::abs(scaled) < std::numbers::sqrt2 / 2) return 0.5 + 0.5 * std::erf(scaled);
  const double tail = 0.5 * std::erfc(std::abs(scaled));
  return scaled > 0 ? 1.0 - tail : tail;
}

// The functions numpy calls ufuncs, beyond those models are made of.
MadeKernel numpy_function(program::Function function, const Wiring& wiring) {
  constexpr double kPi = std::numbers::pi;
  using program::Function;
  switch (function) {
    case Function::kLog2:
      return elementwise(wiring, [](double x) { return std::log2(x); });
    case Function::kLog10:
      return elementwise(wiring, [](double x) { return std::log10(x); });
    case Function::kExp2:
      return elementwise(wiring, [](double x) { return std::exp2(x); });
    case Function::kCbrt:
      return elementwise(wiring, [](double x) { return std::cbrt(x); });
    case Function::kSin:
      return elementwise(wiring, [](double x) { return std::sin(x); });
    case Function::kCos:
      return elementwise(wiring, [](double x) { return std::cos(x); });
    case Function::kTan:
      return elementwise(wiring, [](double x) { return std::tan(x); });
    case Function::kSinh:
      return elementwise(wiring, [](double x) { return std::sinh(x); });
    case Function::kCosh:
      return elementwise(wiring, [](double x) { return std::cosh(x); });
    case Function::kArcsin:
      return elementwise(wiring, [](double x) { return std::asin(x); });
    case Function::kArccos:
      return elementwise(wiring, [](double x) { return std::acos(x); });
    case Function::kArctan:
      return elementwise(wiring, [](double x) { return std::atan(x); });
    case Function::kArcsinh:
      return elementwise(wiring, [](double x) { return std::asinh(x); });
    case Function::kArccosh:
      return elementwise(wiring, [](double x) { return std::acosh(x); });
    case Function::kArctanh:
      return elementwise(wiring, [](double x) { return std::atanh(x); });
    case Function::kFloor:
      return elementwise(wiring, [](double x) { return std::floor(x); });
    case Function::kCeil:
      return elementwise(wiring, [](double x) { return std::ceil(x); });
    case Function::kTrunc:
      return elementwise(wiring, [](double x) { return std::trunc(x); });
    case Function::kRint:
      return elementwise(wiring, [](double x) { return std::nearbyint(x); });
    case Function::kSign:
      return elementwise(wiring, sign);
    case Function::kIsNan:
      return elementwise(wiring, [](double x) { return std::isnan(x) ? 1.0 : 0.0; });
    case Function::kIsFinite:
      return elementwise(wiring, [](double x) { return std::isfinite(x) ? 1.0 : 0.0; });
    case Function::kIsInf:
      return elementwise(wiring, [](double x) { return std::isinf(x) ? 1.0 : 0.0; });
    case Function::kDegrees:
      return elementwise(wiring, [](double x) { return x * (180.0 / kPi); });
    case Function::kSignedSquare:
      return elementwise(wiring, [](double x) { return ((x > 0 ? 1.0 : x < 0 ? -1.0 : 0.0) * x) * x; });
    case Function::kRadians:
      return elementwise(wiring, [](double x) { return x * (kPi / 180.0); });
    case Function::kNormalCdf:
      return elementwise(wiring, normal_cdf);
    default:
      return base::fail(base::Code::kUnsupported, "engine.operation", "unknown function");
  }
}

}  // namespace

MadeKernel make_kernel(const program::Columnwise& op, const Wiring& wiring) {
  if (wiring.is_sparse(wiring.input())) return make_sparse_kernel(op, wiring);
  std::vector<double> operand = wiring.numbers(op.operand);
  switch (op.operation) {
    case program::Arithmetic::kAdd:
      return columnwise(wiring, std::move(operand), [](double x, double y) { return x + y; });
    case program::Arithmetic::kSubtract:
      return columnwise(wiring, std::move(operand), [](double x, double y) { return x - y; });
    case program::Arithmetic::kMultiply:
      return columnwise(wiring, std::move(operand), [](double x, double y) { return x * y; });
    case program::Arithmetic::kDivide:
      return columnwise(wiring, std::move(operand), [](double x, double y) { return x / y; });
  }
  return base::fail(base::Code::kUnsupported, "engine.operation", "unknown arithmetic operation");
}

MadeKernel make_kernel(const program::Clip& op, const Wiring& wiring) {
  return elementwise(wiring, [low = op.low, high = op.high](double x) {
    return x < low ? low : x > high ? high : x;
  });
}

MadeKernel make_kernel(const program::Apply& op, const Wiring& wiring) {
  switch (op.function) {
    case program::Function::kExpit:
      return elementwise(wiring, [](double x) { return 1.0 / (1.0 + std::exp(-x)); });
    case program::Function::kExp:
      return elementwise(wiring, [](double x) { return std::exp(x); });
    case program::Function::kNegate:
      return elementwise(wiring, [](double x) { return -x; });
    case program::Function::kReciprocal:
      return elementwise(wiring, [](double x) { return 1.0 / x; });
    case program::Function::kSquare:
      return elementwise(wiring, [](double x) { return x * x; });
    case program::Function::kSqrt:
      return elementwise(wiring, [](double x) { return std::sqrt(x); });
    case program::Function::kLog:
      return elementwise(wiring, [](double x) { return std::log(x); });
    case program::Function::kLog1p:
      return elementwise(wiring, [](double x) { return std::log1p(x); });
    case program::Function::kExpm1:
      return elementwise(wiring, [](double x) { return std::expm1(x); });
    case program::Function::kAbs:
      return elementwise(wiring, [](double x) { return std::abs(x); });
    case program::Function::kTanh:
      return elementwise(wiring, [](double x) { return std::tanh(x); });
    case program::Function::kRelu:
      return elementwise(wiring, [](double x) { return x < 0 ? 0.0 : x; });
    case program::Function::kLogit:
      return elementwise(wiring, logit);
    case program::Function::kLogOdds:
      return elementwise(wiring, log_odds);
    case program::Function::kRoundFloat32:
      return elementwise(wiring, [](double x) { return static_cast<double>(static_cast<float>(x)); });
    default:
      return numpy_function(op.function, wiring);
  }
}

MadeKernel make_kernel(const program::Linear& op, const Wiring& wiring) {
  if (wiring.is_sparse(wiring.input())) return make_sparse_kernel(op, wiring);
  const auto in = wiring.input();
  const auto out = wiring.output();
  return Kernel{[=, dot = Dot(wiring.numbers(op.coefficients), wiring.numbers(op.intercept),
                              wiring.width_of(in))](const Frame& frame) -> base::Status {
    dot.run(frame.matrix(in), frame.rows(), frame.make_matrix(out));
    return {};
  }};
}

MadeKernel make_kernel(const program::Softmax& op, const Wiring& wiring) {
  return rowwise(wiring,
                 [op](const double* x, std::size_t width, double* out) { softmax(op, x, width, out); });
}

MadeKernel make_kernel(const program::NormalizeRows& op, const Wiring& wiring) {
  return rowwise(wiring, [zero_sum = op.zero_sum](const double* x, std::size_t width, double* out) {
    normalize(zero_sum, x, width, out);
  });
}

MadeKernel make_kernel(const program::MultinomialLogit&, const Wiring& wiring) {
  return rowwise(wiring, multinomial_logit);
}

MadeKernel make_kernel(const program::Constant& op, const Wiring& wiring) {
  const auto out = wiring.output();
  return Kernel{[=, row = wiring.numbers(op.row)](const Frame& frame) -> base::Status {
    double* to = frame.make_matrix(out);
    for (std::size_t i = 0; i < frame.rows(); ++i) to = std::copy(row.begin(), row.end(), to);
    return {};
  }};
}

MadeKernel make_kernel(const program::Complement&, const Wiring& wiring) {
  return rowwise(wiring, [](const double* x, std::size_t, double* out) {
    out[0] = 1.0 - x[0];
    out[1] = x[0];
  });
}

}  // namespace wherry::engine
