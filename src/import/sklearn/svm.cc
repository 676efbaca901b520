// Support vector machines of libsvm: sklearn/svm/_base.py, _classes.py and src/libsvm/svm.cpp.
#include <algorithm>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/matrices.h"
#include "import/sklearn/predictions.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using program::KernelFunction;

struct Machine {
  std::int64_t vectors = 0;
  std::vector<double> coefficients;  // _dual_coef_ [classes - 1, vectors]
  std::vector<double> intercept;     // _intercept_
  std::optional<ValueId> values;     // kernel values [n, vectors]; none without vectors
  ValueId x = 0;                     // the checked input
};

struct NamedKernel {
  std::string_view name;
  KernelFunction function;
};
constexpr NamedKernel kKernels[] = {
    {"linear", KernelFunction::kLinear},
    {"poly", KernelFunction::kIntegerPolynomial},
    {"rbf", KernelFunction::kRbfOfDifferences},
    {"sigmoid", KernelFunction::kSigmoid},
};

// kernel='precomputed': the columns of X are the kernel values with the rows of training.
Result<ValueId> precomputed(Context& context, const View& estimator, Machine& machine) {
  TRY_ASSIGN(const View support, estimator.attr("support_"));
  TRY_ASSIGN(std::vector<std::int64_t> columns, support.int64s());
  TRY(context.charge(support, columns.size()));
  machine.vectors = static_cast<std::int64_t>(columns.size());
  return context.select(machine.x, std::move(columns));
}

Result<ValueId> kernel_values(Context& context, const View& estimator, Machine& machine) {
  TRY_ASSIGN(const View kernel, estimator.attr("kernel"));
  if (!kernel.is(pickle::Kind::kStr)) return unsupported_parameter(kernel, "a Python function as kernel");
  if (kernel->text() == "precomputed") return precomputed(context, estimator, machine);
  const auto* row = std::ranges::find(kKernels, kernel->text(), &NamedKernel::name);
  if (row == std::end(kKernels))
    return unsupported_parameter(kernel, cat("the kernel ", base::quoted(kernel->text())));
  TRY_ASSIGN(pickle::Matrix vectors, matrix_of(context, estimator, "support_vectors_", -1, -1));
  machine.vectors = vectors.rows;
  if (vectors.rows == 0) return machine.x;
  if (vectors.columns != context.width(Flow{.value = machine.x}))
    return inconsistent(estimator, cat("support vectors of ", vectors.columns, " columns"));
  program::KernelMatrix op{.function = row->function};
  TRY_ASSIGN(op.gamma, number(estimator, "_gamma"));
  TRY_ASSIGN(op.coef0, number(estimator, "coef0"));
  TRY_ASSIGN(op.degree, number(estimator, "degree"));
  if (op.function != KernelFunction::kIntegerPolynomial) op.degree = 0;
  op.rows = context.matrix("support_vectors", vectors.rows, vectors.columns, std::move(vectors.values));
  context.note("dot products are summed in column order; the BLAS libsvm uses may differ in the last bits");
  return context.add(op, {machine.x});
}

Result<Machine> read(Context& context, const View& estimator, const Flow& input,
                     std::int64_t coefficient_rows) {
  Machine machine;
  TRY_ASSIGN(machine.x, context.checked(input, short_class(estimator), false));
  TRY_ASSIGN(const ValueId values, kernel_values(context, estimator, machine));
  TRY_ASSIGN(const View intercept, estimator.attr("_intercept_"));
  TRY_ASSIGN(machine.intercept, intercept.doubles());
  if (machine.vectors == 0) return machine;
  machine.values = values;
  TRY_ASSIGN(pickle::Matrix coefficients,
             matrix_of(context, estimator, "_dual_coef_", coefficient_rows, machine.vectors));
  machine.coefficients = std::move(coefficients.values);
  return machine;
}

// Σ coefficient * kernel value + intercept of a machine with one output.
Result<ValueId> single_score(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(Machine machine, read(context, estimator, input, 1));
  if (machine.intercept.size() != 1) return inconsistent(estimator, "not one intercept");
  if (!machine.values) return constant(context, machine.intercept, machine.x);
  return affine(context, *machine.values, std::move(machine.coefficients), std::move(machine.intercept));
}

Result<Fitted> lower_regressor(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const ValueId value, single_score(context, estimator, input));
  return regression(context, value, true);
}

Result<Fitted> lower_one_class(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const ValueId score, single_score(context, estimator, input));
  Fitted fitted;
  TRY_ASSIGN(fitted.predict, predict_inlier(context, score, estimator, false));
  TRY_ASSIGN(const ValueId decisions, context.flatten(score));
  fitted.decision_function = Answer{{decisions}, {}};
  TRY_ASSIGN(std::vector<double> offset, spread(estimator, "offset_", 1));
  TRY_ASSIGN(const ValueId shifted,
             context.arithmetic(score, program::Arithmetic::kAdd, std::move(offset), "offset"));
  TRY_ASSIGN(const ValueId samples, context.flatten(shifted));
  fitted.score_samples = Answer{{samples}, {}};
  return fitted;
}

