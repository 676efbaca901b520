#include "pytext/pattern.h"

#include "base/text.h"
#include "program/rules.h"

namespace wherry::program {

using base::cat;
using base::Result;
using tensor::DType;

namespace {

constexpr std::int64_t kMostNgram = 1'000'000;

base::Status check_analyzer(const TextAnalyzer& analyzer) {
  if (analyzer.min_n < 1 || analyzer.max_n < analyzer.min_n || analyzer.max_n > kMostNgram)
    return invalid(cat("n-grams of ", analyzer.min_n, " to ", analyzer.max_n));
  if (analyzer.analyzer != Analyzer::kWord) return {};
  TRY(pytext::Pattern::compile(analyzer.token_pattern));
  return {};
}

base::Status one_cell(const Operands& in) {
  TRY(in.columns());
  if (width(in.types[0]) != 1) return invalid(cat("needs one column, not ", width(in.types[0])));
  return {};
}

base::Result<std::int64_t> strings_of(const Operands& in, WeightId id) {
  const tensor::Tensor* weight = in.find_weight(id);
  if (weight == nullptr || weight->dtype() != DType::kString || weight->shape().size() != 1)
    return invalid("the terms are not a list of strings");
  return weight->shape()[0];
}

base::Status check_features(std::int64_t count) {
  if (count < 1 || count > kMostWidth) return invalid(cat(count, " features"));
  return {};
}

}  // namespace

Result<ValueType> type_of(const ToDense&, const Operands& in) {
  if (in.types.size() != 1 || !is_sparse(in.types[0])) return invalid("needs one sparse value");
  return matrix_type(width(in.types[0]));
}

Result<ValueType> type_of(const ToSparse&, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  return sparse_type(width(type));
}

Result<ValueType> type_of(const CountTerms& op, const Operands& in) {
  TRY(one_cell(in));
  TRY(check_analyzer(op.analyzer));
  TRY_ASSIGN(const std::int64_t terms, strings_of(in, op.terms));
  return sparse_type(terms);
}

Result<ValueType> type_of(const HashTerms& op, const Operands& in) {
  TRY(one_cell(in));
  TRY(check_analyzer(op.analyzer));
  TRY(check_features(op.n_features));
  return sparse_type(op.n_features);
}

Result<ValueType> type_of(const WeighTerms& op, const Operands& in) {
  if (in.types.size() != 1 || !is_sparse(in.types[0])) return invalid("needs one sparse value");
  if (op.use_idf) TRY(in.check_weight(op.idf, DType::kFloat64, {width(in.types[0])}, "weigh_terms: idf"));
  return in.types[0];
}

Result<ValueType> type_of(const DictFeatures& op, const Operands& in) {
  TRY(one_cell(in));
  TRY_ASSIGN(const std::int64_t names, strings_of(in, op.names));
  return sparse_type(names);
}

Result<ValueType> type_of(const HashFeatures& op, const Operands& in) {
  TRY(one_cell(in));
  TRY(check_features(op.n_features));
  return sparse_type(op.n_features);
}

}  // namespace wherry::program
