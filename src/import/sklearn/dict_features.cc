// Vectorisers of records: sklearn/feature_extraction/_dict_vectorizer.py, _hash.py (older:
// dict_vectorizer.py, hashing.py); 0.24 to 1.9.
#include "base/text.h"
#include "import/sklearn/lowerings.h"
#include "import/sklearn/text_options.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using pickle::Kind;

// feature_names_ by column. Names of other types cannot come in JSON, but would be shown as text.
Result<std::vector<std::string>> feature_names(Context& context, const View& estimator) {
  TRY_ASSIGN(const View view, estimator.attr("feature_names_"));
  TRY_ASSIGN(const std::vector<View> items, view.items());
  std::vector<std::string> out;
  for (const View& item : items) {
    if (!item.is(Kind::kStr)) return unsupported_parameter(item, "a feature name which is no text");
    TRY(context.charge(view, 1 + item->text().size()));
    out.emplace_back(item->text());
    if (!base::is_valid_utf8(out.back()))
      return unsupported_parameter(item, "a feature name with a lone surrogate");
  }
  return out;
}

// vocabulary_ must say the same as feature_names_.
Status check_vocabulary(const View& estimator, const std::vector<std::string>& names) {
  const auto view = estimator.find("vocabulary_");
  if (!view || !view->is(Kind::kDict)) return inconsistent(estimator, "no vocabulary_");
  const auto& entries = view->object().mapping().entries;
  if (entries.size() != names.size())
    return inconsistent(*view, cat(entries.size(), " columns for ", names.size(), " names"));
  for (const pickle::Entry& entry : entries) {
    TRY_ASSIGN(const std::int64_t column, View(*entry.value, view->path()).as_int());
    if (column < 0 || column >= static_cast<std::int64_t>(names.size()) || entry.key->kind() != Kind::kStr ||
        entry.key->text() != names[static_cast<std::size_t>(column)])
      return inconsistent(*view, "it contradicts feature_names_");
  }
  return {};
}

Result<Fitted> lower_dict_vectorizer(Context& context, const View& estimator, const Flow& input) {
  TRY(take_one_column(context, estimator, input, program::ColumnType::kRecord));
  TRY_ASSIGN(std::vector<std::string> names, feature_names(context, estimator));
  TRY(check_vocabulary(estimator, names));
  TRY_ASSIGN(const bool sparse, flag(estimator, "sparse", true));
  program::DictFeatures op;
  TRY_ASSIGN(op.separator, word(estimator, "separator", "="));
  if (!base::is_valid_utf8(op.separator))
    return unsupported_parameter(estimator, "a separator which is no text");
  TRY_ASSIGN(op.float32, float32_values(estimator, false));
  op.assigns = !sparse && !context.version().at_least(1, 0);
  const bool float32 = op.float32;
  op.names = string_weight(context, "names", names);
  TRY_ASSIGN(const ValueId value, context.add(std::move(op), {input.value}));
  Fitted fitted;
  const std::size_t width = names.size();
  fitted.transform = made(value, width, std::move(names), sparse);
  fitted.transform->float32 = float32;
  return fitted;
}

Result<Fitted> lower_feature_hasher(Context& context, const View& estimator, const Flow& input) {
  TRY(take_one_column(context, estimator, input, program::ColumnType::kRecord));
  program::HashFeatures op;
  TRY_ASSIGN(const std::string form, word(estimator, "input_type", "dict"));
  if (form == "pair")
    op.form = program::RecordForm::kPair;
  else if (form == "string")
    op.form = program::RecordForm::kString;
  else if (form != "dict")
    return inconsistent(estimator, cat("input_type=", base::quoted(form)));
  TRY_ASSIGN(op.n_features, hash_width(estimator));
  TRY_ASSIGN(op.alternate_sign, flag(estimator, "alternate_sign", true));
  TRY_ASSIGN(op.float32, float32_values(estimator, false));
  const auto width = static_cast<std::size_t>(op.n_features);
  const bool float32 = op.float32;
  TRY_ASSIGN(const ValueId value, context.add(op, {input.value}));
  Fitted fitted;
  fitted.transform = made(value, width, {}, true);
  fitted.transform->float32 = float32;
  return fitted;
}

constexpr EstimatorRow kDictFeaturesRows[] = {
    {"DictVectorizer",
     "sklearn.feature_extraction._dict_vectorizer sklearn.feature_extraction.dict_vectorizer", "vocabulary_",
     lower_dict_vectorizer, "", record_column},
    {"FeatureHasher", "sklearn.feature_extraction._hash sklearn.feature_extraction.hashing", "",
     lower_feature_hasher, "", record_column},
};

}  // namespace

std::span<const EstimatorRow> dict_features_rows() {
  return kDictFeaturesRows;
}

}  // namespace wherry::sklearn
