#include "engine/distance.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/row_sum.h"

namespace wherry::engine {
namespace {

using program::MetricKind;

// How often two rows of truth values are both true, both false, and only one is.
struct Truths {
  std::size_t both = 0, neither = 0, first = 0, second = 0;
  std::size_t unequal() const { return first + second; }
};

Truths truths(const double* x, const double* y, std::size_t width) {
  Truths out;
  for (std::size_t j = 0; j < width; ++j) {
    const bool a = x[j] != 0;
    const bool b = y[j] != 0;
    (a ? (b ? out.both : out.first) : (b ? out.second : out.neither)) += 1;
  }
  return out;
}

double of_truths(MetricKind kind, const double* x, const double* y, std::size_t width) {
  const Truths t = truths(x, y, width);
  const auto n = static_cast<double>(width);
  const auto unequal = static_cast<double>(t.unequal());
  const auto both = static_cast<double>(t.both);
  switch (kind) {
    case MetricKind::kMatching:
      return unequal / n;
    case MetricKind::kJaccard:
      return t.both + t.unequal() == 0 ? 0 : unequal / (both + unequal);
    case MetricKind::kDice:
      return unequal / (2.0 * both + unequal);
    case MetricKind::kKulsinski:
      return (unequal - both + n) / (unequal + n);
    case MetricKind::kRogerstanimoto:
    case MetricKind::kSokalmichener:
      return (2.0 * unequal) / (n + unequal);
    case MetricKind::kRussellrao:
      return (n - both) / n;
    case MetricKind::kSokalsneath:
      return unequal / (0.5 * both + unequal);
    default: {  // yule
      const double half = static_cast<double>(t.first) * static_cast<double>(t.second);
      return half == 0 ? 0 : (2.0 * half) / (both * static_cast<double>(t.neither) + half);
    }
  }
}

double manhattan(const double* x, const double* y, std::size_t width) {
  double d = 0;
  for (std::size_t j = 0; j < width; ++j) d += std::abs(x[j] - y[j]);
  return d;
}

double chebyshev(const double* x, const double* y, std::size_t width) {
  double d = 0;
  for (std::size_t j = 0; j < width; ++j) d = std::fmax(d, std::abs(x[j] - y[j]));
  return d;
}

double minkowski(const double* x, const double* y, std::size_t width, double p, const double* w) {
  double d = 0;
  for (std::size_t j = 0; j < width; ++j) {
    const double power = std::pow(std::abs(x[j] - y[j]), p);
    d += w == nullptr ? power : w[j] * power;
  }
  return d;
}

double seuclidean(const double* x, const double* y, std::size_t width, const double* variance) {
  double d = 0;
  for (std::size_t j = 0; j < width; ++j) {
    const double difference = x[j] - y[j];
    d += difference * difference / variance[j];
  }
  return d;
}

double mahalanobis(const double* x, const double* y, std::size_t width, const double* inverse) {
  double d = 0;
  for (std::size_t i = 0; i < width; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < width; ++j) sum += inverse[i * width + j] * (x[j] - y[j]);
    d += sum * (x[i] - y[i]);
  }
  return d;
}

double hamming(const double* x, const double* y, std::size_t width) {
  std::size_t unequal = 0;
  for (std::size_t j = 0; j < width; ++j) unequal += x[j] != y[j] ? 1 : 0;
  return static_cast<double>(unequal) / static_cast<double>(width);
}

double canberra(const double* x, const double* y, std::size_t width) {
  double d = 0;
  for (std::size_t j = 0; j < width; ++j) {
    const double scale = std::abs(x[j]) + std::abs(y[j]);
    if (scale > 0) d += std::abs(x[j] - y[j]) / scale;
  }
  return d;
}

double braycurtis(const double* x, const double* y, std::size_t width) {
  double above = 0;
  double below = 0;
  for (std::size_t j = 0; j < width; ++j) {
    above += std::abs(x[j] - y[j]);
    below += std::abs(x[j]) + std::abs(y[j]);
  }
  return below > 0 ? above / below : 0;
}

double haversine(const double* x, const double* y) {
  const double a = std::sin(0.5 * (x[0] - y[0]));
  const double b = std::sin(0.5 * (x[1] - y[1]));
  return a * a + std::cos(x[0]) * std::cos(y[0]) * b * b;
}

double one_minus(double cosine) {
  return std::clamp(cosine * -1 + 1, 0.0, 2.0);
}

double correlation(const double* x, const double* y, std::size_t width) {
  double cosine = dot(x, y, width) / (std::sqrt(dot(x, x, width)) * std::sqrt(dot(y, y, width)));
  if (std::abs(cosine) > 1) cosine = std::copysign(1.0, cosine);
  return 1.0 - cosine;
}

// numpy.maximum(d, 0): NaN stays.
double at_least_zero(double d) {
  return d < 0 ? 0 : d;
}

// einsum_squares() of numbers value(0), value(1), …
template <class Value>
double einsum_squares_of(std::size_t width, Value value) {
  const auto square = [&](std::size_t j) { return value(j) * value(j); };
  double sums[2] = {};
  std::size_t j = 0;
  for (; width - j >= 8; j += 8)
    for (std::size_t k = 8; k-- > 0;) sums[k % 2] += square(j + k);
  for (; j < width; ++j) sums[j % 2] += square(j);
  return sums[0] + sums[1];
}

// sklearn.metrics.pairwise.nan_euclidean_distances, squared.
double nan_euclidean(const double* x, const double* y, std::size_t width) {
  const auto present_or_zero = [](double value) { return std::isnan(value) ? 0 : value; };
  const double xx = einsum_squares_of(width, [&](std::size_t j) { return present_or_zero(x[j]); });
  const double yy = einsum_squares_of(width, [&](std::size_t j) { return present_or_zero(y[j]); });
  double xy = 0, only_x = 0, only_y = 0;
  std::size_t present = 0;
  for (std::size_t j = 0; j < width; ++j) {
    const bool has_x = !std::isnan(x[j]);
    const bool has_y = !std::isnan(y[j]);
    const double a = has_x ? x[j] : 0;
    const double b = has_y ? y[j] : 0;
    xy = std::fma(a, b, xy);
    only_x += a * a * (has_y ? 0 : 1);  // NaN where the square is infinite
    only_y += b * b * (has_x ? 0 : 1);
    if (has_x && has_y) ++present;
  }
  if (present == 0) return std::numeric_limits<double>::quiet_NaN();
  double d = at_least_zero(-2 * xy + xx + yy);
  d = at_least_zero(d - only_x - only_y);
  return d / static_cast<double>(present) * static_cast<double>(width);
}

}  // namespace

