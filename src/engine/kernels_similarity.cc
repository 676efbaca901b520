// Kernel functions of rows with stored rows, as KernelFunction of program/ops_kernels.h states them.
#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <memory>
#include <numbers>

#include "engine/kernels.h"
#include "engine/row_blocks.h"

namespace wherry::engine {
namespace {

using program::KernelFunction;

double product(double x, double y) {
  return x * y;
}
double squared_difference(double x, double y) {
  return (x - y) * (x - y);
}
double difference(double x, double y) {
  return std::abs(x - y);
}
double chi2_term(double x, double y) {
  return x + y != 0 ? (x - y) * (x - y) / (x + y) : 0.0;
}

// libsvm's powi
double integer_power(double base, std::int64_t times) {
  double result = 1.0;
  for (; times > 0; times /= 2) {
    if (times % 2 == 1) result *= base;
    base *= base;
  }
  return result;
}

double power(double base, double exponent) {
  return exponent == 2 ? base * base : exponent == 1 ? base : std::pow(base, exponent);
}

// K_nu(t) for t > 0. libstdc++ gives up beyond some 15,000; there it is 0 anyway.
double bessel(double nu, double t) {
  if (std::isnan(t)) return t;
  constexpr double kUnderflow = 1000;
  if (t > kUnderflow + nu * nu) return 0.0;
  try {
    return std::cyl_bessel_k(nu, t);
  } catch (const std::exception&) {
    return NAN;
  }
}

// A Matern kernel of general nu at distance d.
double general_matern(double nu, double scale, double d) {
  const double t = std::sqrt(2 * nu) * (d == 0 ? std::numeric_limits<double>::epsilon() : d);
  return scale * std::pow(t, nu) * bessel(nu, t);
}

double square_norm(const double* x, std::size_t width) {
  double sum = 0;
  for (std::size_t j = 0; j < width; ++j) sum += x[j] * x[j];
  return sum;
}

// The stored rows and how one row becomes its kernel values with them.
class Similarity {
 public:
  Similarity(const program::KernelMatrix& op, std::span<const double> rows, std::size_t count,
             std::size_t width)
      : function_(op.function),
        gamma_(op.gamma),
        coef0_(op.coef0),
        degree_(op.degree),
        width_(width),
        rows_(rows, count, width) {
    if (function_ == KernelFunction::kRbf)
      for (std::size_t i = 0; i < rows_.count(); ++i)
        norms_.push_back(square_norm(rows.data() + i * width, width));
    if (function_ == KernelFunction::kMatern)
      matern_scale_ = std::pow(2.0, 1.0 - degree_) / std::tgamma(degree_);
  }

  std::size_t count() const { return rows_.count(); }

  // `scratch` holds `width` numbers.
  void run(const double* x, double* out, double* scratch) const {
    switch (function_) {
      case KernelFunction::kLinear:
        return rows_.sums(x, out, product);
      case KernelFunction::kPolynomial:
        rows_.sums(x, out, product);
        return each(out, [this](double dot) { return power(dot * gamma_ + coef0_, degree_); });
      case KernelFunction::kIntegerPolynomial:
        rows_.sums(x, out, product);
        return each(out, [this](double dot) {
          return integer_power(dot * gamma_ + coef0_, static_cast<std::int64_t>(degree_));
        });
      case KernelFunction::kSigmoid:
        rows_.sums(x, out, product);
        return each(out, [this](double dot) { return std::tanh(dot * gamma_ + coef0_); });
      case KernelFunction::kRbf:
        return rbf(x, out);
      case KernelFunction::kCosine:
        return cosine(x, out, scratch);
      case KernelFunction::kLaplacian:
        rows_.sums(x, out, difference);
        return each(out, [this](double d) { return std::exp(-gamma_ * d); });
      case KernelFunction::kAdditiveChi2:
        rows_.sums(x, out, chi2_term);
        return each(out, [](double sum) { return -sum; });
      case KernelFunction::kChi2:
        rows_.sums(x, out, chi2_term);
        return each(out, [this](double sum) { return std::exp(-sum * gamma_); });
      default:
        rows_.sums(x, out, squared_difference);
        return stationary(out);
    }
  }

 private:
  template <class F>
  void each(double* values, F function) const {
    for (std::size_t i = 0; i < rows_.count(); ++i) values[i] = function(values[i]);
  }

  void rbf(const double* x, double* out) const {
    rows_.sums(x, out, product);
    const double norm = square_norm(x, width_);
    for (std::size_t i = 0; i < rows_.count(); ++i) {
      const double distance = -2 * out[i] + norm + norms_[i];
      out[i] = std::exp(-gamma_ * (distance < 0 ? 0.0 : distance));
    }
  }

  void cosine(const double* x, double* out, double* scratch) const {
    const double norm = std::sqrt(square_norm(x, width_));
    for (std::size_t j = 0; j < width_; ++j) scratch[j] = x[j] / (norm == 0 || norm < coef0_ ? 1.0 : norm);
    rows_.sums(scratch, out, product);
  }

  // Of squared distances.
  void stationary(double* out) const {
    if (function_ == KernelFunction::kRbfOfDifferences)
      return each(out, [this](double d2) { return std::exp(-gamma_ * d2); });
    if (function_ == KernelFunction::kRationalQuadratic)
      return each(out, [this](double d2) { return power(1 + d2 / coef0_, -gamma_); });
    if (function_ == KernelFunction::kExpSineSquared)
      return each(out, [this](double d2) {
        const double ratio = std::sin(gamma_ * std::sqrt(d2)) / coef0_;
        return std::exp(-2 * (ratio * ratio));
      });
    matern(out);
  }

  void matern(double* out) const {
    if (degree_ == 0.5) return each(out, [](double d2) { return std::exp(-std::sqrt(d2)); });
    if (degree_ == 1.5)
      return each(out, [](double d2) {
        const double k = std::sqrt(d2) * std::numbers::sqrt3;
        return (1.0 + k) * std::exp(-k);
      });
    if (degree_ == 2.5)
      return each(out, [](double d2) {
        const double k = std::sqrt(d2) * std::sqrt(5.0);
        return (1.0 + k + k * k / 3.0) * std::exp(-k);
      });
    if (std::isinf(degree_))
      return each(out, [](double d2) {
        const double d = std::sqrt(d2);
        return std::exp(-(d * d) / 2.0);
      });
    each(out, [this](double d2) { return general_matern(degree_, matern_scale_, std::sqrt(d2)); });
  }

  KernelFunction function_;
  double gamma_, coef0_, degree_;
  std::size_t width_;
  RowBlocks rows_;
  std::vector<double> norms_;  // kRbf: Σ y² of each row
  double matern_scale_ = 0;
};

}  // namespace

MadeKernel make_kernel(const program::KernelMatrix& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const std::size_t width = wiring.width_of(in);
  auto similarity = std::make_shared<const Similarity>(op, wiring.program.weight(op.rows).as<double>(),
                                                       wiring.width_of(out), width);
  constexpr std::size_t kBestValues = 1 << 16;
  Kernel kernel;
  kernel.best_rows = std::clamp<std::size_t>(kBestValues / similarity->count(), 1, 512);
  kernel.run = [=](const Frame& frame) -> base::Status {
    const double* from = frame.matrix(in);
    double* to = frame.make_matrix(out);
    double* scratch = at_least(frame.buffers().doubles, width);
    for (std::size_t row = 0; row < frame.rows(); ++row)
      similarity->run(from + row * width, to + row * similarity->count(), scratch);
    return {};
  };
  return kernel;
}

}  // namespace wherry::engine