// libsvm's decision for each pair of classes.
Result<ValueId> pair_decisions(Context& context, const View& estimator, const Flow& input,
                               std::int64_t classes) {
  if (classes < 2) return inconsistent(estimator, cat(classes, " classes"));
  TRY_ASSIGN(Machine machine, read(context, estimator, input, classes - 1));
  if (!machine.values) return constant(context, std::move(machine.intercept), machine.x);
  const auto counts = estimator.find("_n_support");
  TRY_ASSIGN(const View count_view, counts ? Result<View>(*counts) : estimator.attr("n_support_"));
  program::PairDecisions op;
  TRY_ASSIGN(op.counts, count_view.int64s());
  if (op.counts.size() != static_cast<std::size_t>(classes))
    return inconsistent(count_view, cat(op.counts.size(), " numbers of vectors for ", classes, " classes"));
  op.coefficients =
      context.matrix("dual_coef", classes - 1, machine.vectors, std::move(machine.coefficients));
  op.intercept = context.vector("intercept", std::move(machine.intercept));
  return context.add(op, {*machine.values});
}

Result<Answer> take(Context& context, ValueId index, const Labels& labels) {
  TRY_ASSIGN(const ValueId value,
             context.add(program::TakeLabels{context.weight("classes", labels.values)}, {index}));
  return Answer{{value}, {}};
}

// decision_function with decision_function_shape='ovr' for more than two classes.
Result<ValueId> one_against_rest(Context& context, ValueId decisions, std::int64_t classes) {
  TRY_ASSIGN(const ValueId confidences, context.apply(decisions, program::Function::kNegate));
  TRY_ASSIGN(const ValueId predictions, context.add(program::Threshold{}, {confidences}));
  return context.add(program::PairVotes{classes}, {predictions, confidences});
}

Result<std::vector<double>> platt_parameters(const View& estimator, std::string_view name,
                                             std::string_view older) {
  const auto view = estimator.find(name);
  TRY_ASSIGN(const View found, view ? Result<View>(*view) : estimator.attr(older));
  return found.doubles();
}

Result<bool> has_probabilities(const View& estimator) {
  const auto parameter = estimator.find("probability");
  if (!parameter || parameter->is(pickle::Kind::kStr)) return false;  // "deprecated" since 1.9
  return parameter->as_bool();
}

Result<Fitted> lower_classifier(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View class_view, estimator.attr("classes_"));
  TRY_ASSIGN(const Labels classes, labels(class_view));
  const auto count = static_cast<std::int64_t>(classes.size());
  TRY_ASSIGN(const ValueId decisions, pair_decisions(context, estimator, input, count));
  TRY_ASSIGN(const std::string shape, word(estimator, "decision_function_shape", "ovr"));
  TRY_ASSIGN(const bool break_ties, flag(estimator, "break_ties", false));
  if (shape != "ovr" && shape != "ovo")
    return unsupported_parameter(estimator, cat("decision_function_shape=", base::quoted(shape)));
  if (break_ties && shape == "ovo")
    return unsupported_parameter(estimator,
                                 "break_ties with decision_function_shape='ovo', which scikit-learn "
                                 "refuses to predict with");
  Fitted fitted;
  ValueId scores = decisions;
  if (count == 2) {
    TRY_ASSIGN(scores, context.apply(decisions, program::Function::kNegate));
  } else if (shape == "ovr") {
    TRY_ASSIGN(scores, one_against_rest(context, decisions, count));
  }
  TRY_ASSIGN(fitted.decision_function, decision(context, scores, classes));
  if (shape == "ovo" && count > 2) fitted.decision_function->labels.clear();
  if (break_ties && count > 2) {
    TRY_ASSIGN(fitted.predict, predict_argmax(context, scores, classes, estimator));
  } else {
    TRY_ASSIGN(const ValueId index, context.add(program::PairWinner{count}, {decisions}));
    TRY_ASSIGN(fitted.predict, take(context, index, classes));
  }
  TRY_ASSIGN(const bool probability, has_probabilities(estimator));
  if (!probability) return fitted;
  TRY_ASSIGN(std::vector<double> a, platt_parameters(estimator, "_probA", "probA_"));
  TRY_ASSIGN(std::vector<double> b, platt_parameters(estimator, "_probB", "probB_"));
  if (a.empty() || b.empty()) return fitted;
  TRY_ASSIGN(const ValueId proba,
             context.add(program::PairProbabilities{count, context.vector("prob_a", std::move(a)),
                                                    context.vector("prob_b", std::move(b))},
                         {decisions}));
  fitted.predict_proba = Answer{{proba}, classes.names};
  return fitted;
}

constexpr std::string_view kModules = "sklearn.svm._classes sklearn.svm.classes";

constexpr EstimatorRow kRows[] = {
    {"SVC", kModules, "support_", lower_classifier},        {"NuSVC", kModules, "support_", lower_classifier},
    {"SVR", kModules, "support_", lower_regressor},         {"NuSVR", kModules, "support_", lower_regressor},
    {"OneClassSVM", kModules, "support_", lower_one_class},
};

}  // namespace

std::span<const EstimatorRow> svm_rows() {
  return kRows;
}

}  // namespace wherry::sklearn
