// Fitted matrices and the products with them, which most families of estimators share. Private to module
// sklearn.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "import/sklearn/context.h"

namespace wherry::sklearn {

// [rows, columns] of a matrix whose size is within bounds; entries of one place are added up.
std::vector<double> dense_values(const pickle::Csr& sparse);

// An array of two dimensions, or a scipy.sparse matrix made dense, charged to the context's budget.
Result<pickle::Matrix> dense_matrix(Context& context, const View& array);

// The attribute as such a matrix of exactly `rows` × `columns`; -1: any number.
Result<pickle::Matrix> matrix_of(Context& context, const View& estimator, std::string_view attribute,
                                 std::int64_t rows, std::int64_t columns);

// An attribute which is one number or a list of numbers: `size` numbers.
Result<std::vector<double>> spread(const View& estimator, std::string_view attribute, std::size_t size);

bool is_float32_array(const View& array);

std::vector<double> transposed(const pickle::Matrix& matrix);

// X @ coefficients.T + intercept, coefficients [intercept.size(), columns of x]; notes that a BLAS may
// differ.
Result<ValueId> affine(Context& context, ValueId x, std::vector<double> coefficients,
                       std::vector<double> intercept);
// X @ matrix
Result<ValueId> product(Context& context, ValueId x, const pickle::Matrix& matrix);

// check_array() of an estimator whose arithmetic is float64; a float32 matrix from the step before, which
// scikit-learn would compute with in float32, is refused.
Result<ValueId> checked_float64(Context& context, const View& estimator, const Flow& input,
                                Layout layout = Layout::kDense);

// A matrix [n, columns] filled with one number, or with one row; `like` gives the number of rows.
Result<ValueId> constant(Context& context, std::vector<double> row, ValueId like);

Result<ValueId> combine(Context& context, ValueId left, program::Arithmetic operation, ValueId right);

// transform of an estimator which makes new columns with numbered_names().
Fitted transformed(const Context& context, const View& estimator, ValueId value, bool sparse = false);

}  // namespace wherry::sklearn
