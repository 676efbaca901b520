#include "import/sklearn/sklearn.h"

#include <algorithm>
#include <charconv>

#include "import/sklearn/context.h"
#include "import/sklearn/members.h"
#include "import/sklearn/registry.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using pickle::Kind;
using program::GlobalUse;
using program::ManifestEntry;

Version parse_version(std::string_view text) {
  Version out;
  const auto parts = base::split(text, '.');
  if (parts.size() < 2) return out;
  std::from_chars(parts[0].data(), parts[0].data() + parts[0].size(), out.major);
  std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), out.minor);
  return out;
}

std::unexpected<base::Error> refused(const ManifestEntry& entry) {
  return base::fail(
      base::Code::kInvalidInput, "sklearn.refused_global",
      cat("the file names ", base::quoted(entry.name), ", which has no place in a model"),
      "do not load this file in Python; wherry executed nothing of it. If a step of your own is "
      "meant, replace it with scikit-learn's estimators");
}

// Whether a refused name is one of a program's own classes rather than of an attack: those get the better
// message of the place where they stand, if they stand in the model's way.
bool may_be_a_step(const pickle::GlobalUse& use) {
  const pickle::Global& global = use.object->global();
  const auto first = global.name.find_first_not_of('_');
  return classify(global.module, global.name, false) != GlobalUse::kRefused &&
         first != std::string_view::npos && global.name[first] >= 'A' && global.name[first] <= 'Z';
}

Status refuse_attacks(const pickle::Document& document) {
  for (const pickle::GlobalUse& use : document.imports()) {
    const pickle::Global& global = use.object->global();
    if (classify(global.module, global.name, use.called) == GlobalUse::kRefused && !may_be_a_step(use))
      return refused({use.qualified(), static_cast<std::int64_t>(use.count), GlobalUse::kRefused});
  }
  return {};
}

Status check_root(const View& root) {
  const std::string name = root.class_name();
  const auto not_an_estimator = [&](std::string_view what) {
    return base::fail(base::Code::kUnsupported, "sklearn.not_an_estimator",
                      cat("the file holds ", what, ", not a fitted estimator"),
                      "save the Pipeline or estimator itself: joblib.dump(model, \"model.joblib\")");
  };
  if (root.is(Kind::kDict)) {
    const auto entries = root.entries();
    for (const auto& [key, value] : entries ? *entries : std::vector<std::pair<View, View>>())
      if (find_row(value.class_name()) != nullptr)
        return base::fail(
            base::Code::kUnsupported, "sklearn.not_an_estimator",
            cat("the file holds a dict, with a ", short_class(value), " at ", value.where()),
            cat("save that one alone: joblib.dump(what_you_saved", value.path(), ", \"model.joblib\")"));
  }
  if (name.empty()) return not_an_estimator(root.describe());
  if (name.starts_with("pandas.") || name.starts_with("numpy.")) return not_an_estimator(cat("a ", name));
  return {};
}

// What provenance calls the package of the outermost class.
constexpr std::pair<std::string_view, std::string_view> kFrameworks[] = {
    {"catboost.", "CatBoost"}, {"lightgbm.", "LightGBM"}, {"xgboost.", "XGBoost"}};

std::string_view framework_of(std::string_view class_name) {
  for (const auto& [package, framework] : kFrameworks)
    if (class_name.starts_with(package)) return framework;
  return "scikit-learn";
}

// The estimators through which X comes in unchanged: first steps, best estimators, column transformers.
// `last`: it does not hand X on.
struct Entrance {
  View estimator;
  bool last = true;
};

