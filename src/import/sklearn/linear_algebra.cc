#include "import/sklearn/linear_algebra.h"

#include <cmath>
#include <limits>
#include <utility>

namespace wherry::sklearn {

Dense zeros(std::size_t rows, std::size_t columns) {
  return {rows, columns, std::vector<double>(rows * columns)};
}

Dense product(const Dense& a, const Dense& b) {
  Dense out = zeros(a.rows, b.columns);
  for (std::size_t i = 0; i < a.rows; ++i)
    for (std::size_t k = 0; k < a.columns; ++k)
      for (std::size_t j = 0; j < b.columns; ++j) out.at(i, j) += a.at(i, k) * b.at(k, j);
  return out;
}

Dense transposed(const Dense& a) {
  Dense out = zeros(a.columns, a.rows);
  for (std::size_t i = 0; i < a.rows; ++i)
    for (std::size_t j = 0; j < a.columns; ++j) out.at(j, i) = a.at(i, j);
  return out;
}

void add_to_diagonal(Dense& a, double value) {
  for (std::size_t i = 0; i < a.rows; ++i) a.at(i, i) += value;
}

std::optional<Inverse> inverse(Dense a) {
  const std::size_t n = a.rows;
  Inverse out{zeros(n, n), 0};
  for (std::size_t i = 0; i < n; ++i) out.matrix.at(i, i) = 1;
  bool positive = true;
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k + 1; i < n; ++i)
      if (std::abs(a.at(i, k)) > std::abs(a.at(pivot, k))) pivot = i;
    if (!(std::abs(a.at(pivot, k)) > 0)) return std::nullopt;
    if (pivot != k) {
      positive = !positive;
      for (std::size_t j = 0; j < n; ++j) {
        std::swap(a.at(k, j), a.at(pivot, j));
        std::swap(out.matrix.at(k, j), out.matrix.at(pivot, j));
      }
    }
    positive ^= a.at(k, k) < 0;
    out.log_determinant += std::log(std::abs(a.at(k, k)));
    for (std::size_t i = k + 1; i < n; ++i) {
      const double factor = a.at(i, k) / a.at(k, k);
      for (std::size_t j = k; j < n; ++j) a.at(i, j) -= factor * a.at(k, j);
      for (std::size_t j = 0; j < n; ++j) out.matrix.at(i, j) -= factor * out.matrix.at(k, j);
    }
  }
  for (std::size_t k = n; k-- > 0;) {
    for (std::size_t j = 0; j < n; ++j) {
      double sum = out.matrix.at(k, j);
      for (std::size_t i = k + 1; i < n; ++i) sum -= a.at(k, i) * out.matrix.at(i, j);
      out.matrix.at(k, j) = sum / a.at(k, k);
    }
  }
  if (!positive) out.log_determinant = -std::numeric_limits<double>::infinity();
  return out;
}

std::optional<Dense> solve_positive(Dense a, Dense b) {
  const std::size_t n = a.rows;
  for (std::size_t j = 0; j < n; ++j) {
    double d = a.at(j, j);
    for (std::size_t k = 0; k < j; ++k) d -= a.at(j, k) * a.at(j, k);
    if (!(d > 0)) return std::nullopt;
    a.at(j, j) = std::sqrt(d);
    for (std::size_t i = j + 1; i < n; ++i) {
      double sum = a.at(i, j);
      for (std::size_t k = 0; k < j; ++k) sum -= a.at(i, k) * a.at(j, k);
      a.at(i, j) = sum / a.at(j, j);
    }
  }
  for (std::size_t c = 0; c < b.columns; ++c) {
    for (std::size_t i = 0; i < n; ++i) {
      double sum = b.at(i, c);
      for (std::size_t k = 0; k < i; ++k) sum -= a.at(i, k) * b.at(k, c);
      b.at(i, c) = sum / a.at(i, i);
    }
    for (std::size_t i = n; i-- > 0;) {
      double sum = b.at(i, c);
      for (std::size_t k = i + 1; k < n; ++k) sum -= a.at(k, i) * b.at(k, c);
      b.at(i, c) = sum / a.at(i, i);
    }
  }
  return b;
}

}  // namespace wherry::sklearn
