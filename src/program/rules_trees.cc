#include <cmath>

#include "base/text.h"
#include "program/rules.h"

namespace wherry::program {

using base::cat;
using base::Result;
using tensor::DType;
using tensor::Tensor;

namespace {

base::Status check_tree_structure(const TreeEnsemble& op, const Operands& in, std::int64_t columns) {
  const auto roots = in.program.weight(op.roots).as<std::int32_t>();
  const auto target = in.program.weight(op.target).as<std::int32_t>();
  const auto feature = in.program.weight(op.feature).as<std::int32_t>();
  const auto threshold = in.program.weight(op.threshold).as<double>();
  const auto left = in.program.weight(op.left).as<std::int32_t>();
  const auto right = in.program.weight(op.right).as<std::int32_t>();
  const tensor::Shape& leaf_shape = in.program.weight(op.values).shape();
  const auto nodes = static_cast<std::int64_t>(feature.size());
  for (std::size_t t = 0; t < roots.size(); ++t) {
    if (roots[t] < 0 || roots[t] >= nodes) return invalid(cat("tree ", t, ": root outside the nodes"));
    if (target[t] < 0 || target[t] + leaf_shape[1] > op.outputs)
      return invalid(cat("tree ", t, ": target outside the outputs"));
  }
  for (std::int64_t i = 0; i < nodes; ++i) {
    if (feature[i] < 0) {
      if (left[i] < 0 || left[i] >= leaf_shape[0])
        return invalid(cat("tree node ", i, ": leaf value out of range"));
      continue;
    }
    if (feature[i] >= columns)
      return invalid(cat("tree node ", i, ": feature ", feature[i], " of ", columns));
    if (left[i] <= i || left[i] >= nodes || right[i] <= i || right[i] >= nodes)
      return invalid(cat("tree node ", i, ": child out of range"));
    if (std::isnan(threshold[i])) return invalid(cat("tree node ", i, ": threshold is NaN"));
  }
  if (!op.has_categories) return {};
  const std::int64_t sets = in.program.weight(op.cat_left).shape()[0];
  for (std::int32_t category : in.program.weight(op.category).as<std::int32_t>())
    if (category >= sets) return invalid("tree_ensemble: category set out of range");
  return {};
}

}  // namespace

Result<ValueType> type_of(const TreeEnsemble& op, const Operands& in) {
  if (in.types.empty() || in.types.size() > 2 || !is_matrix(in.types[0]))
    return invalid("tree_ensemble: needs one matrix, and at most one to start from");
  const ValueType type = in.types[0];
  if (in.types.size() == 2 && !(in.types[1] == matrix_type(op.outputs)))
    return invalid("tree_ensemble: the matrix to start from has another width than the outputs");
  const Tensor* roots = in.find_weight(op.roots);
  const Tensor* feature = in.find_weight(op.feature);
  const Tensor* values = in.find_weight(op.values);
  if (roots == nullptr || feature == nullptr || values == nullptr)
    return invalid("tree_ensemble: a weight is missing");
  if (op.outputs < 1 || op.outputs > kMostWidth) return invalid("tree_ensemble: number of outputs");
  if (!(op.divisor > 0) || !std::isfinite(op.divisor)) return invalid("tree_ensemble: divisor");
  const auto trees = static_cast<std::int64_t>(roots->size());
  const auto nodes = static_cast<std::int64_t>(feature->size());
  TRY(in.check_weight(op.roots, DType::kInt32, {trees}, "tree_ensemble: roots"));
  TRY(in.check_weight(op.target, DType::kInt32, {trees}, "tree_ensemble: target"));
  TRY(in.check_weight(op.feature, DType::kInt32, {nodes}, "tree_ensemble: feature"));
  TRY(in.check_weight(op.threshold, DType::kFloat64, {nodes}, "tree_ensemble: threshold"));
  TRY(in.check_weight(op.left, DType::kInt32, {nodes}, "tree_ensemble: left"));
  TRY(in.check_weight(op.right, DType::kInt32, {nodes}, "tree_ensemble: right"));
  TRY(in.check_weight(op.default_left, DType::kUint8, {nodes}, "tree_ensemble: default_left"));
  TRY(in.check_weight(op.base, DType::kFloat64, {op.outputs}, "tree_ensemble: base"));
  if (values->dtype() != DType::kFloat64 || values->shape().size() != 2)
    return invalid("tree_ensemble: values are not a float64 matrix");
  if (op.has_categories) {
    TRY(in.check_weight(op.category, DType::kInt32, {nodes}, "tree_ensemble: category"));
    const Tensor* members = in.find_weight(op.cat_left);
    if (members == nullptr || members->dtype() != DType::kUint32 || members->shape().size() != 2)
      return invalid("tree_ensemble: cat_left is not a uint32 matrix");
    if (op.category_rule == CategoryRule::kUint8)
      TRY(in.check_weight(op.cat_known, DType::kUint32, members->shape(), "tree_ensemble: cat_known"));
  }
  TRY(check_tree_structure(op, in, width(type)));
  return matrix_type(op.outputs);
}

}  // namespace wherry::program