void collect_entrances(const View& estimator, int depth, std::vector<Entrance>& out) {
  constexpr std::size_t kMostEntrances = 1'000;
  if (depth > 32 || out.size() >= kMostEntrances) return;
  const EstimatorRow* row = find_row(estimator.class_name());
  if (row == nullptr) return;
  out.push_back({estimator, row->entrances.empty()});
  for (const auto attribute : base::split(row->entrances, ' ')) {
    const auto view = attribute.empty() ? std::nullopt : estimator.find(attribute);
    if (!view) continue;
    if (!view->is(Kind::kList) && !view->is(Kind::kTuple)) {
      collect_entrances(*view, depth + 1, out);
      continue;
    }
    const auto items = view->items();
    for (const View& item : items ? *items : std::vector<View>()) {
      const auto second = item.item(1);  // of (name, estimator)
      const View& part = second ? *second : item;
      if (part.is_none() || part.is(Kind::kStr) || is_sampler(part)) continue;
      collect_entrances(part, depth + 1, out);
      // Until 1.1 a FunctionTransformer does not say how many columns it takes; it makes as many.
      const bool silent = short_class(part) == "FunctionTransformer" && !part.has("n_features_in_");
      if (attribute == "steps" && !silent) break;
    }
  }
}

// From the outermost estimator that knows names, else from the outermost that knows their number.
Result<InputColumns> input_columns(const View& root, const std::vector<Entrance>& entrances) {
  InputColumns out;
  const auto own_columns = [](const View& estimator) { return find_row(estimator.class_name())->columns; };
  for (const auto& [estimator, last] : entrances) {
    if (const auto columns = own_columns(estimator)) {
      TRY_ASSIGN(out, columns(estimator));
      if (!out.names.empty()) return out;
      continue;
    }
    auto names = estimator.find("feature_names_in_");
    if (!names) names = estimator.find("_feature_names_in");  // ColumnTransformer before 1.0
    if (!names || names->is_none()) continue;
    TRY_ASSIGN(out.names, names->strings());
    out.count = static_cast<std::int64_t>(out.names.size());
    return out;
  }
  for (const auto& [estimator, last] : entrances) {
    if (const auto columns = own_columns(estimator)) return columns(estimator);
    const auto count = estimator.find("n_features_in_");
    if (!count || count->is_none()) continue;
    TRY_ASSIGN(out.count, count->as_int());
    if (out.count < 0 || out.count > static_cast<std::int64_t>(program::ProgramBuilder::kMostColumns))
      return inconsistent(*count, cat(out.count, " columns"));
    return out;
  }
  // Encoders before 1.0 do not say, but have one list of categories per column.
  if (const auto categories = entrances.back().estimator.find("categories_")) {
    TRY_ASSIGN(const std::size_t size, categories->size());
    out.count = static_cast<std::int64_t>(size);
    return out;
  }
  if (short_class(entrances.back().estimator) == "IsotonicRegression") {
    out.count = 1;
    return out;
  }
  // Generalized linear models before 1.0 have nothing but their coefficients, processes of constant kernels
  // nothing but the rows of training.
  for (const std::string_view attribute : {"coef_", "X_train_"}) {
    const auto fitted = entrances.back().estimator.find(attribute);
    if (!fitted) continue;
    const auto array = fitted->array();
    if (array && !array->shape.empty() && array->shape.back() > 0 &&
        array->shape.back() <= static_cast<std::int64_t>(program::ProgramBuilder::kMostColumns)) {
      out.count = array->shape.back();
      return out;
    }
  }
  return base::fail(base::Code::kUnsupported, "sklearn.unknown_columns",
                    cat(root.where(), ": nothing in the file says how many columns the model takes"),
                    "fit and save it with a newer scikit-learn");
}

program::Signature signature_of(const InputColumns& columns, const std::vector<Entrance>& entrances) {
  program::Signature out;
  out.has_names = !columns.names.empty();
  for (std::int64_t i = 0; i < columns.count; ++i)
    out.columns.push_back({.name = out.has_names ? columns.names[static_cast<std::size_t>(i)] : cat("x", i)});
  if (!out.has_names && columns.count == 1) out.columns[0].name = columns.single_name;
  // Only a ColumnTransformer at the entrance picks its columns by name; every other estimator compares names.
  out.ignores_extra = out.has_names && std::ranges::all_of(entrances, [](const Entrance& entrance) {
                        return !entrance.last || short_class(entrance.estimator) == "ColumnTransformer";
                      });
  return out;
}

