#include <cmath>

#include "base/text.h"
#include "program/rules.h"

namespace wherry::program {

using base::cat;
using base::Result;
using tensor::DType;
using tensor::Tensor;

namespace {

base::Status check_structure(const TreeNodes& trees, const Operands& in, std::int64_t columns) {
  const auto roots = in.program.weight(trees.roots).as<std::int32_t>();
  const auto target = in.program.weight(trees.target).as<std::int32_t>();
  const auto feature = in.program.weight(trees.feature).as<std::int32_t>();
  const auto threshold = in.program.weight(trees.threshold).as<double>();
  const auto left = in.program.weight(trees.left).as<std::int32_t>();
  const auto right = in.program.weight(trees.right).as<std::int32_t>();
  const auto nodes = static_cast<std::int64_t>(feature.size());
  for (std::size_t t = 0; t < roots.size(); ++t) {
    if (roots[t] < 0 || roots[t] >= nodes) return invalid(cat("tree ", t, ": root outside the nodes"));
    if (target[t] < 0 || target[t] + trees.leaf_width > trees.outputs)
      return invalid(cat("tree ", t, ": target outside the outputs"));
  }
  for (std::int64_t i = 0; i < nodes; ++i) {
    if (feature[i] < 0) {
      if (left[i] < 0 || left[i] >= trees.leaves)
        return invalid(cat("tree node ", i, ": leaf value out of range"));
      continue;
    }
    if (feature[i] >= columns)
      return invalid(cat("tree node ", i, ": feature ", feature[i], " of ", columns));
    if (left[i] <= i || left[i] >= nodes || right[i] <= i || right[i] >= nodes)
      return invalid(cat("tree node ", i, ": child out of range"));
    if (std::isnan(threshold[i])) return invalid(cat("tree node ", i, ": threshold is NaN"));
  }
  return {};
}

}  // namespace

base::Status check_tree_nodes(const TreeNodes& trees, const Operands& in, std::int64_t columns) {
  const Tensor* roots = in.find_weight(trees.roots);
  const Tensor* feature = in.find_weight(trees.feature);
  if (roots == nullptr || feature == nullptr) return invalid("a weight is missing");
  if (trees.outputs < 1 || trees.outputs > kMostWidth) return invalid("number of outputs");
  const auto count = static_cast<std::int64_t>(roots->size());
  const auto nodes = static_cast<std::int64_t>(feature->size());
  TRY(in.check_weight(trees.roots, DType::kInt32, {count}, "roots"));
  TRY(in.check_weight(trees.target, DType::kInt32, {count}, "target"));
  TRY(in.check_weight(trees.feature, DType::kInt32, {nodes}, "feature"));
  TRY(in.check_weight(trees.threshold, DType::kFloat64, {nodes}, "threshold"));
  TRY(in.check_weight(trees.left, DType::kInt32, {nodes}, "left"));
  TRY(in.check_weight(trees.right, DType::kInt32, {nodes}, "right"));
  TRY(in.check_weight(trees.default_left, DType::kUint8, {nodes}, "default_left"));
  return check_structure(trees, in, columns);
}

base::Status check_tree_categories(WeightId category, WeightId cat_left, std::int64_t nodes,
                                   const Operands& in) {
  TRY(in.check_weight(category, DType::kInt32, {nodes}, "category"));
  const Tensor* members = in.find_weight(cat_left);
  if (members == nullptr || members->dtype() != DType::kUint32 || members->shape().size() != 2)
    return invalid("cat_left is not a uint32 matrix");
  for (const std::int32_t set : in.program.weight(category).as<std::int32_t>())
    if (set >= members->shape()[0]) return invalid("category set out of range");
  return {};
}

Result<ValueType> type_of(const TreeEnsemble& op, const Operands& in) {
  if (in.types.empty() || in.types.size() > 2 || !is_matrix(in.types[0]))
    return invalid("tree_ensemble: needs one matrix, and at most one to start from");
  if (in.types.size() == 2 && !(in.types[1] == matrix_type(op.outputs)))
    return invalid("tree_ensemble: the matrix to start from has another width than the outputs");
  if (!(op.divisor > 0) || !std::isfinite(op.divisor)) return invalid("tree_ensemble: divisor");
  const Tensor* values = in.find_weight(op.values);
  if (values == nullptr || values->dtype() != DType::kFloat64 || values->shape().size() != 2)
    return invalid("tree_ensemble: values are not a float64 matrix");
  TRY(check_tree_nodes({op.roots, op.target, op.feature, op.threshold, op.left, op.right, op.default_left,
                        op.outputs, values->shape()[0], values->shape()[1]},
                       in, width(in.types[0])));
  TRY(in.check_weight(op.base, DType::kFloat64, {op.outputs}, "tree_ensemble: base"));
  if (op.has_categories) {
    const auto nodes = static_cast<std::int64_t>(in.program.weight(op.feature).size());
    TRY(check_tree_categories(op.category, op.cat_left, nodes, in));
    if (op.category_rule == CategoryRule::kUint8)
      TRY(in.check_weight(op.cat_known, DType::kUint32, in.program.weight(op.cat_left).shape(),
                          "tree_ensemble: cat_known"));
  }
  return matrix_type(op.outputs);
}

}  // namespace wherry::program
