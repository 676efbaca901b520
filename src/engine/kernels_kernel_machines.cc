// Gaussian processes' probabilities, likelihoods of naive Bayes and random feature maps.
#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>

#include "base/text.h"
#include "engine/kernels.h"
#include "engine/row_sum.h"

namespace wherry::engine {
namespace {

using base::cat;

constexpr double kLambdas[] = {0.41, 0.4, 0.37, 0.44, 0.39};
constexpr double kCoefs[] = {-1854.8214151, 3516.89893646, 221.29346712, 128.12323805, -2010.49422654};

// Line 7 of algorithm 3.2 as sklearn/gaussian_process/_gpc.py has it.
double laplace_probability(double mean, double variance) {
  const double alpha = 1 / (2 * variance);
  double weighted = 0;
  double coefs = 0;
  for (std::size_t i = 0; i < std::size(kLambdas); ++i) {
    const double gamma = kLambdas[i] * mean;
    const double integral = std::sqrt(std::numbers::pi / alpha) *
                            std::erf(gamma * std::sqrt(alpha / (alpha + kLambdas[i] * kLambdas[i]))) /
                            (2 * std::sqrt(variance * 2 * std::numbers::pi));
    weighted += kCoefs[i] * integral;
    coefs += kCoefs[i];
  }
  return weighted + 0.5 * coefs;
}

struct Gaussians {
  std::vector<double> mean, variance, constant, log_prior;
};

void gaussian_likelihood(const Gaussians& g, const double* x, std::size_t width, double* terms, double* out) {
  for (std::size_t c = 0; c < g.constant.size(); ++c) {
    const double* mean = &g.mean[c * width];
    const double* variance = &g.variance[c * width];
    for (std::size_t j = 0; j < width; ++j) terms[j] = (x[j] - mean[j]) * (x[j] - mean[j]) / variance[j];
    out[c] = g.log_prior[c] + (g.constant[c] - 0.5 * row_sum(terms, width));
  }
}

// r = the circular convolution of a and b, all [size]; r is neither.
void convolve(const double* a, const double* b, std::size_t size, double* r) {
  std::fill_n(r, size, 0.0);
  for (std::size_t i = 0; i < size; ++i) {
    if (a[i] == 0) continue;
    for (std::size_t j = 0; j < size - i; ++j) r[i + j] += a[i] * b[j];
    for (std::size_t j = size - i; j < size; ++j) r[i + j - size] += a[i] * b[j];
  }
}

}  // namespace

MadeKernel make_kernel(const program::SolvedSquares& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const std::size_t size = wiring.width_of(in);
  return Kernel{[=, lower = wiring.numbers(op.lower),
                 scale = wiring.numbers(op.scale)](const Frame& frame) -> base::Status {
    const double* from = frame.matrix(in);
    double* to = frame.make_matrix(out);
    double* v = at_least(frame.buffers().doubles, size);
    for (std::size_t row = 0; row < frame.rows(); ++row, from += size) {
      double squares = 0;
      for (std::size_t i = 0; i < size; ++i) {
        double rest = scale[i] * from[i];
        const double* l = &lower[i * size];
        for (std::size_t j = 0; j < i; ++j) rest -= l[j] * v[j];
        v[i] = rest / l[i];
        squares += v[i] * v[i];
      }
      to[row] = squares;
    }
    return {};
  }};
}

MadeKernel make_kernel(const program::LaplaceProbability&, const Wiring& wiring) {
  const auto means = wiring.node.inputs[0];
  const auto variances = wiring.node.inputs[1];
  const auto out = wiring.output();
  return Kernel{[=](const Frame& frame) -> base::Status {
    const double* mean = frame.matrix(means);
    const double* variance = frame.matrix(variances);
    double* to = frame.make_matrix(out);
    for (std::size_t row = 0; row < frame.rows(); ++row)
      to[row] = laplace_probability(mean[row], variance[row]);
    return {};
  }};
}

MadeKernel make_kernel(const program::GaussianLikelihood& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const std::size_t width = wiring.width_of(in);
  auto gaussians =
      std::make_shared<const Gaussians>(Gaussians{wiring.numbers(op.mean), wiring.numbers(op.variance),
                                                  wiring.numbers(op.constant), wiring.numbers(op.log_prior)});
  return Kernel{[=](const Frame& frame) -> base::Status {
    const double* from = frame.matrix(in);
    double* to = frame.make_matrix(out);
    double* terms = at_least(frame.buffers().doubles, width);
    const std::size_t classes = gaussians->constant.size();
    for (std::size_t row = 0; row < frame.rows(); ++row)
      gaussian_likelihood(*gaussians, from + row * width, width, terms, to + row * classes);
    return {};
  }};
}

MadeKernel make_kernel(const program::CategoricalLikelihood& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const Skeleton* skeleton = &wiring.skeleton;
  const std::span<const std::int64_t> counts(op.counts);
  const std::size_t classes = wiring.width_of(out);
  return Kernel{[=, table = wiring.numbers(op.log_probability),
                 prior = wiring.numbers(op.log_prior)](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    for (std::size_t row = 0; row < from.rows; ++row, to += classes) {
      std::fill_n(to, classes, 0.0);
      std::size_t first = 0;
      for (std::size_t j = 0; j < from.columns; ++j) {
        const double category = std::trunc(from.numbers[row * from.columns + j]);
        if (!(category >= 0 && category < static_cast<double>(counts[j])))
          return base::fail(base::Code::kInvalidInput, "engine.out_of_range",
                            cat(column_name(*skeleton, in, j), " of row ", frame.first_row() + row, " is ",
                                from.numbers[row * from.columns + j],
                                ", but the categories of training are 0 to ", counts[j] - 1),
                            "send a category of training, or fit with min_categories");
        const double* p = &table[(first + static_cast<std::size_t>(category)) * classes];
        for (std::size_t c = 0; c < classes; ++c) to[c] += p[c];
        first += static_cast<std::size_t>(counts[j]);
      }
      for (std::size_t c = 0; c < classes; ++c) to[c] += prior[c];
    }
    return {};
  }};
}

MadeKernel make_kernel(const program::CountSketch& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const std::size_t width = wiring.width_of(in);
  const auto size = static_cast<std::size_t>(op.components);
  const auto positions = wiring.program.weight(op.index).as<std::int64_t>();
  const std::vector<std::size_t> index(positions.begin(), positions.end());
  return Kernel{[=, bit = wiring.numbers(op.bit)](const Frame& frame) -> base::Status {
    const double* x = frame.matrix(in);
    double* to = frame.make_matrix(out);
    double* sketch = at_least(frame.buffers().doubles, 2 * size);
    double* product = sketch + size;
    for (std::size_t row = 0; row < frame.rows(); ++row, x += width, to += size) {
      for (std::size_t degree = 0; degree * width < index.size(); ++degree) {
        std::fill_n(sketch, size, 0.0);
        for (std::size_t j = 0; j < width; ++j)
          sketch[index[degree * width + j]] += bit[degree * width + j] * x[j];
        if (degree == 0) {
          std::copy_n(sketch, size, to);
        } else {
          convolve(to, sketch, size, product);
          std::copy_n(product, size, to);
        }
      }
    }
    return {};
  }};
}

MadeKernel make_kernel(const program::AdditiveChi2Features& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const std::size_t width = wiring.width_of(in);
  const auto steps = static_cast<std::size_t>(op.steps);
  const double interval = op.interval;
  return Kernel{[=](const Frame& frame) -> base::Status {
    const double* from = frame.matrix(in);
    double* to = frame.make_matrix(out);
    for (std::size_t row = 0; row < frame.rows(); ++row, to += width * (2 * steps - 1)) {
      for (std::size_t j = 0; j < width; ++j) {
        const double x = *from++;
        to[j] = x == 0 ? 0.0 : std::sqrt(x * interval);
        const double log_step = interval * std::log(x);
        for (std::size_t s = 1; s < steps; ++s) {
          const auto times = static_cast<double>(s);
          const double factor = std::sqrt(2 * x * interval / std::cosh(std::numbers::pi * times * interval));
          to[(2 * s - 1) * width + j] = x == 0 ? 0.0 : factor * std::cos(times * log_step);
          to[2 * s * width + j] = x == 0 ? 0.0 : factor * std::sin(times * log_step);
        }
      }
    }
    return {};
  }};
}

}  // namespace wherry::engine
