#include "base/text.h"
#include "program/rules.h"

namespace wherry::program {

using base::cat;
using base::Result;
using tensor::DType;
using tensor::Tensor;

namespace {

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
  const Tensor* values = in.find_weight(op.values);
  const Tensor* terms = in.find_weight(op.term_features);
  if (values == nullptr || terms == nullptr) return invalid("linear_trees: a weight is missing");
  const auto leaves = static_cast<std::int64_t>(values->size());
  const auto count = static_cast<std::int64_t>(terms->size());
  TRY(check_tree_nodes({op.roots, op.target, op.feature, op.threshold, op.left, op.right, op.default_left,
                        op.outputs, leaves, 1},
                       in, width(type)));
  TRY(in.check_weight(op.values, DType::kFloat64, {leaves}, "linear_trees: values"));
  TRY(in.check_weight(op.constants, DType::kFloat64, {leaves}, "linear_trees: constants"));
  TRY(in.check_weight(op.first, DType::kInt32, {leaves + 1}, "linear_trees: first"));
  TRY(in.check_weight(op.term_features, DType::kInt32, {count}, "linear_trees: term_features"));
  TRY(in.check_weight(op.coefficients, DType::kFloat64, {count}, "linear_trees: coefficients"));
  if (op.has_categories) {
    const auto nodes = static_cast<std::int64_t>(in.program.weight(op.feature).size());
    TRY(check_tree_categories(op.category, op.cat_left, nodes, in));
  }
  TRY(check_terms(op, in, width(type)));
  return matrix_type(op.outputs);
}

}  // namespace wherry::program
