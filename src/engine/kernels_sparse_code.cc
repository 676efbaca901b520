// A row written with few atoms of a dictionary: see program/ops_solvers.h for what is followed.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/kernels.h"

namespace wherry::engine {
namespace {

using program::SparseCoding;

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

double dot(const double* a, const double* b, std::size_t count) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

double sign_of(double x) {
  return x > 0 ? 1.0 : x < 0 ? -1.0 : 0.0;
}

// The dictionary and what does not depend on the row.
struct Dictionary {
  program::SparseCode op;
  std::size_t atoms = 0;
  std::size_t width = 0;
  std::vector<double> rows;  // [atoms, width]
  std::vector<double> gram;  // rows @ rows.T
};

// Buffers of one row, in frame.buffers().
struct Scratch {
  double* gram;   // [atoms, atoms], permuted
  double* lower;  // [atoms, atoms], Cholesky's factor
  double* cov;    // rows @ x, permuted
  double* start;  // rows @ x
  double* a;      // [atoms] each
  double* b;
  double* c;
  double* d;
  std::uint32_t* indices;
};

// b = L^-1 b for the leading `n` rows of the lower triangle.
void forward(const double* lower, std::size_t stride, std::size_t n, double* b) {
  for (std::size_t i = 0; i < n; ++i) b[i] = (b[i] - dot(lower + i * stride, b, i)) / lower[i * stride + i];
}

// b = L^-T b.
void backward(const double* lower, std::size_t stride, std::size_t n, double* b) {
  for (std::size_t i = n; i-- > 0;) {
    double sum = b[i];
    for (std::size_t k = i + 1; k < n; ++k) sum -= lower[k * stride + i] * b[k];
    b[i] = sum / lower[i * stride + i];
  }
}

void swap_atoms(double* gram, std::size_t n, std::size_t i, std::size_t j) {
  if (i == j) return;
  for (std::size_t k = 0; k < n; ++k) std::swap(gram[i * n + k], gram[j * n + k]);
  for (std::size_t k = 0; k < n; ++k) std::swap(gram[k * n + i], gram[k * n + j]);
}

std::size_t largest(const double* values, std::size_t count, bool positive) {
  std::size_t at = 0;
  const auto size = [&](std::size_t i) { return positive ? values[i] : std::abs(values[i]); };
  for (std::size_t i = 1; i < count; ++i)
    if (size(i) > size(at)) at = i;
  return at;
}

void threshold(const Dictionary& dictionary, const Scratch& s, double* out) {
  for (std::size_t k = 0; k < dictionary.atoms; ++k) {
    const double size = std::max(std::abs(s.cov[k]) - dictionary.op.regularization, 0.0);
    out[k] = sign_of(s.cov[k]) * size;
    if (dictionary.op.positive) out[k] = std::max(out[k], 0.0);
  }
}

// --- orthogonal matching pursuit ---------------------------------------------------------------------------

void pursue(const Dictionary& dictionary, const Scratch& s, double* out) {
  const std::size_t n = dictionary.atoms;
  const auto most = static_cast<std::size_t>(dictionary.op.max_iterations);
  double* alpha = s.a;
  double* gamma = s.b;
  std::copy_n(dictionary.gram.data(), n * n, s.gram);
  std::copy_n(s.cov, n, alpha);
  std::iota(s.indices, s.indices + n, std::uint32_t{0});
  std::size_t active = 0;
  while (active < most) {
    const std::size_t chosen = largest(alpha, n, false);
    if (chosen < active || alpha[chosen] * alpha[chosen] < kEpsilon) break;
    double* row = s.lower + active * n;
    double diagonal = s.gram[chosen * n + chosen];
    if (active > 0) {
      std::copy_n(s.gram + chosen * n, active, row);
      forward(s.lower, n, active, row);
      const double length = std::sqrt(dot(row, row, active));
      diagonal -= length * length;
      if (diagonal <= kEpsilon) break;
    }
    row[active] = std::sqrt(diagonal);
    swap_atoms(s.gram, n, active, chosen);
    std::swap(s.indices[active], s.indices[chosen]);
    std::swap(s.cov[active], s.cov[chosen]);
    ++active;
    std::copy_n(s.cov, active, gamma);
    forward(s.lower, n, active, gamma);
    backward(s.lower, n, active, gamma);
    for (std::size_t i = 0; i < n; ++i) alpha[i] = s.cov[i] - dot(s.gram + i * n, gamma, active);
  }
  std::fill_n(out, n, 0.0);
  for (std::size_t i = 0; i < active; ++i) out[s.indices[i]] = gamma[i];
}

// --- least angle regression --------------------------------------------------------------------------------

double smallest_positive(double best, double value) {
  return value > 0 && value < best ? value : best;
}

// _lars_path_solver with a Gram matrix and return_path=False.
class Lars {
 public:
  Lars(const Dictionary& dictionary, const Scratch& scratch, double* coef)
      : dictionary_(dictionary),
        s_(scratch),
        n_(dictionary.atoms),
        lasso_(dictionary.op.method == SparseCoding::kLassoLars),
        positive_(dictionary.op.positive),
        alpha_min_(lasso_ ? dictionary.op.regularization / static_cast<double>(dictionary.width) : 0),
        coef_(coef),
        before_(scratch.a),
        signs_(scratch.b),
        squares_(scratch.c),
        correlation_(scratch.d) {}

