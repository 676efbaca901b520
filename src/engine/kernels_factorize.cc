// Non-negative factors and topics of a row: see program/ops_solvers.h for what is followed.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "engine/kernels.h"
#include "engine/row_sum.h"

namespace wherry::engine {
namespace {

using program::Factorization;

constexpr double kSmall = std::numeric_limits<float>::epsilon();  // EPSILON of _nmf.py

double dot(const double* a, const double* b, std::size_t count) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

class Factors {
 public:
  Factors(const program::Factorize& op, std::vector<double> components, std::size_t width)
      : op_(op), h_(std::move(components)), d_(width), k_(h_.size() / width) {
    products_.resize(k_ * k_);
    for (std::size_t i = 0; i < k_; ++i)
      for (std::size_t j = 0; j < k_; ++j) products_[i * k_ + j] = dot(&h_[i * d_], &h_[j * d_], d_);
    for (std::size_t i = 0; i < k_; ++i) sums_.push_back(row_sum(&h_[i * d_], d_));
    if (op.beta < 1) gamma_ = 1.0 / (2.0 - op.beta);
    if (op.beta > 2) gamma_ = 1.0 / (op.beta - 1.0);
  }

  std::size_t scratch_size() const { return 3 * k_ + 2 * d_; }

  // False where the factors are not finite numbers, which MiniBatchNMF refuses.
  bool run(const double* x, double* w, double* scratch) const {
    if (op_.method == Factorization::kCoordinates) {
      coordinates(x, w, scratch);
      return true;
    }
    multiplicative(x, w, scratch);
    return op_.method == Factorization::kMultiplicative ||
           std::all_of(w, w + k_, [](double value) { return std::isfinite(value); });
  }

 private:
  void coordinates(const double* x, double* w, double* xh) const {
    std::fill_n(w, k_, 0.0);
    for (std::size_t t = 0; t < k_; ++t) {
      xh[t] = dot(x, &h_[t * d_], d_);
      if (op_.l1 != 0) xh[t] -= op_.l1;
    }
    double first = 0;
    for (std::int64_t iteration = 1; iteration <= op_.max_iterations; ++iteration) {
      double violation = 0;
      for (std::size_t t = 0; t < k_; ++t) {
        const double hess = products_[t * k_ + t] + op_.l2;
        double grad = -xh[t];
        for (std::size_t r = 0; r < k_; ++r) grad += (r == t ? hess : products_[t * k_ + r]) * w[r];
        violation += std::abs(w[t] == 0 ? std::min(0.0, grad) : grad);
        if (hess != 0) w[t] = std::max(w[t] - grad / hess, 0.0);
      }
      if (iteration == 1) first = violation;
      if (first == 0 || violation / first <= op_.tolerance) return;
    }
  }

  void multiplicative(const double* x, double* w, double* scratch) const {
    double* numerator = scratch;
    double* denominator = scratch + k_;
    double* before = scratch + 2 * k_;
    double* wh = scratch + 3 * k_;
    double* power = wh + d_;
    const double mean = row_sum(x, d_) / static_cast<double>(d_);
    std::fill_n(w, k_, std::sqrt(mean / static_cast<double>(k_)));
    const bool steps = op_.method == Factorization::kMultiplicativeSteps;
    const double first = steps ? 0 : divergence(x, w, wh, power);
    double previous = first;
    for (std::int64_t iteration = 1; iteration <= op_.max_iterations; ++iteration) {
      std::copy_n(w, k_, before);
      update(x, w, numerator, denominator, wh, power);
      if (steps) {
        for (std::size_t t = 0; t < k_; ++t) before[t] = w[t] - before[t];
        const double change = std::sqrt(dot(before, before, k_)) / std::sqrt(dot(w, w, k_));
        if (op_.tolerance > 0 && change <= op_.tolerance) return;
        continue;
      }
      if (op_.beta < 1)
        for (std::size_t t = 0; t < k_; ++t)
          if (w[t] < std::numeric_limits<double>::epsilon()) w[t] = 0;
      if (op_.tolerance > 0 && iteration % 10 == 0) {
        const double error = divergence(x, w, wh, power);
        if ((previous - error) / first < op_.tolerance) return;
        previous = error;
      }
    }
  }

