// Decompositions which solve for each row: sklearn/decomposition/_nmf.py, _lda.py, _dict_learning.py.
#include <algorithm>
#include <cmath>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/matrices.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

// Models fitted on float32 numbers refuse float64 rows, or compute in float32.
Status check_double(const View& estimator, std::string_view attribute) {
  TRY_ASSIGN(const View view, estimator.attr(attribute));
  TRY_ASSIGN(const std::int64_t size, element_size(view));
  if (size != 8) return unsupported_parameter(view, "it was fitted on float32 numbers; fit on float64");
  return {};
}

Result<std::int64_t> integer(const View& estimator, std::string_view name) {
  TRY_ASSIGN(const View view, estimator.attr(name));
  return view.as_int();
}

// --- NMF ---------------------------------------------------------------------------------------------------

Result<double> beta_loss(const View& estimator) {
  auto view = estimator.find("_beta_loss");
  if (!view) view = estimator.find("beta_loss");
  if (!view) return 2.0;
  if (!view->is(pickle::Kind::kStr)) return view->as_double();
  const std::string_view name = (*view)->text();
  if (name == "frobenius") return 2.0;
  if (name == "kullback-leibler") return 1.0;
  if (name == "itakura-saito") return 0.0;
  return unsupported_parameter(*view, cat("beta_loss=", base::quoted(name)));
}

// _compute_regularization: scaled by the number of columns since 1.0, unless alpha is used (until 1.1).
Status read_regularization(const View& estimator, std::int64_t width, program::Factorize& op) {
  TRY_ASSIGN(const double ratio, number(estimator, "l1_ratio", 0));
  TRY_ASSIGN(const double alpha_w, number(estimator, "alpha_W", 0));
  const auto alpha_h = estimator.find("alpha_H");
  const bool new_style = estimator.has("alpha_W") &&
                         (alpha_w != 0 || !estimator.has("alpha") ||
                          (alpha_h && !(alpha_h->is(pickle::Kind::kStr) && (*alpha_h)->text() == "same")));
  if (new_style) {
    const auto features = static_cast<double>(width);
    op.l1 = features * alpha_w * ratio;
    op.l2 = features * alpha_w * (1.0 - ratio);
    return {};
  }
  const auto old = estimator.find("alpha");
  const double alpha = old && !old->is(pickle::Kind::kStr) ? old->as_double().value_or(0) : 0;
  const auto kind = estimator.find("regularization");
  const std::string_view name = kind && kind->is(pickle::Kind::kStr) ? (*kind)->text() : "both";
  const bool applies = name == "both" || name == "transformation" || name == "deprecated";
  op.l1 = applies ? alpha * ratio : 0;
  op.l2 = applies ? alpha * (1.0 - ratio) : 0;
  return {};
}

Result<Fitted> lower_nmf(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_float32(estimator, input));
  TRY(check_double(estimator, "components_"));
  const bool steps = short_class(estimator) == "MiniBatchNMF";
  const std::int64_t width = context.width(input);
  TRY_ASSIGN(pickle::Matrix components, matrix_of(context, estimator, "components_", width));
  TRY_ASSIGN(const std::string solver, word(estimator, "solver", "mu"));
  TRY_ASSIGN(const bool shuffle, flag(estimator, "shuffle", false));
  program::Factorize op;
  op.raise_below = context.version().at_least(1, 3);
  op.method = steps            ? program::Factorization::kMultiplicativeSteps
              : solver == "cd" ? program::Factorization::kCoordinates
                               : program::Factorization::kMultiplicative;
  if (op.method == program::Factorization::kCoordinates && shuffle)
    return unsupported_parameter(estimator, "shuffle=True, which draws random numbers at prediction");
  TRY_ASSIGN(op.beta, beta_loss(estimator));
  TRY_ASSIGN(op.tolerance, number(estimator, "tol", 1e-4));
  TRY_ASSIGN(
      op.max_iterations,
      integer(estimator, steps && estimator.has("_transform_max_iter") ? "_transform_max_iter" : "max_iter"));
  TRY(read_regularization(estimator, width, op));
  TRY(context.charge(
      estimator, static_cast<std::uint64_t>(components.rows) * static_cast<std::uint64_t>(components.rows)));
  op.components =
      context.matrix("components", components.rows, components.columns, std::move(components.values));
  TRY_ASSIGN(ValueId x, context.checked(input, short_class(estimator), false));
  // MiniBatchNMF.transform does not look for negative numbers, and what it makes of them hangs on the last
  // bit.
  TRY_ASSIGN(x, context.add(
                    program::CheckLeast{
                        .least = 0, .exclusive = !steps && op.beta <= 0, .estimator = short_class(estimator)},
                    {x}));
  context.note(
      cat(short_class(estimator),
          " solves for each row on its own, as scikit-learn does when asked for that row alone; asked for "
          "many rows at once, scikit-learn stops when all of them together have converged"));
  TRY_ASSIGN(const ValueId value, context.add(op, {x}));
  return transformed(context, estimator, value);
}