double dot(const double* x, const double* y, std::size_t width) {
  double sum = 0;
  for (std::size_t j = 0; j < width; ++j) sum += x[j] * y[j];
  return sum;
}

double fused_dot(const double* x, const double* y, std::size_t width) {
  double sum = 0;
  for (std::size_t j = 0; j < width; ++j) sum = std::fma(x[j], y[j], sum);
  return sum;
}

double einsum_squares(const double* x, std::size_t width) {
  return einsum_squares_of(width, [&](std::size_t j) { return x[j]; });
}

double squared_distance(const double* x, const double* y, std::size_t width) {
  double d = 0;
  for (std::size_t j = 0; j < width; ++j) {
    const double difference = x[j] - y[j];
    d += difference * difference;
  }
  return d;
}

double Distance::reduced(const double* x, const double* y, std::size_t width) const {
  switch (kind_) {
    case MetricKind::kEuclidean:
    case MetricKind::kSqeuclidean:
      return squared_distance(x, y, width);
    case MetricKind::kManhattan:
      return manhattan(x, y, width);
    case MetricKind::kChebyshev:
      return chebyshev(x, y, width);
    case MetricKind::kMinkowski:
      return minkowski(x, y, width, p_, values_.empty() ? nullptr : values_.data());
    case MetricKind::kSeuclidean:
      return seuclidean(x, y, width, values_.data());
    case MetricKind::kMahalanobis:
      return mahalanobis(x, y, width, values_.data());
    case MetricKind::kHamming:
      return hamming(x, y, width);
    case MetricKind::kCanberra:
      return canberra(x, y, width);
    case MetricKind::kBraycurtis:
      return braycurtis(x, y, width);
    case MetricKind::kHaversine:
      return haversine(x, y);
    case MetricKind::kCosine:
      return one_minus(fused_dot(x, y, width));
    case MetricKind::kCorrelation:
      return correlation(x, y, width);
    case MetricKind::kNanEuclidean:
      return nan_euclidean(x, y, width);
    case MetricKind::kPrecomputed:
      return 0;
    default:
      return of_truths(kind_, x, y, width);
  }
}

void Distance::reduced_to_rows(const double* x, const double* rows, std::size_t count, std::size_t width,
                               double* out) const {
  switch (kind_) {  // the most frequent ones without a call per row
    case MetricKind::kEuclidean:
      for (std::size_t i = 0; i < count; ++i) out[i] = squared_distance(x, rows + i * width, width);
      return;
    case MetricKind::kManhattan:
      for (std::size_t i = 0; i < count; ++i) out[i] = manhattan(x, rows + i * width, width);
      return;
    default:
      for (std::size_t i = 0; i < count; ++i) out[i] = reduced(x, rows + i * width, width);
  }
}

