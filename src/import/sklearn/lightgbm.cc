// LightGBM's Python classes: python-package/lightgbm/sklearn.py and basic.py, 3.3 to 4.7. A pickled Booster
// is the text of its model (attribute _handle, before 4.0 handle).
#include "import/lightgbm/lower.h"
#include "import/lightgbm/model.h"
#include "import/sklearn/lowerings.h"
#include "import/sklearn/predictions.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using pickle::Kind;

Result<View> booster_of(const View& estimator) {
  if (short_class(estimator) == "Booster") return estimator;
  return estimator.attr("_Booster");
}

Result<std::string_view> text_of(const View& booster) {
  auto handle = booster.find("_handle");
  if (!handle) handle = booster.find("handle");
  if (!handle || handle->is_none())
    return base::fail(base::Code::kInvalidInput, "sklearn.unfitted",
                      cat(booster.where(), ": this Booster holds no model"),
                      "train it before saving, and save it with pickle or joblib");
  if (!handle->is(Kind::kStr)) return handle->wrong("the text of a LightGBM model");
  return handle->object().text();
}

Result<InputColumns> booster_columns(const View& estimator) {
  TRY_ASSIGN(const View booster, booster_of(estimator));
  TRY_ASSIGN(const std::string_view text, text_of(booster));
  lightgbm::Model header;
  TRY_ASSIGN(header.feature_names, lightgbm::read_feature_names(text, booster.where()));
  InputColumns out;
  out.count = static_cast<std::int64_t>(header.feature_names.size());
  if (header.feature_names.size() > program::ProgramBuilder::kMostColumns)
    return inconsistent(booster, cat(out.count, " columns"));
  if (header.has_names()) out.names = std::move(header.feature_names);
  return out;
}

std::string booster_description(const View& estimator) {
  const auto booster = booster_of(estimator);
  const auto text = booster ? text_of(*booster) : Result<std::string_view>("");
  return text ? lightgbm::describe_header(*text) : "";
}

// predict(num_iteration=None): best_iteration, which is 0 or -1 without early stopping.
Result<std::int64_t> iterations_of(const View& booster) {
  const auto best = booster.find("best_iteration");
  if (!best || best->is_none()) return std::int64_t{0};
  return best->as_int();
}

// Parameters of the estimator reach predict(); this one lets it stop adding trees early.
Status refuse_early_stop(const View& estimator) {
  const auto others = estimator.find("_other_params");
  if (!others) return {};
  for (const std::string_view name : {"pred_early_stop", "predict_early_stop"}) {
    const auto value = others->find_key(name);
    if (!value || value->is_none()) continue;
    const auto on = value->as_bool();
    if (!on || *on) return unsupported_parameter(*value, cat(name, "=True, which leaves trees out"));
  }
  return {};
}

Result<ValueId> matrix_of(Context& context, const lightgbm::Model& model, const View& booster,
                          const Flow& input) {
  TRY_ASSIGN(const auto categories, lightgbm::category_columns(model, booster.where()));
  if (categories.empty()) return context.numbers(input);
  context.mark_all(input, program::ColumnType::kAny);
  std::vector<program::ColumnType> types(model.columns.size(), program::ColumnType::kNumber);
  for (const auto& entry : categories) types[entry.column] = entry.type;
  for (std::size_t j = 0; j < types.size(); ++j) context.mark(input, j, types[j]);
  return lightgbm::recode(context.builder(), model, categories, input.value);
}

Result<lightgbm::Predictions> predictions_of(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View booster, booster_of(estimator));
  TRY_ASSIGN(const std::string_view text, text_of(booster));
  TRY(context.charge(booster, text.size()));
  TRY(refuse_early_stop(estimator));
  TRY_ASSIGN(const lightgbm::Model model, lightgbm::read_text(text, booster.where()));
  if (static_cast<std::int64_t>(model.columns.size()) != context.width(input))
    return inconsistent(booster, cat("trained on ", model.columns.size(),
                                     " columns, but the step before it makes ", context.width(input)));
  TRY_ASSIGN(const std::int64_t iterations, iterations_of(booster));
  TRY_ASSIGN(const ValueId matrix, matrix_of(context, model, booster, input));
  return lightgbm::lower(context.builder(), model, matrix, iterations);
}

