// Nonlinear preprocessing: see program/ops_preprocess.h for what is followed.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "engine/kernel_loops.h"
#include "engine/normal_quantile.h"
#include "engine/row_sum.h"

namespace wherry::engine {
namespace {

using base::cat;

double sum_of_magnitudes(const double* x, std::size_t width, double* scratch) {
  for (std::size_t j = 0; j < width; ++j) scratch[j] = std::abs(x[j]);
  return row_sum(scratch, width);
}

// numpy.einsum("ij,ij->i", X, X): two lanes; of eight elements the last ones are added first.
double sum_of_squares(const double* x, std::size_t width) {
  double even = 0;
  double odd = 0;
  std::size_t i = 0;
  for (; i + 8 <= width; i += 8) {
    for (std::size_t k = 8; k > 0; k -= 2) {
      even += x[i + k - 2] * x[i + k - 2];
      odd += x[i + k - 1] * x[i + k - 1];
    }
  }
  for (; i + 2 <= width; i += 2) {
    even += x[i] * x[i];
    odd += x[i + 1] * x[i + 1];
  }
  if (i < width) even += x[i] * x[i];
  return even + odd;
}

double norm_of(const program::NormalizeLengths& op, const double* x, std::size_t width, double* scratch) {
  double norm = 0;
  switch (op.norm) {
    case program::Norm::kNone:
      return 1;
    case program::Norm::kL1:
      if (!op.sparse) return sum_of_magnitudes(x, width, scratch);
      for (std::size_t j = 0; j < width; ++j) norm += std::abs(x[j]);
      return norm;
    case program::Norm::kL2:
      if (!op.sparse) return std::sqrt(sum_of_squares(x, width));
      for (std::size_t j = 0; j < width; ++j) norm += x[j] * x[j];
      return std::sqrt(norm);
    case program::Norm::kMax:
      for (std::size_t j = 0; j < width; ++j) norm = std::max(norm, std::abs(x[j]));
      return norm;
  }
  return norm;
}

double box_cox(double x, double lambda) {
  if (std::abs(lambda) < 1e-19) return std::log(x);
  const double power = lambda * std::log(x);
  if (power < 709.78) return std::expm1(power) / lambda;
  return std::copysign(1.0, lambda) * std::exp(power - std::log(std::abs(lambda))) - 1.0 / lambda;
}

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

double yeo_johnson(double x, double lambda) {
  if (x >= 0) return std::abs(lambda) < kEpsilon ? std::log1p(x) : (std::pow(x + 1, lambda) - 1) / lambda;
  if (std::abs(lambda - 2) > kEpsilon) return -(std::pow(-x + 1, 2 - lambda) - 1) / (2 - lambda);
  return -std::log1p(-x);
}

double yeo_johnson_stable(double x, double lambda) {
  if (x >= 0)
    return std::abs(lambda) < kEpsilon ? std::log1p(x) : std::expm1(lambda * std::log1p(x)) / lambda;
  if (std::abs(lambda - 2) > kEpsilon) return -std::expm1((2 - lambda) * std::log1p(-x)) / (2 - lambda);
  return -std::log1p(-x);
}

// numpy.interp (numpy/core/src/multiarray/compiled_base.c, arr_interp).
double interpolate(double x, std::span<const double> xp, const double* fp) {
  const std::size_t above = static_cast<std::size_t>(std::ranges::upper_bound(xp, x) - xp.begin());
  if (above == 0) return fp[0];
  const std::size_t j = above - 1;
  if (above == xp.size() || xp[j] == x) return fp[j];
  const double slope = (fp[j + 1] - fp[j]) / (xp[j + 1] - xp[j]);
  double y = slope * (x - xp[j]) + fp[j];
  if (!std::isnan(y)) return y;
  y = slope * (x - xp[j + 1]) + fp[j + 1];
  return std::isnan(y) && fp[j] == fp[j + 1] ? fp[j] : y;
}

class QuantileMap {
 public:
  QuantileMap(const program::Quantiles& op, const Wiring& wiring)
      : normal_(op.normal),
        keep_zeros_(op.keep_zeros),
        quantiles_(wiring.numbers(op.quantiles)),
        references_(wiring.numbers(op.references)),
        size_(references_.size()) {
    backwards_.reserve(quantiles_.size());
    for (std::size_t at = 0; at < quantiles_.size(); at += size_)
      for (std::size_t k = size_; k > 0; --k) backwards_.push_back(-quantiles_[at + k - 1]);
    for (std::size_t k = size_; k > 0; --k) references_backwards_.push_back(-references_[k - 1]);
    low_ = normal_quantile(kBound - kEpsilon);
    high_ = normal_quantile(1 - (kBound - kEpsilon));
  }

  double operator()(double x, std::size_t column) const {
    if (std::isnan(x) || (keep_zeros_ && x == 0)) return x;
    const double* quantiles = quantiles_.data() + column * size_;
    const double first = quantiles[0];
    const double last = quantiles[size_ - 1];
    const bool below = normal_ ? x - kBound < first : x == first;
    const bool above = normal_ ? x + kBound > last : x == last;
    const double y = below ? 0.0 : above ? 1.0 : between(x, column);
    if (!normal_) return y;
    const double z = normal_quantile(y);
    return z < low_ ? low_ : z > high_ ? high_ : z;
  }

 private:
  static constexpr double kBound = 1e-7;