double Distance::from_reduced(double value) const {
  switch (kind_) {
    case MetricKind::kEuclidean:
    case MetricKind::kSeuclidean:
    case MetricKind::kMahalanobis:
    case MetricKind::kNanEuclidean:
      return std::sqrt(value);
    case MetricKind::kMinkowski:
      return std::pow(value, 1.0 / p_);
    case MetricKind::kHaversine:
      return 2 * std::asin(std::sqrt(value));
    default:
      return value;
  }
}

double Distance::to_reduced(double value) const {
  switch (kind_) {
    case MetricKind::kEuclidean:
    case MetricKind::kSeuclidean:
    case MetricKind::kMahalanobis:
    case MetricKind::kNanEuclidean:
      return value * value;
    case MetricKind::kMinkowski:
      return std::pow(value, p_);
    case MetricKind::kHaversine: {
      const double sine = std::sin(0.5 * value);
      return sine * sine;
    }
    default:
      return value;
  }
}

bool Distance::prepare(const double* row, std::size_t width, double* out) const {
  if (kind_ == MetricKind::kCosine) {
    double norm = std::sqrt(einsum_squares(row, width));
    if (norm == 0) norm = 1;
    for (std::size_t j = 0; j < width; ++j) out[j] = row[j] / norm;
    return true;
  }
  if (kind_ == MetricKind::kCorrelation) {
    const double mean = row_sum(row, width) / static_cast<double>(width);
    for (std::size_t j = 0; j < width; ++j) out[j] = row[j] - mean;
    return true;
  }
  return false;
}

StoredRows::StoredRows(Distance distance, bool expanded, Norms norms, std::vector<double> rows,
                       std::size_t width)
    : distance_(std::move(distance)),
      expanded_(expanded),
      summed_(norms),
      width_(width),
      rows_(std::move(rows)) {
  if (distance_.kind() == MetricKind::kPrecomputed) {
    count_ = width;
    return;
  }
  count_ = width == 0 ? 0 : rows_.size() / width;
  std::vector<double> one(width);
  for (std::size_t i = 0; i < count_; ++i)
    if (distance_.prepare(row(i), width, one.data()))
      std::ranges::copy(one, rows_.begin() + static_cast<std::ptrdiff_t>(i * width));
  if (!expanded_ && distance_.kind() != MetricKind::kCosine) return;
  lanes_.resize((count_ + kLanes - 1) / kLanes * kLanes * width);
  norms_.resize((count_ + kLanes - 1) / kLanes * kLanes);
  for (std::size_t i = 0; i < count_; ++i) {
    norms_[i] = norm(row(i));
    for (std::size_t j = 0; j < width; ++j)
      lanes_[(i / kLanes * width + j) * kLanes + i % kLanes] = rows_[i * width + j];
  }
}

const double* StoredRows::prepared(const double* in, std::size_t rows, Buffers& buffers) const {
  const MetricKind kind = distance_.kind();
  if (kind != MetricKind::kCosine && kind != MetricKind::kCorrelation) return in;
  double* out = at_least(buffers.doubles, rows * width_);
  for (std::size_t i = 0; i < rows; ++i) distance_.prepare(in + i * width_, width_, out + i * width_);
  return out;
}

double StoredRows::norm(const double* row) const {
  return summed_ == Norms::kBlas ? fused_dot(row, row, width_) : einsum_squares(row, width_);
}

void StoredRows::by_products(const double* x, std::size_t first, std::size_t last, double* out) const {
  const double norm_of_x = expanded_ ? norm(x) : 0;
  for (std::size_t i = first; i < last; i += kLanes) {
    double product[kLanes];
    dots_(x, lanes_.data() + i * width_, width_, product);
    const std::size_t here = std::min(kLanes, last - i);
    for (std::size_t l = 0; l < here; ++l) {
      if (!expanded_) {
        out[i - first + l] = one_minus(product[l]);
        continue;
      }
      out[i - first + l] = at_least_zero(norm_of_x + -2 * product[l] + norms_[i + l]);
    }
  }
}

void StoredRows::reduced(const double* x, std::size_t first, std::size_t last, double* out) const {
  if (distance_.kind() == MetricKind::kPrecomputed)
    std::copy(x + first, x + last, out);
  else if (!lanes_.empty())
    by_products(x, first, last, out);
  else
    distance_.reduced_to_rows(x, row(first), last - first, width_, out);
}

}  // namespace wherry::engine
