#include "import/sklearn/matrices.h"

#include <algorithm>

#include "import/sklearn/values.h"

namespace wherry::sklearn {

using pickle::Matrix;

namespace {

constexpr std::int64_t kMostElements = std::int64_t{1} << 26;

}  // namespace

std::vector<double> dense_values(const pickle::Csr& sparse) {
  std::vector<double> out(static_cast<std::size_t>(sparse.rows * sparse.columns));
  for (std::int64_t row = 0; row < sparse.rows; ++row)
    for (std::int64_t i = sparse.offsets[row]; i < sparse.offsets[row + 1]; ++i)
      out[static_cast<std::size_t>(row * sparse.columns + sparse.indices[i])] += sparse.values[i];
  return out;
}

Result<Matrix> dense_matrix(Context& context, const View& array) {
  if (!array.is_sparse()) {
    TRY_ASSIGN(Matrix matrix, array.matrix());
    TRY(context.charge(array, matrix.values.size()));
    return matrix;
  }
  TRY_ASSIGN(const pickle::Csr sparse, array.sparse());
  if (sparse.rows > kMostElements / std::max<std::int64_t>(sparse.columns, 1))
    return inconsistent(array, "too large a sparse matrix");
  const auto elements = static_cast<std::size_t>(sparse.rows * sparse.columns);
  TRY(context.charge(array, elements));
  return Matrix{sparse.rows, sparse.columns, dense_values(sparse)};
}

Result<Matrix> matrix_of(Context& context, const View& estimator, std::string_view attribute,
                         std::int64_t rows, std::int64_t columns) {
  TRY_ASSIGN(const View array, estimator.attr(attribute));
  TRY_ASSIGN(Matrix matrix, dense_matrix(context, array));
  const auto wrong = [](std::int64_t found, std::int64_t wanted) { return wanted >= 0 && found != wanted; };
  if (wrong(matrix.rows, rows) || wrong(matrix.columns, columns))
    return inconsistent(array, cat("an array (", matrix.rows, ", ", matrix.columns, ") where (",
                                   rows < 0 ? std::string("*") : cat(rows), ", ",
                                   columns < 0 ? std::string("*") : cat(columns), ") belongs"));
  return matrix;
}

Result<std::vector<double>> spread(const View& estimator, std::string_view attribute, std::size_t size) {
  TRY_ASSIGN(const View view, estimator.attr(attribute));
  if (const auto single = view.as_double()) return std::vector<double>(size, *single);
  TRY_ASSIGN(std::vector<double> values, view.doubles());
  if (values.size() == 1) values.resize(size, values[0]);
  if (values.size() != size)
    return inconsistent(view, cat(values.size(), " numbers where ", size, " belong"));
  return values;
}

bool is_float32_array(const View& array) {
  const auto data = array.array();
  return data && data->dtype->kind == 'f' && data->dtype->itemsize == 4;
}

std::vector<double> transposed(const Matrix& matrix) {
  std::vector<double> out(matrix.values.size());
  const auto rows = static_cast<std::size_t>(matrix.rows);
  const auto columns = static_cast<std::size_t>(matrix.columns);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) out[j * rows + i] = matrix.values[i * columns + j];
  return out;
}

Result<ValueId> affine(Context& context, ValueId x, std::vector<double> coefficients,
                       std::vector<double> intercept) {
  context.note_products();
  const auto outputs = static_cast<std::int64_t>(intercept.size());
  const std::int64_t columns = context.width(Flow{.value = x});
  program::Linear op;
  op.coefficients = context.matrix("coef", outputs, columns, std::move(coefficients));
  op.intercept = context.vector("intercept", std::move(intercept));
  return context.add(op, {x});
}

Result<ValueId> product(Context& context, ValueId x, const Matrix& matrix) {
  return affine(context, x, transposed(matrix),
                std::vector<double>(static_cast<std::size_t>(matrix.columns), 0.0));
}

Result<ValueId> checked_float64(Context& context, const View& estimator, const Flow& input, Layout layout) {
  TRY(refuse_float32(estimator, input));
  return context.checked(input, short_class(estimator), false, false, layout);
}

Result<ValueId> constant(Context& context, std::vector<double> row, ValueId like) {
  return context.add(program::Constant{context.vector("constant", std::move(row))}, {like});
}

Result<ValueId> combine(Context& context, ValueId left, program::Arithmetic operation, ValueId right) {
  return context.add(program::Elementwise{operation}, {left, right});
}

Fitted transformed(const Context& context, const View& estimator, ValueId value, bool sparse) {
  const auto columns = static_cast<std::size_t>(context.width(Flow{.value = value}));
  Fitted fitted;
  fitted.transform = made(value, columns, numbered_names(estimator, columns), sparse);
  return fitted;
}

}  // namespace wherry::sklearn
