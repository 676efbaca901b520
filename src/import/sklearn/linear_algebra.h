// Small dense linear algebra, done once at import. Private to module sklearn.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace wherry::sklearn {

// A matrix with its rows one after the other.
struct Dense {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<double> values;

  double& at(std::size_t i, std::size_t j) { return values[i * columns + j]; }
  double at(std::size_t i, std::size_t j) const { return values[i * columns + j]; }
};

Dense zeros(std::size_t rows, std::size_t columns);
Dense product(const Dense& a, const Dense& b);
Dense transposed(const Dense& a);
void add_to_diagonal(Dense& a, double value);

// Gaussian elimination with partial pivoting, as LAPACK's getrf; nothing for a singular matrix.
struct Inverse {
  Dense matrix;
  double log_determinant = 0;  // -inf unless the determinant is above 0
};
std::optional<Inverse> inverse(Dense a);

// Solves a x = b for a symmetric positive definite matrix by Cholesky's factors, as LAPACK's posv; nothing
// for another matrix.
std::optional<Dense> solve_positive(Dense a, Dense b);

}  // namespace wherry::sklearn