  double between(double x, std::size_t column) const {
    const std::span<const double> forwards(quantiles_.data() + column * size_, size_);
    const std::span<const double> backwards(backwards_.data() + column * size_, size_);
    return 0.5 * (interpolate(x, forwards, references_.data()) -
                  interpolate(-x, backwards, references_backwards_.data()));
  }

  bool normal_;
  bool keep_zeros_;
  std::vector<double> quantiles_;
  std::vector<double> references_;
  std::size_t size_;
  std::vector<double> backwards_;
  std::vector<double> references_backwards_;
  double low_ = 0;
  double high_ = 0;
};

double with_constant(program::ConstantOperation operation, double x, double c) {
  switch (operation) {
    case program::ConstantOperation::kDivideByX:
      return c / x;
    case program::ConstantOperation::kPowerOfX:
      return std::pow(c, x);
    case program::ConstantOperation::kMaximum:
      return std::isnan(x) || std::isnan(c) ? x + c : std::max(x, c);
    case program::ConstantOperation::kMinimum:
      return std::isnan(x) || std::isnan(c) ? x + c : std::min(x, c);
  }
  return x;
}

std::unexpected<base::Error> not_positive(const Skeleton& skeleton, program::ValueId value,
                                          const Frame& frame, std::size_t row, std::size_t column) {
  return base::fail(base::Code::kInvalidInput, "engine.not_positive",
                    cat("The Box-Cox transformation can only be applied to strictly positive data: ",
                        column_name(skeleton, value, column), " of row ", frame.first_row() + row),
                    "send a number above 0, or train with method='yeo-johnson'");
}

}  // namespace

MadeKernel make_kernel(const program::WithConstant& op, const Wiring& wiring) {
  return elementwise_by_column(wiring, [operation = op.operation, c = op.constant](double x, std::size_t) {
    return with_constant(operation, x, c);
  });
}

MadeKernel make_kernel(const program::ReplaceNonFinite& op, const Wiring& wiring) {
  return elementwise(wiring, [nan = op.nan, positive = op.positive, negative = op.negative](double x) {
    return std::isnan(x) ? nan : !std::isinf(x) ? x : x > 0 ? positive : negative;
  });
}

MadeKernel make_kernel(const program::NormalizeLengths& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const program::NormalizeLengths* how = &op;
  return Kernel{[=](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    double* scratch = at_least(frame.buffers().doubles, from.columns);
    for (std::size_t row = 0; row < from.rows; ++row) {
      const double* x = from.numbers + row * from.columns;
      const double norm = norm_of(*how, x, from.columns, scratch);
      const bool divides = norm != 0 && !(norm < how->smallest);
      for (std::size_t j = 0; j < from.columns; ++j) *to++ = divides ? x[j] / norm : x[j];
    }
    return {};
  }};
}

MadeKernel make_kernel(const program::CenterKernel& op, const Wiring& wiring) {
  return rowwise(wiring,
                 [rows = wiring.numbers(op.rows), all = op.all](const double* x, std::size_t, double* out) {
                   const double mean = row_sum(x, rows.size()) / static_cast<double>(rows.size());
                   for (std::size_t j = 0; j < rows.size(); ++j) out[j] = ((x[j] - rows[j]) - mean) + all;
                 });
}

MadeKernel make_kernel(const program::PowerTransform& op, const Wiring& wiring) {
  std::vector<double> lambdas = wiring.numbers(op.lambdas);
  if (op.method == program::PowerMethod::kYeoJohnson)
    return elementwise_by_column(wiring, [lambdas = std::move(lambdas)](double x, std::size_t j) {
      return yeo_johnson(x, lambdas[j]);
    });
  if (op.method == program::PowerMethod::kYeoJohnsonStable)
    return elementwise_by_column(wiring, [lambdas = std::move(lambdas)](double x, std::size_t j) {
      return yeo_johnson_stable(x, lambdas[j]);
    });
  const auto in = wiring.input();
  const auto out = wiring.output();
  const Skeleton* skeleton = &wiring.skeleton;
  return Kernel{[=, lambdas = std::move(lambdas)](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    const double* x = from.numbers;
    for (std::size_t row = 0; row < from.rows; ++row) {
      for (std::size_t j = 0; j < from.columns; ++j, ++x) {
        if (*x <= 0) return not_positive(*skeleton, in, frame, row, j);
        *to++ = box_cox(*x, lambdas[j]);
      }
    }
    return {};
  }};
}

MadeKernel make_kernel(const program::Quantiles& op, const Wiring& wiring) {
  return elementwise_by_column(wiring, QuantileMap(op, wiring));
}

MadeKernel make_kernel(const program::Bins& op, const Wiring& wiring) {
  const std::span<const std::int64_t> offsets(op.offsets);
  return elementwise_by_column(
      wiring, [=, tolerant = op.tolerant, edges = wiring.numbers(op.edges)](double x, std::size_t j) {
        const double* first = edges.data() + offsets[j];
        const double at = tolerant ? x + (1e-8 + 1e-5 * std::abs(x)) : x;
        return static_cast<double>(std::upper_bound(first, edges.data() + offsets[j + 1], at) - first);
      });
}

MadeKernel make_kernel(const program::Products& op, const Wiring& wiring) {
  const std::span<const std::int64_t> parents(op.parents);
  const std::span<const std::int64_t> features(op.features);
  return rowwise(wiring, [=](const double* x, std::size_t, double* out) {
    for (std::size_t i = 0; i < parents.size(); ++i)
      out[i] = features[i] < 0 ? 1.0 : parents[i] < 0 ? x[features[i]] : out[parents[i]] * x[features[i]];
  });
}

}  // namespace wherry::engine