// --- LatentDirichletAllocation -----------------------------------------------------------------------------

Result<Fitted> lower_latent_dirichlet_allocation(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_float32(estimator, input));
  TRY(check_double(estimator, "components_"));
  TRY_ASSIGN(pickle::Matrix topics,
             matrix_of(context, estimator, "exp_dirichlet_component_", context.width(input)));
  program::TopicMixture op;
  TRY_ASSIGN(const View prior, estimator.attr("doc_topic_prior_"));
  TRY_ASSIGN(op.prior, prior.as_double());
  TRY_ASSIGN(op.tolerance, number(estimator, "mean_change_tol", 1e-3));
  TRY_ASSIGN(op.max_iterations, integer(estimator, "max_doc_update_iter"));
  op.topics = context.matrix("topics", topics.rows, topics.columns, std::move(topics.values));
  TRY_ASSIGN(ValueId x, context.checked(input, short_class(estimator), false));
  TRY_ASSIGN(x, context.add(program::CheckLeast{.least = 0, .estimator = short_class(estimator)}, {x}));
  TRY_ASSIGN(ValueId value, context.add(op, {x}));
  TRY_ASSIGN(value, context.add(program::NormalizeRows{program::ZeroSum::kDivide}, {value}));
  return transformed(context, estimator, value);
}

// --- dictionaries ------------------------------------------------------------------------------------------

Result<program::SparseCoding> read_method(const View& estimator) {
  struct Row {
    std::string_view name;
    program::SparseCoding method;
  };
  constexpr Row kRows[] = {{"threshold", program::SparseCoding::kThreshold},
                           {"omp", program::SparseCoding::kOmp},
                           {"lars", program::SparseCoding::kLars},
                           {"lasso_lars", program::SparseCoding::kLassoLars},
                           {"lasso_cd", program::SparseCoding::kLassoCoordinates}};
  TRY_ASSIGN(const std::string name, word(estimator, "transform_algorithm", "omp"));
  for (const Row& row : kRows)
    if (row.name == name) return row.method;
  return unsupported_parameter(estimator, cat("transform_algorithm=", base::quoted(name)));
}

// transform_alpha, or since 1.2 the alpha of fit.
Result<double> read_alpha(const Context& context, const View& estimator) {
  const bool own = context.version().at_least(1, 2) && is_none_or_absent(estimator, "transform_alpha") &&
                   estimator.has("alpha");
  return number(estimator, own ? "alpha" : "transform_alpha", 1.0);
}

