// Gaussian processes: sklearn/gaussian_process/_gpr.py, _gpc.py; their kernels are in similarity.cc.
#include <algorithm>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/matrices.h"
#include "import/sklearn/predictions.h"
#include "import/sklearn/similarity.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using program::Arithmetic;

Result<Fitted> lower_regressor(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const ValueId x, checked_float64(context, estimator, input));
  TRY_ASSIGN(const View kernel, estimator.attr("kernel_"));
  TRY_ASSIGN(const View rows, estimator.attr("X_train_"));
  TRY_ASSIGN(const ValueId values, process_kernel(context, kernel, x, rows));
  TRY_ASSIGN(const View alpha, estimator.attr("alpha_"));
  TRY_ASSIGN(const pickle::NdArray array, alpha.array());
  TRY_ASSIGN(std::vector<double> numbers, alpha.doubles());
  const std::int64_t count = context.width(Flow{.value = values});
  const std::int64_t outputs = array.shape.size() == 1 ? 1 : array.shape.size() == 2 ? array.shape[1] : 0;
  if (outputs < 1 || array.shape[0] != count)
    return inconsistent(alpha, cat(array.describe(), " for ", count, " rows of training"));
  TRY(context.charge(alpha, numbers.size()));
  TRY_ASSIGN(ValueId mean, product(context, values, {count, outputs, std::move(numbers)}));
  TRY_ASSIGN(std::vector<double> std, spread(estimator, "_y_train_std", static_cast<std::size_t>(outputs)));
  TRY_ASSIGN(std::vector<double> shift,
             spread(estimator, "_y_train_mean", static_cast<std::size_t>(outputs)));
  TRY_ASSIGN(mean, context.arithmetic(mean, Arithmetic::kMultiply, std::move(std), "y_train_std"));
  TRY_ASSIGN(mean, context.arithmetic(mean, Arithmetic::kAdd, std::move(shift), "y_train_mean"));
  const bool squeezed = outputs == 1 && context.version().at_least(1, 1);
  return regression(context, mean, array.shape.size() == 1 || squeezed);
}

struct Binary {
  ValueId latent = 0;       // f* [n, 1]
  ValueId probability = 0;  // of the second class [n, 1]
};

// _BinaryGaussianProcessClassifierLaplace: algorithm 3.2 of Rasmussen and Williams.
Result<Binary> binary(Context& context, const View& estimator, ValueId x) {
  Binary out;
  TRY_ASSIGN(const View kernel, estimator.attr("kernel_"));
  TRY_ASSIGN(const View rows, estimator.attr("X_train_"));
  TRY_ASSIGN(const ValueId values, process_kernel(context, kernel, x, rows));
  const std::int64_t count = context.width(Flow{.value = values});
  const auto size = static_cast<std::size_t>(count);
  TRY_ASSIGN(std::vector<double> target, doubles_of(estimator, "y_train_", size));
  TRY_ASSIGN(const std::vector<double> pi, doubles_of(estimator, "pi_", size));
  for (std::size_t i = 0; i < size; ++i) target[i] -= pi[i];
  TRY_ASSIGN(out.latent, affine(context, values, std::move(target), {0.0}));
  TRY_ASSIGN(const ValueId finite,  // as scipy.linalg.solve checks it, for the probabilities only
             context.add(program::CheckFinite{.estimator = short_class(estimator)}, {values}));
  TRY_ASSIGN(pickle::Matrix lower, matrix_of(context, estimator, "L_", count, count));
  TRY_ASSIGN(std::vector<double> scale, doubles_of(estimator, "W_sr_", size));
  TRY_ASSIGN(const ValueId explained,
             context.add(program::SolvedSquares{context.matrix("L", count, count, std::move(lower.values)),
                                                context.vector("W_sr", std::move(scale))},
                         {finite}));
  TRY_ASSIGN(const ValueId diagonal, process_kernel_diagonal(context, kernel, x));
  TRY_ASSIGN(const ValueId variance, combine(context, diagonal, Arithmetic::kSubtract, explained));
  TRY_ASSIGN(out.probability, context.add(program::LaplaceProbability{}, {out.latent, variance}));
  context.note(
      "probabilities of a Gaussian process classifier add five error functions times up to 3,500 which "
      "cancel: "
      "they are exact to some 1e-12");
  return out;
}

Result<Fitted> binary_classifier(Context& context, const View& estimator, ValueId x) {
  TRY_ASSIGN(const View class_view, estimator.attr("classes_"));
  TRY_ASSIGN(const Labels classes, labels(class_view));
  TRY_ASSIGN(const Binary parts, binary(context, estimator, x));
  Fitted fitted;
  TRY_ASSIGN(fitted.predict, predict_sign(context, parts.latent, classes, estimator));
  TRY_ASSIGN(const ValueId proba, context.add(program::Complement{}, {parts.probability}));
  fitted.predict_proba = Answer{{proba}, classes.names};
  return fitted;
}