bool is_vector(Context& context, ValueId matrix) {
  return context.width(Flow{.value = matrix}) == 1;
}

Result<Answer> answer(Context& context, ValueId matrix, const std::vector<std::string>& labels) {
  if (!is_vector(context, matrix)) return Answer{{matrix}, labels};
  TRY_ASSIGN(const ValueId vector, context.flatten(matrix));
  return Answer{{vector}, {}};
}

Result<Fitted> lower_regressor(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const auto predictions, predictions_of(context, estimator, input));
  return regression(context, predictions.transformed, is_vector(context, predictions.transformed));
}

// A function of one's own as objective: predict and predict_proba answer raw scores.
bool has_own_objective(const View& estimator) {
  const auto objective = estimator.find("_objective");
  return objective && !objective->is_none() && !objective->is(Kind::kStr);
}

Result<Fitted> lower_classifier(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View encoder, estimator.attr("_le"));
  TRY_ASSIGN(const View classes, encoder.attr("classes_"));
  TRY_ASSIGN(const Labels labels, sklearn::labels(classes));
  TRY_ASSIGN(const auto predictions, predictions_of(context, estimator, input));
  const auto outputs = static_cast<std::size_t>(context.width(Flow{.value = predictions.raw}));
  // Of one class the probabilities are still two, of which the second is next to nothing.
  if (outputs == 1 ? labels.size() > 2 : labels.size() != outputs)
    return inconsistent(estimator, cat(outputs, " scores for ", labels.size(), " classes"));
  Fitted fitted;
  // decision_function is new in 4.7, and so is this attribute.
  if (estimator.has("_fitted_with_feature_names")) {
    TRY_ASSIGN(fitted.decision_function, answer(context, predictions.raw, labels.names));
  }
  if (has_own_objective(estimator)) {
    context.note("the objective is a function of one's own, so LightGBM predicts raw scores");
    TRY_ASSIGN(fitted.predict, answer(context, predictions.transformed, {}));
    fitted.predict_proba = fitted.predict;
    return fitted;
  }
  ValueId proba = predictions.transformed;
  if (outputs == 1) {
    TRY_ASSIGN(proba, context.add(program::Complement{}, {proba}));
  }
  if (labels.size() == 1) {
    TRY_ASSIGN(const ValueId only, context.select(proba, {0}));
    TRY_ASSIGN(fitted.predict, predict_argmax(context, only, labels, estimator));
    fitted.predict_proba = Answer{{proba}, {}};
    return fitted;
  }
  fitted.predict_proba = Answer{{proba}, labels.names};
  TRY_ASSIGN(fitted.predict, predict_argmax(context, proba, labels, estimator));
  return fitted;
}

constexpr std::string_view kWrapper = "lightgbm.sklearn";

constexpr EstimatorRow kLightgbmRows[] = {
    {"LGBMClassifier", kWrapper, "_Booster", lower_classifier, "", booster_columns, "", booster_description},
    {"LGBMRegressor", kWrapper, "_Booster", lower_regressor, "", booster_columns, "", booster_description},
    {"LGBMRanker", kWrapper, "_Booster", lower_regressor, "", booster_columns, "", booster_description},
    {"LGBMModel", kWrapper, "_Booster", lower_regressor, "", booster_columns, "", booster_description},
    {"Booster", "lightgbm.basic", "", lower_regressor, "", booster_columns, "", booster_description},
};

}  // namespace

std::span<const EstimatorRow> lightgbm_rows() {
  return kLightgbmRows;
}

}  // namespace wherry::sklearn
