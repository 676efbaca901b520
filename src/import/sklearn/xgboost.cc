// XGBoost's estimators and its pickled Booster: python-package/xgboost/sklearn.py and core.py, versions 1.6
// to 3.2. The booster itself is lowered by module xgboost.
#include "import/xgboost/xgboost.h"

#include <cmath>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/members.h"
#include "import/sklearn/predictions.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using tensor::Tensor;
using xgboost::Model;
using xgboost::Scores;

// The state of a Booster: what save_model writes, and the training configuration.
Result<Model> read_booster(const View& booster) {
  TRY_ASSIGN(const View handle, booster.attr("handle"));
  if (handle.is_none())
    return base::fail(base::Code::kInvalidInput, "sklearn.unfitted",
                      cat(booster.where(), ": this Booster was not trained"),
                      "call fit() or train() before saving the model");
  TRY_ASSIGN(const base::Bytes bytes, handle.as_bytes());
  const std::string_view text = base::as_text(bytes);
  const auto named = [&](base::Error error) {
    error.message = cat(handle.where(), ": ", error.message);
    return std::unexpected(std::move(error));
  };
  if (!text.starts_with('{'))
    return unsupported_parameter(
        handle,
        "the booster is in the binary form of XGBoost before 1.6; load the model there "
        "and save it with save_model(\"model.json\")");
  auto document = text.starts_with("{\"") ? xgboost::read_json(text) : xgboost::read_ubj(bytes);
  if (!document) return named(std::move(document.error()));
  auto model = xgboost::read_model(*document);
  if (!model) return named(std::move(model.error()));
  return model;
}

// Up to 1.7 early stopping leaves a Python attribute of the Booster, then one of the model.
Result<std::optional<std::int64_t>> best_rounds(const View& booster, const Model& model) {
  std::optional<std::int64_t> best;
  if (model.version.at_least(2, 0)) {
    best = model.best_iteration;
  } else if (const auto attribute = booster.find("best_iteration")) {
    TRY_ASSIGN(best, attribute->as_int());
  }
  if (best && (*best < 0 || *best >= 1'000'000'000))
    return inconsistent(booster, cat("best_iteration is ", *best));
  return best ? std::optional(*best + 1) : std::nullopt;
}

// A parameter which is None where it was not given.
Result<std::string> given(const View& estimator, std::string_view name) {
  if (is_none_or_absent(estimator, name)) return std::string();
  return word(estimator, name, "");
}

Result<xgboost::Options> options_of(const View& estimator, const View& booster, const Model& model) {
  xgboost::Options out;
  TRY_ASSIGN(const std::string kind, given(estimator, "booster"));
  TRY_ASSIGN(const std::string predictor, given(estimator, "predictor"));  // up to 1.7
  out.in_place = kind != "gblinear" && (predictor.empty() || predictor == "auto");
  if (kind != "gblinear") {
    TRY_ASSIGN(out.rounds, best_rounds(booster, model));
  }
  if (!is_none_or_absent(estimator, "missing")) {
    TRY_ASSIGN(const View missing, estimator.attr("missing"));
    TRY_ASSIGN(out.missing, missing.as_double());
  }
  return out;
}

Result<Scores> lower_scores(Context& context, const Model& model, const Flow& input,
                            xgboost::Options options) {
  context.found_framework_version(xgboost::to_string(model.version));
  options.zeros_missing = input.sparse;
  if (model.has_categories()) context.note(std::string(xgboost::kCategoryNote));
  ValueId columns = input.value;
  if (context.is_table(input)) {
    const auto width = static_cast<std::size_t>(std::max<std::int64_t>(context.width(input), 0));
    for (std::size_t i = 0; i < width && i < static_cast<std::size_t>(model.features); ++i)
      context.mark(input, i, xgboost::column_type(model, i));
  } else {
    TRY_ASSIGN(columns, context.numbers(input));
  }
  return xgboost::lower(context.builder(), model, columns, options);
}

struct Lowered {
  Model model;
  Scores scores;
};

Result<Lowered> lower_wrapper(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View booster, estimator.attr("_Booster"));
  TRY_ASSIGN(const View handle, booster.attr("handle"));
  if (const auto bytes = handle.as_bytes()) TRY(context.charge(handle, bytes->size()));
  Lowered out;
  TRY_ASSIGN(out.model, read_booster(booster));
  TRY_ASSIGN(const xgboost::Options options, options_of(estimator, booster, out.model));
  TRY_ASSIGN(out.scores, lower_scores(context, out.model, input, options));
  return out;
}

Result<InputColumns> booster_columns(const View& booster) {
  TRY_ASSIGN(const Model model, read_booster(booster));
  return InputColumns{model.feature_names, model.features};
}

Result<InputColumns> wrapper_columns(const View& estimator) {
  TRY_ASSIGN(const View booster, estimator.attr("_Booster"));
  return booster_columns(booster);
}

// Classes are numbers from 0, but for the label encoder of use_label_encoder=True (up to 1.6).
Result<Labels> class_labels(const View& estimator, std::int64_t classes) {
  const auto encoder = estimator.find("_le");
  if (!encoder || encoder->is_none()) return codes(static_cast<std::size_t>(classes));
  TRY_ASSIGN(const View view, encoder->attr("classes_"));
  TRY_ASSIGN(Labels out, labels(view));
  if (static_cast<std::int64_t>(out.size()) != classes)
    return inconsistent(view, cat(out.size(), " labels for ", classes, " classes"));
  return out;
}

Result<Answer> predict_labels(Context& context, const View& estimator, const Lowered& lowered,
                              const Labels& labels, bool is_softmax) {
  const auto& [model, scores] = lowered;
  const bool is_matrix = !scores.is_class_number && model.outputs > 1;
  if (is_matrix && labels.size() == 2) {  // several labels a row
    TRY_ASSIGN(const ValueId flags,
               context.add(program::Threshold{.threshold = 0.5, .inclusive = false}, {scores.values}));
    return Answer{{flags}, {}};
  }
  if (is_matrix) return predict_argmax(context, scores.values, labels, estimator);
  if (scores.is_class_number && is_softmax)
    return predict_argmax(context, scores.margin, codes(static_cast<std::size_t>(model.outputs)), estimator);
  if (scores.is_class_number)
    return unsupported_parameter(estimator, "multi:softmax set apart from objective");
  TRY_ASSIGN(const ValueId index,
             context.add(program::Above{.threshold = 0.5, .inclusive = false}, {scores.values}));
  const Labels two = labels.size() == 2 ? labels : codes(2);
  TRY_ASSIGN(const ValueId value,
             context.add(program::TakeLabels{context.weight("classes", two.values)}, {index}));
  return Answer{{value}, {}};
}

// _cls_predict_proba; multi:softmax is refused up to 1.6, later scipy's softmax of the margins.
Result<std::optional<Answer>> predict_proba(Context& context, const View& estimator, const Lowered& lowered,
                                            const Labels& labels, bool is_softmax) {
  const auto& [model, scores] = lowered;
  if (is_softmax) {
    if (!model.version.at_least(1, 7)) return std::nullopt;
    context.note(
        "predict_proba of multi:softmax is numpy's softmax in float32, whose last bits depend on the "
        "machine");
    TRY_ASSIGN(const ValueId softmax, context.add(program::Softmax{}, {scores.margin}));
    TRY_ASSIGN(const ValueId rounded, context.apply(softmax, program::Function::kRoundFloat32));
    return Answer{{rounded}, codes(static_cast<std::size_t>(model.outputs)).names};
  }
  if (model.outputs == 1) {
    TRY_ASSIGN(const ValueId both, context.add(program::ComplementFloat32{}, {scores.values}));
    return Answer{{both}, labels.size() == 2 ? labels.names : codes(2).names};
  }
  const bool is_per_class = model.outputs == static_cast<std::int64_t>(labels.size());
  if (!is_per_class && labels.size() != 2)
    return inconsistent(estimator, cat(model.outputs, " outputs for ", labels.size(), " classes"));
  return Answer{{scores.values}, is_per_class ? labels.names : std::vector<std::string>()};
}

Result<Fitted> lower_classifier(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Lowered lowered, lower_wrapper(context, estimator, input));
  TRY_ASSIGN(const View count, estimator.attr("n_classes_"));
  TRY_ASSIGN(const std::int64_t classes, count.as_int());
  if (classes < 1 || classes > 10'000'000) return inconsistent(count, cat(classes, " classes"));
  TRY_ASSIGN(const Labels labels, class_labels(estimator, classes));
  const auto objective = estimator.find("objective");
  const bool is_softmax =
      objective && objective->is(pickle::Kind::kStr) && objective->object().text() == "multi:softmax";
  if (is_softmax && !lowered.scores.is_class_number)
    return inconsistent(estimator, "objective is multi:softmax, but the booster's is not");
  Fitted fitted;
  TRY_ASSIGN(fitted.predict, predict_labels(context, estimator, lowered, labels, is_softmax));
  TRY_ASSIGN(fitted.predict_proba, predict_proba(context, estimator, lowered, labels, is_softmax));
  return fitted;
}