  // _multiplicative_update_w
  void update(const double* x, double* w, double* numerator, double* denominator, double* wh,
              double* power) const {
    if (op_.beta == 2) {
      for (std::size_t t = 0; t < k_; ++t) {
        numerator[t] = dot(x, &h_[t * d_], d_);
        denominator[t] = dot(w, &products_[t * k_], k_);
      }
    } else {
      product(w, wh);
      for (std::size_t j = 0; j < d_; ++j) power[j] = op_.beta < 1 ? raised(wh[j]) : wh[j];
      for (std::size_t j = 0; j < d_; ++j) {
        const double safe = op_.beta < 2 ? raised(wh[j]) : wh[j];
        if (op_.beta == 1) {
          wh[j] = x[j] / safe;
        } else if (op_.beta == 0) {
          const double inverse = 1.0 / safe;
          wh[j] = inverse * inverse * x[j];
        } else {
          wh[j] = std::pow(safe, op_.beta - 2) * x[j];
        }
        power[j] = std::pow(power[j], op_.beta - 1);
      }
      for (std::size_t t = 0; t < k_; ++t) {
        numerator[t] = dot(wh, &h_[t * d_], d_);
        denominator[t] = op_.beta == 1 ? sums_[t] : dot(power, &h_[t * d_], d_);
      }
    }
    for (std::size_t t = 0; t < k_; ++t) {
      if (op_.l1 > 0) denominator[t] += op_.l1;
      if (op_.l2 > 0) denominator[t] = denominator[t] + op_.l2 * w[t];
      if (denominator[t] == 0) denominator[t] = kSmall;
      const double delta = numerator[t] / denominator[t];
      w[t] *= gamma_ != 1 ? std::pow(delta, gamma_) : delta;
    }
  }

  double raised(double product) const {
    return (op_.raise_below ? product < kSmall : product == 0) ? kSmall : product;
  }

  void product(const double* w, double* wh) const {
    std::fill_n(wh, d_, 0.0);
    for (std::size_t t = 0; t < k_; ++t)
      for (std::size_t j = 0; j < d_; ++j) wh[j] += w[t] * h_[t * d_ + j];
  }

  // _beta_divergence(square_root=True)
  double divergence(const double* x, const double* w, double* wh, double* terms) const {
    product(w, wh);
    if (op_.beta == 2) {
      double sum = 0;
      for (std::size_t j = 0; j < d_; ++j) sum += (x[j] - wh[j]) * (x[j] - wh[j]);
      return std::sqrt(sum / 2.0 * 2);
    }
    const double beta = op_.beta;
    double all_powers = 0;
    if (beta != 0 && beta != 1)
      for (std::size_t j = 0; j < d_; ++j) all_powers += std::pow(wh[j], beta);
    std::size_t count = 0;
    double first = 0;
    double second = 0;
    double total = 0;
    for (std::size_t j = 0; j < d_; ++j) {
      if (!(x[j] > kSmall)) continue;
      const double y = raised(wh[j]);
      const double ratio = x[j] / y;
      if (beta == 1) {
        first += x[j] * std::log(ratio);
        total += x[j];
      } else if (beta == 0) {
        terms[count++] = ratio;
        second += std::log(ratio);
      } else {
        first += x[j] * std::pow(y, beta - 1);
        total += std::pow(x[j], beta);
      }
    }
    double result = 0;
    if (beta == 1) {
      result = first + (dot(w, sums_.data(), k_) - total);
    } else if (beta == 0) {
      result = row_sum(terms, count) - static_cast<double>(d_) - second;
    } else {
      result = (total - beta * first + all_powers * (beta - 1)) / (beta * (beta - 1));
    }
    return std::sqrt(2 * std::max(result, 0.0));
  }

