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

bool ascends(std::span<const double> values) {
  return std::ranges::is_sorted(values) &&
         std::ranges::none_of(values, [](double x) { return std::isnan(x); });
}

// float64 [rows, any]
const Tensor* find_rows(const Operands& in, WeightId id, std::int64_t rows) {
  const Tensor* weight = in.find_weight(id);
  const bool good = weight != nullptr && weight->dtype() == DType::kFloat64 && weight->shape().size() == 2 &&
                    weight->shape()[0] == rows;
  return good ? weight : nullptr;
}

bool rows_ascend(const Tensor& weight) {
  const auto values = weight.as<double>();
  const auto size = static_cast<std::size_t>(weight.shape()[1]);
  for (std::size_t at = 0; size > 0 && at < values.size(); at += size)
    if (!ascends(values.subspan(at, size))) return false;
  return true;
}

}  // namespace

Result<ValueType> type_of(const WithConstant&, const Operands& in) {
  return in.same_matrix();
}

Result<ValueType> type_of(const ReplaceNonFinite&, const Operands& in) {
  return in.same_matrix();
}

Result<ValueType> type_of(const NormalizeLengths&, const Operands& in) {
  return in.same_matrix();
}

Result<ValueType> type_of(const CenterKernel& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  TRY(in.check_weight(op.rows, DType::kFloat64, {width(type)}, "center_kernel: rows"));
  return type;
}

Result<ValueType> type_of(const PowerTransform& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  TRY(in.check_weight(op.lambdas, DType::kFloat64, {width(type)}, "power_transform: lambdas"));
  return type;
}

Result<ValueType> type_of(const Quantiles& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  const Tensor* quantiles = find_rows(in, op.quantiles, width(type));
  if (quantiles == nullptr || quantiles->shape()[1] < 1)
    return invalid(cat("quantiles: not float64 [", width(type), ", quantiles]"));
  TRY(in.check_weight(op.references, DType::kFloat64, {quantiles->shape()[1]}, "quantiles: references"));
  if (!ascends(in.find_weight(op.references)->as<double>())) return invalid("quantiles: references descend");
  return type;
}

Result<ValueType> type_of(const Bins& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  const Tensor* edges = in.find_weight(op.edges);
  if (edges == nullptr || edges->dtype() != DType::kFloat64 || edges->shape().size() != 1)
    return invalid("bins: edges are not a float64 list");
  const auto values = edges->as<double>();
  if (static_cast<std::int64_t>(op.offsets.size()) != width(type) + 1 || op.offsets.front() != 0 ||
      op.offsets.back() != static_cast<std::int64_t>(values.size()) || !std::ranges::is_sorted(op.offsets))
    return invalid("bins: offsets do not fit the edges");
  for (std::size_t j = 0; j + 1 < op.offsets.size(); ++j)
    if (!ascends(values.subspan(static_cast<std::size_t>(op.offsets[j]),
                                static_cast<std::size_t>(op.offsets[j + 1] - op.offsets[j]))))
      return invalid("bins: edges descend");
  return type;
}

Result<ValueType> type_of(const Products& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  if (op.parents.size() != op.features.size())
    return invalid("products: parents and features differ in number");
  for (std::size_t i = 0; i < op.parents.size(); ++i) {
    if (op.parents[i] < -1 || op.parents[i] >= static_cast<std::int64_t>(i))
      return invalid("products: a parent that does not come before its child");
    if (op.features[i] < -1 || op.features[i] >= width(type))
      return invalid("products: feature out of range");
  }
  return matrix_type(static_cast<std::int64_t>(op.parents.size()));
}

Result<ValueType> type_of(const SplineBasis& op, const Operands& in) {
  constexpr std::int64_t kHighestDegree = 1000;
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  const Tensor* knots = find_rows(in, op.knots, width(type));
  if (knots == nullptr) return invalid(cat("spline_basis: knots are not float64 [", width(type), ", knots]"));
  if (op.degree < 0 || op.degree > kHighestDegree || knots->shape()[1] < 2 * op.degree + 2)
    return invalid("spline_basis: too few knots for the degree");
  if (!rows_ascend(*knots)) return invalid("spline_basis: knots descend");
  std::int64_t functions = knots->shape()[1] - op.degree - 1;
  if (op.extrapolation == Extrapolation::kPeriodic) functions -= op.degree;
  // A linear extrapolation uses the first and last functions, and the third knot from either end.
  const std::int64_t used =
      std::max<std::int64_t>(op.degree, std::min<std::int64_t>(width(type) + op.degree, 2));
  if (op.extrapolation == Extrapolation::kLinear && (functions < used || knots->shape()[1] <= used))
    return invalid("spline_basis: too few functions for the degree");
  const std::int64_t kept = functions - (op.include_last ? 0 : 1);
  if (functions < std::max<std::int64_t>(op.degree, 1) ||
      kept > kMostWidth / std::max<std::int64_t>(width(type), 1))
    return invalid("spline_basis: number of functions");
  return matrix_type(width(type) * kept);
}

}  // namespace wherry::program