  void run() {
    std::copy_n(dictionary_.gram.data(), n_ * n_, s_.gram);
    std::iota(s_.indices, s_.indices + n_, std::uint32_t{0});
    std::fill_n(coef_, n_, 0.0);
    std::fill_n(before_, n_, 0.0);
    // An atom may enter and leave again; scikit-learn bounds steps by max_iter alone.
    const auto steps = static_cast<std::size_t>(dictionary_.op.max_iterations);
    while (true) {
      const std::size_t size = n_ - first_;
      const std::size_t at = size > 0 ? largest(s_.cov + first_, size, positive_) : 0;
      const double signed_c = size > 0 ? s_.cov[first_ + at] : 0;
      const double c = size == 0 ? 0 : positive_ ? signed_c : std::abs(signed_c);
      alpha_ = c / static_cast<double>(dictionary_.width);
      if (stops_early()) return;
      if (iteration_ >= steps || active_ >= n_) return;
      if (!dropped_) {
        const Entry entry = enter(at, signed_c);
        if (entry == Entry::kDegenerate) continue;
      }
      if (lasso_ && iteration_ > 0 && alpha_before_ < alpha_) return;
      step(c);
    }
  }

 private:
  enum class Entry { kEntered, kDegenerate };

  bool stops_early() {
    constexpr double kEquality = std::numeric_limits<float>::epsilon();
    if (alpha_ > alpha_min_ + kEquality) return false;
    if (std::abs(alpha_ - alpha_min_) > kEquality && iteration_ > 0) {
      const double share = (alpha_before_ - alpha_min_) / (alpha_before_ - alpha_);
      for (std::size_t k = 0; k < n_; ++k) coef_[k] = before_[k] + share * (coef_[k] - before_[k]);
    }
    return true;
  }

  Entry enter(std::size_t at, double signed_c) {
    signs_[active_] = positive_ ? 1.0 : sign_of(signed_c);
    const std::size_t m = active_;
    const std::size_t k = at + active_;
    std::swap(s_.cov[first_ + at], s_.cov[first_]);
    std::swap(s_.indices[k], s_.indices[m]);
    swap_atoms(s_.gram, n_, m, k);
    double* row = s_.lower + m * n_;
    const double c = s_.gram[m * n_ + m];
    std::copy_n(s_.gram + m * n_, m, row);
    forward(s_.lower, n_, m, row);
    const double diagonal = std::max(std::sqrt(std::abs(c - dot(row, row, m))), kEpsilon);
    row[m] = diagonal;
    if (diagonal < 1e-7) {
      s_.cov[first_] = 0;
      std::swap(s_.cov[first_ + at], s_.cov[first_]);
      return Entry::kDegenerate;
    }
    ++first_;
    ++active_;
    return Entry::kEntered;
  }

