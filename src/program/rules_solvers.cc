#include "base/text.h"
#include "program/rules.h"

namespace wherry::program {

using base::cat;
using base::Result;
using tensor::DType;
using tensor::Tensor;

namespace {

// [k, width of the input] with k >= 1, and a number of iterations that ends.
Result<ValueType> solver_type(const Operands& in, WeightId components, std::int64_t iterations,
                              std::string_view what) {
  constexpr std::int64_t kMostIterations = 1'000'000;
  constexpr std::int64_t kMostComponents = 100'000;
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  const Tensor* weight = in.find_weight(components);
  if (weight == nullptr || weight->dtype() != DType::kFloat64 || weight->shape().size() != 2 ||
      weight->shape()[1] != width(type) || weight->shape()[0] < 1 || weight->shape()[0] > kMostComponents)
    return invalid(cat(what, " is not float64 [components, ", width(type), "]"));
  if (iterations < 0 || iterations > kMostIterations) return invalid("number of iterations");
  return matrix_type(weight->shape()[0]);
}

}  // namespace

Result<ValueType> type_of(const Factorize& op, const Operands& in) {
  return solver_type(in, op.components, op.max_iterations, "factorize: components");
}

Result<ValueType> type_of(const TopicMixture& op, const Operands& in) {
  return solver_type(in, op.topics, op.max_iterations, "topic_mixture: topics");
}

Result<ValueType> type_of(const SparseCode& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type,
             solver_type(in, op.dictionary, op.max_iterations, "sparse_code: dictionary"));
  constexpr std::int64_t kMostAtoms = 10'000;  // their products are kept: [k, k]
  if (width(type) > kMostAtoms) return invalid("sparse_code: too many atoms");
  if (op.method == SparseCoding::kOmp && (op.max_iterations < 1 || op.max_iterations > width(type)))
    return invalid("sparse_code: number of atoms");
  return type;
}

}  // namespace wherry::program