Status add_outputs(program::ProgramBuilder& builder, Context& context, Fitted& fitted) {
  bool any = false;
  const auto add = [&](std::string_view name, std::optional<Answer>& answer) -> Status {
    if (!answer) return {};
    any = true;
    return builder.output({std::string(name), std::move(answer->values), std::move(answer->labels)});
  };
  TRY(add("predict", fitted.predict));
  TRY(add("predict_proba", fitted.predict_proba));
  TRY(add("decision_function", fitted.decision_function));
  TRY(add("score_samples", fitted.score_samples));
  TRY(add("margin", fitted.margin));
  if (fitted.transform) {
    any = true;
    context.mark_all(*fitted.transform, program::ColumnType::kAny);
    ValueId value = fitted.transform->value;
    if (fitted.transform->one_dimensional && !context.is_table(*fitted.transform) &&
        !context.is_sparse(*fitted.transform)) {
      TRY_ASSIGN(value, context.flatten(value));
    }
    if (context.is_sparse(*fitted.transform)) {
      TRY_ASSIGN(value, context.numbers(*fitted.transform));
    }
    TRY(builder.output({"transform", {value}, std::move(fitted.transform->names)}));
  }
  if (!any)
    return base::fail(
        base::Code::kUnsupported, "sklearn.no_method",
        "the model has none of predict, predict_proba, decision_function, score_samples and transform",
        "save an estimator that predicts or transforms");
  return {};
}

}  // namespace

Result<Lowered> lower(const pickle::Document& document) {
  TRY(refuse_attacks(document));
  const View root = document.view();
  TRY(check_root(root));
  Inspection inspection = describe(document);
  const std::string class_name = root.class_name();
  if (inspection.framework_version.empty() && class_name.starts_with("sklearn.") &&
      find_row(class_name) != nullptr)
    return inconsistent(root, "no _sklearn_version, so what its numbers mean is unknown");
  std::vector<Entrance> entrances;
  collect_entrances(root, 0, entrances);
  // Without columns lowering still runs: it knows better what is missing.
  const Result<InputColumns> columns = entrances.empty() ? InputColumns{} : input_columns(root, entrances);
  program::ProgramBuilder builder(signature_of(columns.value_or(InputColumns{}), entrances));
  Context context(builder, parse_version(inspection.framework_version), document.stream_bytes());
  Flow input{.value = program::ProgramBuilder::kInput};
  for (std::size_t i = 0; i < builder.so_far().signature().columns.size(); ++i) {
    input.sources.push_back(static_cast<std::int32_t>(i));
    input.names.push_back(builder.so_far().signature().columns[i].name);
  }
  TRY_ASSIGN(Fitted fitted, lower_estimator(context, root, input));
  if (!columns) return std::unexpected(columns.error());
  if (const auto entry = std::ranges::find(inspection.manifest, GlobalUse::kRefused, &ManifestEntry::use);
      entry != inspection.manifest.end())
    return refused(*entry);
  TRY(add_outputs(builder, context, fitted));
  context.finish_columns();
  TRY_ASSIGN(program::Program program, std::move(builder).build());
  program::Provenance provenance;
  provenance.framework = framework_of(class_name);
  provenance.framework_version =
      inspection.framework_version.empty() ? context.framework_version() : inspection.framework_version;
  provenance.estimators = std::move(inspection.estimators);
  provenance.manifest = std::move(inspection.manifest);
  provenance.notes.assign(context.notes().begin(), context.notes().end());
  return Lowered{std::move(program), std::move(provenance)};
}

}  // namespace wherry::sklearn
