#include "program/fidelity.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace wherry::program {
namespace {

struct Row {
  std::string_view operation;
  Fidelity fidelity;
};

constexpr auto kSame = Fidelity::kIdentical;
constexpr auto kLibrary = Fidelity::kFunctions;
constexpr auto kDots = Fidelity::kProducts;
constexpr auto kRuntime = Fidelity::kRuntime;
constexpr auto kIterated = Fidelity::kSolved;

// Every operation; Apply depends on its function.
constexpr Row kRows[] = {
    {"above", kSame},
    {"additive_chi2_features", kLibrary},
    {"apply", kLibrary},
    {"apply_float32", kLibrary},
    {"argmax", kSame},
    {"as_matrix", kSame},
    {"barycenter", kIterated},
    {"bins", kSame},
    {"catboost_exp", kLibrary},
    {"catboost_features", kSame},
    {"catboost_softmax", kLibrary},
    {"categorical_likelihood", kLibrary},
    {"center_kernel", kDots},
    {"center_tree", kSame},
    {"check_finite", kSame},
    {"check_least", kSame},
    {"clip", kSame},
    {"columnwise", kSame},
    {"complement", kSame},
    {"complement_float32", kSame},
    {"concat", kSame},
    {"constant", kSame},
    {"count_sketch", kDots},
    {"count_terms", kSame},
    {"dict_features", kSame},
    {"distances", kDots},
    {"elementwise", kSame},
    {"factorize", kIterated},
    {"flatten", kSame},
    {"gaussian_likelihood", kLibrary},
    {"gaussian_log_density", kDots},
    {"geodesic_kernel", kDots},
    {"graph_output", kSame},
    {"hash_features", kSame},
    {"hash_terms", kSame},
    {"impute", kSame},
    {"impute_cells", kSame},
    {"interpolate", kSame},
    {"kernel_densities", kDots},
    {"kernel_matrix", kDots},
    {"laplace_probability", kLibrary},
    {"linear", kDots},
    {"linear_float32", kSame},
    {"linear_trees", kSame},
    {"local_outliers", kDots},
    {"log_sum_exp", kLibrary},
    {"match_labels", kSame},
    {"missing_mask", kSame},
    {"multinomial_logit", kLibrary},
    {"nearest_code", kSame},
    {"nearest_rows", kDots},
    {"neighbor_graph", kDots},
    {"neighbor_impute", kDots},
    {"neighbor_mean", kDots},
    {"neighbor_votes", kDots},
    {"normalize_lengths", kSame},
    {"normalize_rows", kSame},
    {"oblivious_trees", kSame},
    {"one_hot", kSame},
    {"onnx_graph", kRuntime},
    {"ordinal", kSame},
    {"pair_decisions", kDots},
    {"pair_probabilities", kLibrary},
    {"pair_votes", kSame},
    {"pair_winner", kSame},
    {"pool_columns", kSame},
    {"power", kLibrary},
    {"power_transform", kLibrary},
    {"products", kSame},
    {"quantiles", kLibrary},
    {"replace_masked", kSame},
    {"replace_non_finite", kSame},
    {"rows_within", kDots},
    {"samme_scores", kLibrary},
    {"select_columns", kSame},
    {"softmax", kLibrary},
    {"softmax_float32", kLibrary},
    {"solved_squares", kIterated},
    {"sparse_code", kIterated},
    {"spline_basis", kSame},
    {"stack_labels", kSame},
    {"sum_rows", kSame},
    {"take_labels", kSame},
    {"tensor_input", kSame},
    {"threshold", kSame},
    {"topic_mixture", kIterated},
    {"to_dense", kSame},
    {"to_matrix", kSame},
    {"to_sparse", kSame},
    {"tree_ensemble", kSame},
    {"weigh_terms", kSame},
    {"weighted_median", kSame},
    {"weighted_sum", kSame},
    {"with_constant", kSame},
};

constexpr const Row* find(std::string_view operation) {
  return std::ranges::find(kRows, operation, &Row::operation);
}

template <std::size_t... I>
constexpr bool all_have_rows(std::index_sequence<I...>) {
  return ((find(std::variant_alternative_t<I, Op>::kName) != std::end(kRows)) && ...);
}
static_assert(all_have_rows(std::make_index_sequence<std::variant_size_v<Op>>{}),
              "each operation has a row in kRows");

bool is_exact(Function function) {
  switch (function) {
    case Function::kNegate:
    case Function::kReciprocal:
    case Function::kSquare:
    case Function::kSqrt:
    case Function::kAbs:
    case Function::kRelu:
    case Function::kRoundFloat32:
      return true;
    default:
      return false;
  }
}

}  // namespace

Fidelity fidelity(const Op& op) {
  if (const auto* apply = std::get_if<Apply>(&op); apply != nullptr && is_exact(apply->function))
    return Fidelity::kIdentical;
  return find(name(op))->fidelity;
}

Fidelity fidelity(const Program& program) {
  std::vector<bool> is_reached(program.types().size(), false);
  for (const Output& output : program.outputs())
    for (const ValueId value : output.values) is_reached[value] = true;
  Fidelity worst = Fidelity::kIdentical;
  for (std::size_t i = program.nodes().size(); i-- > 0;) {
    const Node& node = program.nodes()[i];
    if (!is_reached[node.output]) continue;
    for (const ValueId input : node.inputs) is_reached[input] = true;
    worst = std::max(worst, fidelity(node.op));
  }
  return worst;
}

std::string_view describe(Fidelity fidelity) {
  switch (fidelity) {
    case Fidelity::kIdentical:
      return "the same to the last bit";
    case Fidelity::kFunctions:
      return "the same to the last digits: exp, log and their like may round differently in numpy";
    case Fidelity::kProducts:
      return "the same to the last digits: a BLAS adds products in another order";
    case Fidelity::kRuntime:
      return "the same up to rounding: ONNX Runtime adds products in another order";
    case Fidelity::kSolved:
      return "the same up to where the framework's iterations stop";
  }
  std::unreachable();
}

}  // namespace wherry::program