  double scaled_direction() {
    std::copy_n(signs_, active_, squares_);
    forward(s_.lower, n_, active_, squares_);
    backward(s_.lower, n_, active_, squares_);
    if (active_ == 1 && squares_[0] == 0) {
      squares_[0] = 1;
      return 1.0;
    }
    double scale = 1.0 / std::sqrt(dot(squares_, signs_, active_));
    // The factor is too ill-conditioned: its diagonal grows until it is not. scikit-learn works on a copy.
    for (int i = 0; !std::isfinite(scale) && i < 1024; ++i) {
      for (std::size_t k = 0; k < active_; ++k) s_.lower[k * n_ + k] += std::ldexp(kEpsilon, i);
      std::copy_n(signs_, active_, squares_);
      forward(s_.lower, n_, active_, squares_);
      backward(s_.lower, n_, active_, squares_);
      scale = 1.0 / std::sqrt(std::max(dot(squares_, signs_, active_), kEpsilon));
    }
    for (std::size_t k = 0; k < active_; ++k) squares_[k] *= scale;
    return scale;
  }

  // One step along the equiangular direction.
  void step(double c) {
    constexpr double kTiny = std::numeric_limits<float>::min();
    constexpr double kDecimals = 1e15;
    const double scale = scaled_direction();
    double gamma = std::numeric_limits<double>::max();
    double other = gamma;
    for (std::size_t j = active_; j < n_; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < active_; ++k) sum += s_.gram[k * n_ + j] * squares_[k];
      sum = std::nearbyint(sum * kDecimals) / kDecimals;
      correlation_[j] = sum;
      const double cov = s_.cov[first_ + j - active_];
      gamma = smallest_positive(gamma, (c - cov) / (scale - sum + kTiny));
      other = smallest_positive(other, (c + cov) / (scale + sum + kTiny));
    }
    gamma = positive_ ? std::min(gamma, c / scale) : std::min({gamma, other, c / scale});
    double crossing = std::numeric_limits<double>::max();
    std::size_t leaving = 0;
    for (std::size_t k = 0; k < active_; ++k) {
      const double z = -coef_[s_.indices[k]] / (squares_[k] + kTiny);
      if (z > 0 && z <= crossing) {  // of equal ones the last, as scikit-learn goes through them backwards
        crossing = z;
        leaving = k;
      }
    }
    dropped_ = crossing < gamma;
    if (dropped_) {
      signs_[leaving] = -signs_[leaving];
      if (lasso_) gamma = crossing;
    }
    ++iteration_;
    std::copy_n(coef_, n_, before_);
    alpha_before_ = alpha_;
    std::fill_n(coef_, n_, 0.0);
    for (std::size_t k = 0; k < active_; ++k)
      coef_[s_.indices[k]] = before_[s_.indices[k]] + gamma * squares_[k];
    for (std::size_t j = active_; j < n_; ++j) s_.cov[first_ + j - active_] -= gamma * correlation_[j];
    if (dropped_ && lasso_) leave(leaving);
  }

  // arrayfuncs.cholesky_delete, and the atom back among the inactive ones.
  void leave(std::size_t k) {
    const std::size_t n = active_;
    for (std::size_t i = k; i + 1 < n; ++i) std::copy_n(s_.lower + (i + 1) * n_, i + 2, s_.lower + i * n_);
    for (std::size_t i = k; i + 1 < n; ++i) {
      double* row = s_.lower + i * n_;
      const double r = std::hypot(row[i], row[i + 1]);
      const double cosine = r == 0 ? 1 : row[i] / r;
      const double sine = r == 0 ? 0 : row[i + 1] / r;
      row[i] = r;
      row[i + 1] = 0;
      for (std::size_t below = i + 1; below + 1 < n; ++below) {
        double* x = s_.lower + below * n_ + i;
        const double rotated = cosine * x[0] + sine * x[1];
        x[1] = cosine * x[1] - sine * x[0];
        x[0] = rotated;
      }
    }
    --active_;
    const std::size_t atom = s_.indices[k];
    for (std::size_t i = k; i < active_; ++i) {
      std::swap(s_.indices[i], s_.indices[i + 1]);
      swap_atoms(s_.gram, n_, i, i + 1);
      signs_[i] = signs_[i + 1];
    }
    signs_[active_] = 0;
    --first_;
    s_.cov[first_] = s_.start[atom] - dot(dictionary_.gram.data() + atom * n_, coef_, n_);
  }