Result<Fitted> lower_binary(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const ValueId x, checked_float64(context, estimator, input));
  return binary_classifier(context, estimator, x);
}

// OneVsRestClassifier of binary processes: of equal probabilities the last class wins before 1.8.
Result<Fitted> one_vs_rest(Context& context, const View& estimator, const std::vector<Binary>& parts,
                           const Labels& classes) {
  std::vector<ValueId> columns;
  for (const Binary& part : parts) columns.push_back(part.probability);
  TRY_ASSIGN(const ValueId together, context.add(program::Concat{}, columns));
  TRY_ASSIGN(const ValueId proba,
             context.add(program::NormalizeRows{context.version().at_least(1, 7) ? program::ZeroSum::kKeep
                                                                                 : program::ZeroSum::kDivide},
                         {together}));
  Fitted fitted;
  fitted.predict_proba = Answer{{proba}, classes.names};
  if (context.version().at_least(1, 8)) {
    TRY_ASSIGN(fitted.predict, predict_argmax(context, together, classes, estimator));
    return fitted;
  }
  std::vector<std::int64_t> backwards;
  for (auto i = static_cast<std::int64_t>(parts.size()); i-- > 0;) backwards.push_back(i);
  TRY_ASSIGN(const ValueId reversed, context.select(together, backwards));
  const Labels last_first = reordered(classes, backwards);
  TRY_ASSIGN(fitted.predict, predict_argmax(context, reversed, last_first, estimator));
  return fitted;
}

// OneVsOneClassifier of binary processes, which has no probabilities.
Result<Fitted> one_vs_one(Context& context, const View& estimator, const std::vector<Binary>& parts,
                          const Labels& classes) {
  std::vector<ValueId> latents;
  std::vector<ValueId> probabilities;
  for (const Binary& part : parts) {
    latents.push_back(part.latent);
    probabilities.push_back(part.probability);
  }
  TRY_ASSIGN(const ValueId latent, context.add(program::Concat{}, latents));
  TRY_ASSIGN(const ValueId predictions, context.add(program::Threshold{}, {latent}));
  TRY_ASSIGN(const ValueId confidences, context.add(program::Concat{}, probabilities));
  TRY_ASSIGN(const ValueId scores, context.add(program::PairVotes{static_cast<std::int64_t>(classes.size())},
                                               {predictions, confidences}));
  Fitted fitted;
  TRY_ASSIGN(fitted.predict, predict_argmax(context, scores, classes, estimator));
  return fitted;
}

Result<Fitted> lower_classifier(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const ValueId x, checked_float64(context, estimator, input));
  TRY_ASSIGN(const View inner, estimator.attr("base_estimator_"));
  const std::string kind = short_class(inner);
  if (kind == "_BinaryGaussianProcessClassifierLaplace") return binary_classifier(context, inner, x);
  if (kind != "OneVsRestClassifier" && kind != "OneVsOneClassifier")
    return inner.wrong("a binary classifier, or one for several classes");
  TRY_ASSIGN(const View class_view, estimator.attr("classes_"));
  TRY_ASSIGN(const Labels classes, labels(class_view));
  TRY_ASSIGN(const View list, inner.attr("estimators_"));
  TRY_ASSIGN(const std::vector<View> members, list.items());
  const std::size_t count = classes.size();
  const bool rest = kind == "OneVsRestClassifier";
  if (count < 3 || members.size() != (rest ? count : count * (count - 1) / 2))
    return inconsistent(list, cat(members.size(), " estimators for ", count, " classes"));
  std::vector<Binary> parts;
  for (const View& member : members) {
    if (short_class(member) != "_BinaryGaussianProcessClassifierLaplace")
      return member.wrong("a binary Gaussian process classifier");
    TRY_ASSIGN(const Binary part, binary(context, member, x));
    parts.push_back(part);
  }
  return rest ? one_vs_rest(context, inner, parts, classes) : one_vs_one(context, inner, parts, classes);
}

constexpr EstimatorRow kRows[] = {
    {"GaussianProcessRegressor", "sklearn.gaussian_process._gpr sklearn.gaussian_process.gpr", "X_train_",
     lower_regressor},
    {"GaussianProcessClassifier", "sklearn.gaussian_process._gpc sklearn.gaussian_process.gpc",
     "base_estimator_", lower_classifier},
    {"_BinaryGaussianProcessClassifierLaplace", "sklearn.gaussian_process._gpc sklearn.gaussian_process.gpc",
     "X_train_", lower_binary},
};

}  // namespace

std::span<const EstimatorRow> gaussian_process_rows() {
  return kRows;
}

}  // namespace wherry::sklearn
