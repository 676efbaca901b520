#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "program/rules.h"

namespace wherry::program {

using base::cat;
using base::Result;
using tensor::DType;
using tensor::Tensor;

namespace {

constexpr std::int64_t kMostClasses = 10'000;

std::int64_t pairs_of(std::int64_t classes) {
  return classes * (classes - 1) / 2;
}

base::Status check_classes(std::int64_t classes) {
  if (classes < 2 || classes > kMostClasses) return invalid(cat(classes, " classes"));
  return {};
}

// One matrix with a column for each pair of classes.
base::Status check_pairs(const ValueType& type, std::int64_t classes) {
  TRY(check_classes(classes));
  if (width(type) != pairs_of(classes))
    return invalid(cat(width(type), " columns for the pairs of ", classes, " classes"));
  return {};
}

// A float64 weight of two dimensions with `columns` columns and at least one row.
Result<std::int64_t> rows_of(const Operands& in, WeightId id, std::int64_t columns, std::string_view what) {
  const Tensor* weight = in.find_weight(id);
  if (weight == nullptr || weight->dtype() != DType::kFloat64 || weight->shape().size() != 2 ||
      weight->shape()[0] < 1 || weight->shape()[1] != columns)
    return invalid(cat(what, ": not float64 [at least 1, ", columns, "]"));
  return weight->shape()[0];
}

bool fits_function(const KernelMatrix& op) {
  switch (op.function) {
    case KernelFunction::kIntegerPolynomial:
      return op.degree >= 0 && op.degree <= 1e9 && op.degree == std::floor(op.degree);
    case KernelFunction::kMatern:
      return op.degree > 0 && (op.degree <= 1000 || std::isinf(op.degree));
    default:
      return !std::isnan(op.degree);
  }
}

}  // namespace

Result<ValueType> type_of(const KernelMatrix& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  TRY_ASSIGN(const std::int64_t rows, rows_of(in, op.rows, width(type), "rows"));
  if (!fits_function(op)) return invalid(cat("degree ", op.degree));
  return matrix_type(rows);
}

Result<ValueType> type_of(const PairDecisions& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  const auto classes = static_cast<std::int64_t>(op.counts.size());
  TRY(check_classes(classes));
  std::int64_t total = 0;
  for (const std::int64_t count : op.counts) {
    if (count < 0 || count > width(type) - total) return invalid("more support vectors than kernel values");
    total += count;
  }
  if (total != width(type))
    return invalid(cat(total, " support vectors for ", width(type), " kernel values"));
  TRY(in.check_weight(op.coefficients, DType::kFloat64, {classes - 1, total}, "coefficients"));
  TRY(in.check_weight(op.intercept, DType::kFloat64, {pairs_of(classes)}, "intercept"));
  return matrix_type(pairs_of(classes));
}

Result<ValueType> type_of(const PairWinner& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  TRY(check_pairs(type, op.classes));
  return index_type();
}

Result<ValueType> type_of(const PairProbabilities& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  TRY(check_pairs(type, op.classes));
  TRY(in.check_weight(op.a, DType::kFloat64, {width(type)}, "a"));
  TRY(in.check_weight(op.b, DType::kFloat64, {width(type)}, "b"));
  return matrix_type(op.classes);
}

Result<ValueType> type_of(const SolvedSquares& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  TRY(in.check_weight(op.lower, DType::kFloat64, {width(type), width(type)}, "lower"));
  TRY(in.check_weight(op.scale, DType::kFloat64, {width(type)}, "scale"));
  return matrix_type(1);
}

Result<ValueType> type_of(const LaplaceProbability&, const Operands& in) {
  if (in.types.size() != 2 || !(in.types[0] == matrix_type(1)) || !(in.types[1] == matrix_type(1)))
    return invalid("needs two matrices of one column");
  return matrix_type(1);
}

Result<ValueType> type_of(const GaussianLikelihood& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  TRY_ASSIGN(const std::int64_t classes, rows_of(in, op.mean, width(type), "mean"));
  TRY(in.check_weight(op.variance, DType::kFloat64, {classes, width(type)}, "variance"));
  TRY(in.check_weight(op.constant, DType::kFloat64, {classes}, "constant"));
  TRY(in.check_weight(op.log_prior, DType::kFloat64, {classes}, "log_prior"));
  return matrix_type(classes);
}

Result<ValueType> type_of(const CategoricalLikelihood& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  if (static_cast<std::int64_t>(op.counts.size()) != width(type))
    return invalid(cat(op.counts.size(), " counts for ", width(type), " columns"));
  std::int64_t total = 0;
  for (const std::int64_t count : op.counts) {
    if (count < 0 || count > kMostWidth - total) return invalid("number of categories");
    total += count;
  }
  const Tensor* prior = in.find_weight(op.log_prior);
  if (prior == nullptr || prior->dtype() != DType::kFloat64 || prior->shape().size() != 1 ||
      prior->shape()[0] < 1)
    return invalid("log_prior is not a list of numbers");
  const std::int64_t classes = prior->shape()[0];
  TRY(in.check_weight(op.log_probability, DType::kFloat64, {total, classes}, "log_probability"));
  return matrix_type(classes);
}

Result<ValueType> type_of(const CountSketch& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  if (op.components < 1 || op.components > kMostWidth) return invalid(cat(op.components, " components"));
  TRY_ASSIGN(const std::int64_t degrees, rows_of(in, op.bit, width(type), "bit"));
  TRY(in.check_weight(op.index, DType::kInt64, {degrees, width(type)}, "index"));
  TRY(in.check_positions(in.find_weight(op.index)->as<std::int64_t>(), op.components));
  return matrix_type(op.components);
}

Result<ValueType> type_of(const AdditiveChi2Features& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  if (op.steps < 1 || op.steps > 1000) return invalid(cat(op.steps, " steps"));
  const std::int64_t columns = width(type) * (2 * op.steps - 1);
  if (columns > kMostWidth) return invalid(cat(columns, " columns"));
  return matrix_type(columns);
}

}  // namespace wherry::program