  const Dictionary& dictionary_;
  Scratch s_;
  std::size_t n_;
  bool lasso_;
  bool positive_;
  double alpha_min_;
  double* coef_;
  double* before_;
  double* signs_;
  double* squares_;
  double* correlation_;
  double alpha_ = 0;
  double alpha_before_ = 0;
  std::size_t iteration_ = 0;
  std::size_t active_ = 0;
  std::size_t first_ = 0;  // where the covariances of the inactive atoms begin
  bool dropped_ = false;
};

// --- coordinate descent ------------------------------------------------------------------------------------

// enet_coordinate_descent_gram with beta = 0.
class CoordinateDescent {
 public:
  CoordinateDescent(const Dictionary& dictionary, const Scratch& scratch, double length, double* w)
      : dictionary_(dictionary),
        q_(scratch.start),
        qw_(scratch.a),
        xta_(scratch.b),
        active_(scratch.indices),
        n_(dictionary.atoms),
        alpha_(dictionary.op.regularization / static_cast<double>(dictionary.width) *
               static_cast<double>(dictionary.width)),
        length_(length),
        tolerance_(dictionary.op.tolerance * length),
        w_(w) {}

  void run() {
    const bool screens = dictionary_.op.screening && alpha_ != 0;
    std::fill_n(w_, n_, 0.0);
    std::fill_n(qw_, n_, 0.0);
    std::iota(active_, active_ + n_, std::uint32_t{0});
    count_ = n_;
    if (dictionary_.op.screening) {
      const double gap = measure();
      if (0 <= gap && gap <= tolerance_) return;
      if (screens) screen(gap);
    }
    for (std::int64_t iteration = 0; iteration < dictionary_.op.max_iterations; ++iteration) {
      const double change = sweep();
      const bool settled =
          dictionary_.op.screening ? change <= dictionary_.op.tolerance : change < dictionary_.op.tolerance;
      if (!settled && iteration != dictionary_.op.max_iterations - 1) continue;
      const double gap = measure();
      if (dictionary_.op.screening ? gap <= tolerance_ : gap < tolerance_) return;
      if (screens) screen(gap);
    }
  }

 private:
  double diagonal(std::size_t j) const { return dictionary_.gram[j * n_ + j]; }

  void add_row(double factor, std::size_t j) {
    const double* row = dictionary_.gram.data() + j * n_;
    for (std::size_t k = 0; k < n_; ++k) qw_[k] += factor * row[k];
  }

  // All coordinates once: the largest change relative to the largest coefficient, 0 where all are 0.
  double sweep() {
    double largest_w = 0;
    double largest_change = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      const std::size_t j = active_[i];
      if (diagonal(j) == 0) continue;
      const double before = w_[j];
      const bool updates_difference = dictionary_.op.screening;
      if (!updates_difference && before != 0) add_row(-before, j);
      const double rest = updates_difference ? q_[j] - qw_[j] + before * diagonal(j) : q_[j] - qw_[j];
      w_[j] = dictionary_.op.positive && rest < 0 ? 0.0
                                                  : (rest > 0    ? 1.0
                                                     : rest == 0 ? 0.0
                                                                 : -1.0) *
                                                        std::max(std::abs(rest) - alpha_, 0.0) / diagonal(j);
      if (updates_difference) {
        if (w_[j] != before) add_row(w_[j] - before, j);
      } else if (w_[j] != 0) {
        add_row(w_[j], j);
      }
      largest_change = std::max(largest_change, std::abs(w_[j] - before));
      largest_w = std::max(largest_w, std::abs(w_[j]));
    }
    if (largest_w == 0) return -1;  // settled, whatever the tolerance
    return largest_change / largest_w;
  }

