#include <cmath>

#include "base/text.h"
#include "program/rules.h"

namespace wherry::program {

using base::cat;
using base::Result;
using tensor::DType;
using tensor::Tensor;

namespace {

base::Status check_nodes(const LinearTrees& op, const Operands& in, std::int64_t columns,
                         std::int64_t leaves) {
  const auto roots = in.program.weight(op.roots).as<std::int32_t>();
  const auto target = in.program.weight(op.target).as<std::int32_t>();
  const auto feature = in.program.weight(op.feature).as<std::int32_t>();
  const auto threshold = in.program.weight(op.threshold).as<double>();
  const auto left = in.program.weight(op.left).as<std::int32_t>();
  const auto right = in.program.weight(op.right).as<std::int32_t>();
  const auto nodes = static_cast<std::int64_t>(feature.size());
  for (std::size_t t = 0; t < roots.size(); ++t) {
    if (roots[t] < 0 || roots[t] >= nodes) return invalid(cat("tree ", t, ": root outside the nodes"));
    if (target[t] < 0 || target[t] >= op.outputs)
      return invalid(cat("tree ", t, ": target outside the outputs"));
  }
  for (std::int64_t i = 0; i < nodes; ++i) {
    if (feature[i] < 0) {
      if (left[i] < 0 || left[i] >= leaves) return invalid(cat("tree node ", i, ": leaf out of range"));
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

base::Status check_terms(const LinearTrees& op, const Operands& in, std::int64_t columns) {
  const auto first = in.program.weight(op.first).as<std::int32_t>();
  const auto features = in.program.weight(op.term_features).as<std::int32_t>();
  if (first.front() != 0 || first.back() != static_cast<std::int32_t>(features.size()))
    return invalid("linear_trees: the terms are not those of the leaves");
  for (std::size_t l = 1; l < first.size(); ++l)
    if (first[l] < first[l - 1]) return invalid(cat("linear_trees: leaf ", l, " begins before the last one"));
  for (const std::int32_t feature : features)
    if (feature < 0 || feature >= columns)
      return invalid(cat("linear_trees: feature ", feature, " of ", columns));
  return {};
}

}  // namespace

Result<ValueType> type_of(const LinearTrees& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  const Tensor* roots = in.find_weight(op.roots);
  const Tensor* feature = in.find_weight(op.feature);
  const Tensor* values = in.find_weight(op.values);
  const Tensor* terms = in.find_weight(op.term_features);
  if (roots == nullptr || feature == nullptr || values == nullptr || terms == nullptr)
    return invalid("linear_trees: a weight is missing");
  if (op.outputs < 1 || op.outputs > kMostWidth) return invalid("linear_trees: number of outputs");
  const auto trees = static_cast<std::int64_t>(roots->size());
  const auto nodes = static_cast<std::int64_t>(feature->size());
  const auto leaves = static_cast<std::int64_t>(values->size());
  const auto count = static_cast<std::int64_t>(terms->size());
  TRY(in.check_weight(op.roots, DType::kInt32, {trees}, "linear_trees: roots"));
  TRY(in.check_weight(op.target, DType::kInt32, {trees}, "linear_trees: target"));
  TRY(in.check_weight(op.feature, DType::kInt32, {nodes}, "linear_trees: feature"));
  TRY(in.check_weight(op.threshold, DType::kFloat64, {nodes}, "linear_trees: threshold"));
  TRY(in.check_weight(op.left, DType::kInt32, {nodes}, "linear_trees: left"));
  TRY(in.check_weight(op.right, DType::kInt32, {nodes}, "linear_trees: right"));
  TRY(in.check_weight(op.default_left, DType::kUint8, {nodes}, "linear_trees: default_left"));
  TRY(in.check_weight(op.values, DType::kFloat64, {leaves}, "linear_trees: values"));
  TRY(in.check_weight(op.constants, DType::kFloat64, {leaves}, "linear_trees: constants"));
  TRY(in.check_weight(op.first, DType::kInt32, {leaves + 1}, "linear_trees: first"));
  TRY(in.check_weight(op.term_features, DType::kInt32, {count}, "linear_trees: term_features"));
  TRY(in.check_weight(op.coefficients, DType::kFloat64, {count}, "linear_trees: coefficients"));
  if (op.has_categories) {
    TRY(in.check_weight(op.category, DType::kInt32, {nodes}, "linear_trees: category"));
    const Tensor* members = in.find_weight(op.cat_left);
    if (members == nullptr || members->dtype() != DType::kUint32 || members->shape().size() != 2)
      return invalid("linear_trees: cat_left is not a uint32 matrix");
    for (const std::int32_t set : in.program.weight(op.category).as<std::int32_t>())
      if (set >= members->shape()[0]) return invalid("linear_trees: category set out of range");
  }
  TRY(check_nodes(op, in, width(type), leaves));
  TRY(check_terms(op, in, width(type)));
  return matrix_type(op.outputs);
}

}  // namespace wherry::program