Result<Fitted> encode(Context& context, const View& estimator, const Flow& input,
                      std::string_view attribute) {
  TRY(refuse_float32(estimator, input));
  TRY(check_double(estimator, attribute));
  if (input.sparse) return inconsistent(estimator, "a sparse matrix, which it does not take");
  const std::int64_t width = context.width(input);
  TRY_ASSIGN(pickle::Matrix dictionary, matrix_of(context, estimator, attribute, width));
  TRY(context.charge(
      estimator, static_cast<std::uint64_t>(dictionary.rows) * static_cast<std::uint64_t>(dictionary.rows)));
  program::SparseCode op;
  TRY_ASSIGN(op.method, read_method(estimator));
  TRY_ASSIGN(op.positive, flag(estimator, "positive_code", false));
  TRY_ASSIGN(op.regularization, read_alpha(context, estimator));
  op.screening = context.version().at_least(1, 8);
  op.tolerance = op.screening ? 1e-8 : 1e-4;
  if (op.method == program::SparseCoding::kOmp || op.method == program::SparseCoding::kLars) {
    if (op.positive) return inconsistent(estimator, "positive_code, which its algorithm does not know");
    const double otherwise =
        std::min(std::max(static_cast<double>(width) / 10, 1.0), static_cast<double>(dictionary.rows));
    TRY_ASSIGN(const double count, number(estimator, "transform_n_nonzero_coefs", otherwise));
    if (!(count >= 0 && count <= 1e6)) return inconsistent(estimator, "transform_n_nonzero_coefs");
    op.max_iterations = static_cast<std::int64_t>(count);
  } else {
    const auto most = estimator.find("transform_max_iter");
    TRY_ASSIGN(op.max_iterations, most ? most->as_int() : Result<std::int64_t>(1000));
  }
  op.dictionary =
      context.matrix("dictionary", dictionary.rows, dictionary.columns, std::move(dictionary.values));
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false));
  TRY_ASSIGN(ValueId value, context.add(op, {x}));
  TRY_ASSIGN(const bool split, flag(estimator, "split_sign", false));
  if (split) {
    TRY_ASSIGN(const ValueId positive,
               context.add(program::WithConstant{program::ConstantOperation::kMaximum, 0}, {value}));
    TRY_ASSIGN(ValueId negative,
               context.add(program::WithConstant{program::ConstantOperation::kMinimum, 0}, {value}));
    TRY_ASSIGN(negative, context.apply(negative, program::Function::kNegate));
    TRY_ASSIGN(value, context.add(program::Concat{}, {positive, negative}));
  }
  Fitted fitted = transformed(context, estimator, value);
  if (split) fitted.transform->names.clear();  // scikit-learn names half of the columns
  return fitted;
}

Result<Fitted> lower_dictionary_learning(Context& context, const View& estimator, const Flow& input) {
  return encode(context, estimator, input, "components_");
}

Result<Fitted> lower_sparse_coder(Context& context, const View& estimator, const Flow& input) {
  return encode(context, estimator, input, "dictionary");
}

// It is never fitted: the dictionary says how many columns there are.
Result<InputColumns> sparse_coder_columns(const View& estimator) {
  TRY_ASSIGN(const View view, estimator.attr("dictionary"));
  TRY_ASSIGN(const pickle::NdArray array, view.array());
  InputColumns out;
  if (const auto names = estimator.find("feature_names_in_"); names && !names->is_none()) {
    TRY_ASSIGN(out.names, names->strings());
  }
  if (array.shape.size() != 2 || array.shape[1] < 0 ||
      array.shape[1] > static_cast<std::int64_t>(program::ProgramBuilder::kMostColumns))
    return view.wrong("an array of two dimensions");
  out.count = array.shape[1];
  if (!out.names.empty() && static_cast<std::int64_t>(out.names.size()) != out.count)
    return inconsistent(view, "not one column per name");
  return out;
}

constexpr std::string_view kDictionary =
    "sklearn.decomposition._dict_learning sklearn.decomposition.dict_learning";
constexpr std::string_view kNmf = "sklearn.decomposition._nmf sklearn.decomposition.nmf";

constexpr EstimatorRow kDictionaryRows[] = {
    {"NMF", kNmf, "components_", lower_nmf},
    {"MiniBatchNMF", kNmf, "components_", lower_nmf},
    {"LatentDirichletAllocation", "sklearn.decomposition._lda sklearn.decomposition.online_lda",
     "exp_dirichlet_component_", lower_latent_dirichlet_allocation},
    {"DictionaryLearning", kDictionary, "components_", lower_dictionary_learning},
    {"MiniBatchDictionaryLearning", kDictionary, "components_", lower_dictionary_learning},
    {"SparseCoder", kDictionary, "", lower_sparse_coder, "", sparse_coder_columns},
};

}  // namespace

std::span<const EstimatorRow> dictionary_rows() {
  return kDictionaryRows;
}

}  // namespace wherry::sklearn