  // The dual gap; leaves its gradient in xta_.
  double measure() {
    const double qw = dot(w_, q_, n_);
    const double residual = length_ + dot(w_, qw_, n_) - 2.0 * qw;
    norm_ = 0;
    for (std::size_t j = 0; j < n_; ++j) {
      xta_[j] = q_[j] - qw_[j];
      const double size = dictionary_.op.positive ? xta_[j] : std::abs(xta_[j]);
      norm_ = j == 0 ? size : std::max(norm_, size);
    }
    double l1 = 0;
    for (std::size_t j = 0; j < n_; ++j) l1 += std::abs(w_[j]);
    const double scale = norm_ > alpha_ ? alpha_ / norm_ : 1.0;
    if (dictionary_.op.screening) {
      if (alpha_ == 0) {
        norm_ = dot(xta_, xta_, n_);
        return norm_;
      }
      const double primal = 0.5 * residual + alpha_ * l1;
      return primal - (-0.5 * (scale * scale) * residual + scale * (length_ - qw));
    }
    const double half = norm_ > alpha_ ? 0.5 * (residual + residual * (scale * scale)) : residual;
    return half + (alpha_ * l1 - scale * length_ + scale * qw);
  }

  // Leaves out the coordinates which the gap proves to be 0 (arXiv:1802.07481, equation 11).
  void screen(double gap) {
    const double radius = std::sqrt(2 * std::abs(gap)) / alpha_;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      const std::size_t j = active_[i];
      if (diagonal(j) == 0) {
        w_[j] = 0;
        continue;
      }
      const double theta = xta_[j] / std::max(alpha_, norm_);
      if ((1 - std::abs(theta)) / std::sqrt(diagonal(j)) <= radius) {
        active_[kept++] = static_cast<std::uint32_t>(j);
      } else if (w_[j] != 0) {
        add_row(-w_[j], j);
        w_[j] = 0;
      }
    }
    count_ = kept;
  }

  const Dictionary& dictionary_;
  const double* q_;
  double* qw_;
  double* xta_;
  std::uint32_t* active_;
  std::size_t count_ = 0;
  std::size_t n_;
  double alpha_;
  double length_;
  double tolerance_;
  double norm_ = 0;
  double* w_;
};

Scratch scratch_of(const Frame& frame, std::size_t n) {
  double* doubles = at_least(frame.buffers().doubles, 2 * n * n + 6 * n);
  Scratch s{.gram = doubles, .lower = doubles + n * n};
  s.cov = s.lower + n * n;
  s.start = s.cov + n;
  s.a = s.start + n;
  s.b = s.a + n;
  s.c = s.b + n;
  s.d = s.c + n;
  s.indices = at_least(frame.buffers().positions, n);
  return s;
}

void solve(const Dictionary& dictionary, const Scratch& s, const double* x, double* out) {
  for (std::size_t k = 0; k < dictionary.atoms; ++k)
    s.cov[k] = s.start[k] = dot(dictionary.rows.data() + k * dictionary.width, x, dictionary.width);
  switch (dictionary.op.method) {
    case SparseCoding::kThreshold:
      return threshold(dictionary, s, out);
    case SparseCoding::kOmp:
      return pursue(dictionary, s, out);
    case SparseCoding::kLars:
    case SparseCoding::kLassoLars:
      return Lars(dictionary, s, out).run();
    case SparseCoding::kLassoCoordinates:
      return CoordinateDescent(dictionary, s, dot(x, x, dictionary.width), out).run();
  }
}

}  // namespace

MadeKernel make_kernel(const program::SparseCode& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  Dictionary made{.op = op, .atoms = wiring.width_of(out), .width = wiring.width_of(in)};
  made.rows = wiring.numbers(op.dictionary);
  made.gram.resize(made.atoms * made.atoms);
  for (std::size_t i = 0; i < made.atoms; ++i)
    for (std::size_t j = 0; j < made.atoms; ++j)
      made.gram[i * made.atoms + j] =
          dot(made.rows.data() + i * made.width, made.rows.data() + j * made.width, made.width);
  return Kernel{[=, dictionary = std::move(made)](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    const Scratch scratch = scratch_of(frame, dictionary.atoms);
    for (std::size_t row = 0; row < from.rows; ++row)
      solve(dictionary, scratch, from.numbers + row * dictionary.width, to + row * dictionary.atoms);
    return {};
  }};
}

}  // namespace wherry::engine