Result<Fitted> lower_regressor(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Lowered lowered, lower_wrapper(context, estimator, input));
  if (!lowered.scores.is_class_number)
    return regression(context, lowered.scores.values, lowered.model.outputs == 1);
  TRY_ASSIGN(const ValueId classes, xgboost::prediction(context.builder(), lowered.model, lowered.scores));
  Fitted fitted;
  fitted.predict = Answer{{classes}, {}};
  return fitted;
}

Result<Fitted> lower_booster(Context& context, const View& booster, const Flow& input) {
  TRY_ASSIGN(const Model model, read_booster(booster));
  TRY_ASSIGN(const Scores scores, lower_scores(context, model, input, {}));
  TRY_ASSIGN(const ValueId predict, xgboost::prediction(context.builder(), model, scores));
  TRY_ASSIGN(const ValueId margin, xgboost::shaped(context.builder(), scores.margin));
  Fitted fitted;
  fitted.predict = Answer{{predict}, {}};
  fitted.margin = Answer{{margin}, {}};
  return fitted;
}

constexpr EstimatorRow kXgboostRows[] = {
    {"XGBClassifier", "xgboost.sklearn", "_Booster", lower_classifier, "", wrapper_columns},
    {"XGBRFClassifier", "xgboost.sklearn", "_Booster", lower_classifier, "", wrapper_columns},
    {"XGBRegressor", "xgboost.sklearn", "_Booster", lower_regressor, "", wrapper_columns},
    {"XGBRFRegressor", "xgboost.sklearn", "_Booster", lower_regressor, "", wrapper_columns},
    {"XGBRanker", "xgboost.sklearn", "_Booster", lower_regressor, "", wrapper_columns},
    {"Booster", "xgboost.core", "handle", lower_booster, "", booster_columns},
};

}  // namespace

std::span<const EstimatorRow> xgboost_rows() {
  return kXgboostRows;
}

}  // namespace wherry::sklearn
