// Decisions between each two of several classes: libsvm's, and what they become.
#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "engine/kernels.h"

namespace wherry::engine {
namespace {

// The vectors of one pair's two classes and their coefficients.
struct Pair {
  std::size_t first, second;              // where the vectors of each class begin
  std::size_t first_count, second_count;  // and how many there are
  const double* first_coefficients;       // of the first class's vectors in this pair
  const double* second_coefficients;
};

double decision(const Pair& pair, const double* values) {
  double sum = 0;
  for (std::size_t i = 0; i < pair.first_count; ++i)
    sum += pair.first_coefficients[i] * values[pair.first + i];
  for (std::size_t i = 0; i < pair.second_count; ++i)
    sum += pair.second_coefficients[i] * values[pair.second + i];
  return sum;
}

// libsvm's sigmoid_predict
double platt(double decision, double a, double b) {
  const double t = decision * a + b;
  return t >= 0 ? std::exp(-t) / (1.0 + std::exp(-t)) : 1.0 / (1 + std::exp(t));
}

// libsvm's multiclass_probability of k classes; r [k, k], q [k, k] and qp [k] are scratch.
class Coupling {
 public:
  Coupling(std::size_t k, double* r, double* q, double* qp) : k_(k), r_(r), q_(q), qp_(qp) {}

  void run(double* p) {
    prepare(p);
    const std::size_t rounds = std::max<std::size_t>(100, k_);
    for (std::size_t round = 0; round < rounds; ++round) {
      double pqp = multiply(p);
      double most = 0;
      for (std::size_t t = 0; t < k_; ++t) most = std::max(most, std::abs(qp_[t] - pqp));
      if (most < 0.005 / static_cast<double>(k_)) break;
      for (std::size_t t = 0; t < k_; ++t) {
        const double diff = (-qp_[t] + pqp) / q_[t * k_ + t];
        p[t] += diff;
        pqp = (pqp + diff * (diff * q_[t * k_ + t] + 2 * qp_[t])) / (1 + diff) / (1 + diff);
        for (std::size_t j = 0; j < k_; ++j) {
          qp_[j] = (qp_[j] + diff * q_[t * k_ + j]) / (1 + diff);
          p[j] /= 1 + diff;
        }
      }
    }
  }

 private:
  void prepare(double* p) {
    for (std::size_t t = 0; t < k_; ++t) {
      p[t] = 1.0 / static_cast<double>(k_);
      double& diagonal = q_[t * k_ + t] = 0;
      for (std::size_t j = 0; j < k_; ++j) {
        if (j == t) continue;
        diagonal += r_[j * k_ + t] * r_[j * k_ + t];
        q_[t * k_ + j] = j < t ? q_[j * k_ + t] : -r_[j * k_ + t] * r_[t * k_ + j];
      }
    }
  }

  double multiply(const double* p) {
    double pqp = 0;
    for (std::size_t t = 0; t < k_; ++t) {
      qp_[t] = 0;
      for (std::size_t j = 0; j < k_; ++j) qp_[t] += q_[t * k_ + j] * p[j];
      pqp += p[t] * qp_[t];
    }
    return pqp;
  }

  std::size_t k_;
  double *r_, *q_, *qp_;
};

}  // namespace

MadeKernel make_kernel(const program::PairDecisions& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const std::size_t vectors = wiring.width_of(in);
  struct Parts {
    std::vector<double> coefficients, intercept;
    std::vector<Pair> pairs;
  };
  auto parts = std::make_shared<Parts>();
  parts->coefficients = wiring.numbers(op.coefficients);
  parts->intercept = wiring.numbers(op.intercept);
  std::vector<std::size_t> starts(op.counts.size() + 1, 0);
  std::partial_sum(op.counts.begin(), op.counts.end(), starts.begin() + 1);
  const double* coefficients = parts->coefficients.data();
  for (std::size_t i = 0; i < op.counts.size(); ++i)
    for (std::size_t j = i + 1; j < op.counts.size(); ++j)
      parts->pairs.push_back({starts[i], starts[j], static_cast<std::size_t>(op.counts[i]),
                              static_cast<std::size_t>(op.counts[j]),
                              coefficients + (j - 1) * vectors + starts[i],
                              coefficients + i * vectors + starts[j]});
  return Kernel{[=](const Frame& frame) -> base::Status {
    const double* values = frame.matrix(in);
    double* to = frame.make_matrix(out);
    for (std::size_t row = 0; row < frame.rows(); ++row, values += vectors)
      for (std::size_t pair = 0; pair < parts->pairs.size(); ++pair)
        *to++ = decision(parts->pairs[pair], values) + parts->intercept[pair];
    return {};
  }};
}

MadeKernel make_kernel(const program::PairWinner& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const auto classes = static_cast<std::size_t>(op.classes);
  return Kernel{[=](const Frame& frame) -> base::Status {
    const double* decisions = frame.matrix(in);
    std::int64_t* to = frame.make_index(out);
    double* votes = at_least(frame.buffers().doubles, classes);
    for (std::size_t row = 0; row < frame.rows(); ++row) {
      std::fill_n(votes, classes, 0.0);
      for (std::size_t i = 0; i < classes; ++i)
        for (std::size_t j = i + 1; j < classes; ++j) votes[*decisions++ > 0 ? i : j] += 1;
      to[row] = std::max_element(votes, votes + classes) - votes;
    }
    return {};
  }};
}

MadeKernel make_kernel(const program::PairProbabilities& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const auto k = static_cast<std::size_t>(op.classes);
  return Kernel{[=, a = wiring.numbers(op.a), b = wiring.numbers(op.b)](const Frame& frame) -> base::Status {
    constexpr double kLeast = 1e-7;
    const double* decisions = frame.matrix(in);
    double* to = frame.make_matrix(out);
    double* r = at_least(frame.buffers().doubles, k * k * 2 + k);
    Coupling coupling(k, r, r + k * k, r + 2 * k * k);
    for (std::size_t row = 0; row < frame.rows(); ++row, to += k) {
      std::size_t pair = 0;
      for (std::size_t i = 0; i < k; ++i) {
        for (std::size_t j = i + 1; j < k; ++j, ++pair) {
          const double p = platt(*decisions++, a[pair], b[pair]);
          r[i * k + j] = std::min(std::max(kLeast, p), 1 - kLeast);  // kLeast where p is NaN, as in libsvm
          r[j * k + i] = 1 - r[i * k + j];
        }
      }
      coupling.run(to);
    }
    return {};
  }};
}

}  // namespace wherry::engine