  program::Factorize op_;
  std::vector<double> h_;
  std::size_t d_;
  std::size_t k_;
  std::vector<double> products_;  // components @ components.T
  std::vector<double> sums_;      // of each component
  double gamma_ = 1;
};

// The digamma function of _online_lda_fast.pyx.
double psi(double x) {
  if (x <= 1e-6) return -0.577215664901532860606512090082402431 - 1.0 / x;
  double result = 0;
  while (x < 6) {
    result -= 1.0 / x;
    x += 1;
  }
  double r = 1.0 / x;
  result += std::log(x) - .5 * r;
  r = r * r;
  return result - r * ((1. / 12.) - r * ((1. / 120.) - r * (1. / 252.)));
}

class Topics {
 public:
  Topics(const program::TopicMixture& op, const std::vector<double>& topics, std::size_t words)
      : op_(op), k_(topics.size() / words), words_(words) {
    by_word_.resize(topics.size());
    for (std::size_t t = 0; t < k_; ++t)
      for (std::size_t j = 0; j < words; ++j) by_word_[j * k_ + t] = topics[t * words + j];
  }

  std::size_t scratch_size() const { return 2 * k_; }

  bool run(const double* x, double* out, double* scratch) const {
    double* weights = scratch;  // exp(E[log(theta)])
    double* next = scratch + k_;
    std::fill_n(out, k_, 1.0);
    std::fill_n(weights, k_, std::exp(psi(1.0) - psi(static_cast<double>(k_))));
    for (std::int64_t iteration = 0; iteration < op_.max_iterations; ++iteration) {
      std::fill_n(next, k_, 0.0);
      for (std::size_t j = 0; j < words_; ++j) {
        if (x[j] == 0) continue;
        const double* word = by_word_.data() + j * k_;
        const double share = x[j] / (dot(weights, word, k_) + std::numeric_limits<double>::epsilon());
        for (std::size_t t = 0; t < k_; ++t) next[t] += share * word[t];
      }
      double total = 0;
      double change = 0;
      for (std::size_t t = 0; t < k_; ++t) {
        next[t] = weights[t] * next[t] + op_.prior;
        total += next[t];
      }
      const double psi_total = psi(total);
      for (std::size_t t = 0; t < k_; ++t) {
        weights[t] = std::exp(psi(next[t]) - psi_total);
        change += std::abs(out[t] - next[t]);
        out[t] = next[t];
      }
      if (change / static_cast<double>(k_) < op_.tolerance) break;
    }
    return true;
  }

 private:
  program::TopicMixture op_;
  std::size_t k_;
  std::size_t words_;
  std::vector<double> by_word_;  // [words, topics]
};

template <class Solver>
Kernel by_row(const Wiring& wiring, Solver solver) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const std::size_t width_out = wiring.width_of(out);
  return Kernel{[=, solver = std::move(solver)](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    double* scratch = at_least(frame.buffers().doubles, solver.scratch_size());
    for (std::size_t row = 0; row < from.rows; ++row)
      if (!solver.run(from.numbers + row * from.columns, to + row * width_out, scratch))
        return base::fail(base::Code::kInvalidInput, "engine.not_positive",
                          base::cat("row ", frame.first_row() + row,
                                    ": its values are negative, and have no non-negative factors"),
                          "send numbers that are not below 0");
    return {};
  }};
}

}  // namespace

MadeKernel make_kernel(const program::Factorize& op, const Wiring& wiring) {
  return by_row(wiring, Factors(op, wiring.numbers(op.components), wiring.width_of(wiring.input())));
}

MadeKernel make_kernel(const program::TopicMixture& op, const Wiring& wiring) {
  return by_row(wiring, Topics(op, wiring.numbers(op.topics), wiring.width_of(wiring.input())));
}

}  // namespace wherry::engine
