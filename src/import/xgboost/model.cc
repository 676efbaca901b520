#include "import/xgboost/model.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/text.h"
#include "import/xgboost/fields.h"
#include "import/xgboost/tree.h"

namespace wherry::xgboost {

using base::cat;
using base::Result;
using base::Status;
using tensor::CellValue;

std::string to_string(const Version& version) {
  return cat(version.major, ".", version.minor, ".", version.patch);
}

std::unexpected<base::Error> inconsistent(std::string what) {
  return base::fail(base::Code::kInvalidInput, "xgboost.inconsistent", std::move(what),
                    "the model was damaged or made by hand; train and save it again");
}

std::unexpected<base::Error> unsupported(std::string what, std::string hint) {
  return base::fail(base::Code::kUnsupported, "xgboost.unsupported", std::move(what), std::move(hint));
}

namespace {

constexpr std::int64_t kMostOutputs = 1'000'000;
constexpr std::int64_t kMostFeatures = 1'000'000;
constexpr std::int64_t kMostTrees = 100'000'000;

Result<Version> read_version(const Place& root) {
  TRY_ASSIGN(const auto parts, root.integers("version", 0, 1'000'000));
  if (parts.size() != 3) return root.wrong("the version is not three numbers");
  const Version version{static_cast<int>(parts[0]), static_cast<int>(parts[1]), static_cast<int>(parts[2])};
  if (version.major < 1 || version.major > 3)
    return unsupported(cat("the model was saved by XGBoost ", to_string(version)),
                       "versions 1.6 to 3.2 are known; save the model with one of these");
  return version;
}

// "5E-1", or "[5E-1,2E0]" since 3.1.
Result<std::vector<float>> read_base_score(const Place& parameters) {
  TRY_ASSIGN(const std::string text, parameters.text("base_score"));
  std::string_view inner = text;
  if (inner.starts_with('[') && inner.ends_with(']')) inner = inner.substr(1, inner.size() - 2);
  std::vector<float> out;
  for (const std::string_view part : base::split(inner, ',')) {
    const std::string_view digits = base::trim(part);
    float score = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), score);
    if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() || !std::isfinite(score))
      return parameters.wrong(cat("base_score is ", base::quoted(text)));
    out.push_back(score);
  }
  return out;
}

Status read_parameters(const Place& learner, Model& model) {
  TRY_ASSIGN(const Place parameters, learner.member("learner_model_param"));
  TRY_ASSIGN(model.features, parameters.integer("num_feature", -1));
  TRY_ASSIGN(const std::int64_t classes, parameters.integer("num_class", 0));
  TRY_ASSIGN(const std::int64_t targets, parameters.integer("num_target", 1));
  model.outputs = std::max({std::int64_t{1}, classes, targets});
  if (model.features < 0 || model.features > kMostFeatures)
    return parameters.wrong(cat(model.features, " features"));
  if (model.outputs > kMostOutputs || (classes > 1 && targets > 1))
    return parameters.wrong(cat(classes, " classes and ", targets, " targets"));
  TRY_ASSIGN(model.base_score, read_base_score(parameters));
  if (model.base_score.size() != 1 && static_cast<std::int64_t>(model.base_score.size()) != model.outputs)
    return parameters.wrong(cat(model.base_score.size(), " base scores for ", model.outputs, " outputs"));
  return {};
}

Status read_features(const Place& learner, Model& model) {
  TRY_ASSIGN(model.feature_names, learner.texts("feature_names"));
  TRY_ASSIGN(model.feature_types, learner.texts("feature_types"));
  const auto features = static_cast<std::size_t>(model.features);
  for (const std::size_t count : {model.feature_names.size(), model.feature_types.size()})
    if (count != 0 && count != features)
      return learner.wrong(cat(count, " feature names or types for ", features, " features"));
  const std::set<std::string_view> distinct(model.feature_names.begin(), model.feature_names.end());
  if (distinct.size() != model.feature_names.size()) return learner.wrong("two features of one name");
  if (!learner.has("attributes")) return {};
  TRY_ASSIGN(const Place attributes, learner.member("attributes"));
  if (!attributes.has("best_iteration")) return {};
  TRY_ASSIGN(model.best_iteration, attributes.integer("best_iteration", 0));
  return {};
}

// One feature's categories: the bytes of all names one after another, or numbers.
Result<std::vector<CellValue>> read_encoder(const Place& encoder) {
  std::vector<CellValue> out;
  if (!encoder.has("offsets")) {
    TRY_ASSIGN(const Value::Numbers* numbers, encoder.numbers("values"));
    for (const double number : *numbers)
      if (!std::isfinite(number)) return encoder.wrong("a category which is no number");
    out.assign(numbers->begin(), numbers->end());
  } else {
    TRY_ASSIGN(const auto bytes, encoder.integers("values", -128, 255));
    const auto size = static_cast<std::int64_t>(bytes.size());
    TRY_ASSIGN(const auto offsets, encoder.integers("offsets", 0, size));
    for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
      if (offsets[i] > offsets[i + 1]) return encoder.wrong("offsets of categories go back");
      std::string name;
      for (std::int64_t j = offsets[i]; j < offsets[i + 1]; ++j)
        name += static_cast<char>(bytes[static_cast<std::size_t>(j)]);
      // Of names in a pandas column XGBoost keeps as many bytes as they have characters (_data_utils.py
      // npstr_to_arrow_strarr), so these and all names after them are cut.
      if (std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
        return unsupported(
            "a category whose name has other characters than ASCII, which XGBoost stores cut off",
            "rename the categories, or train on their codes");
      out.emplace_back(std::move(name));
    }
  }
  std::set<CellValue> distinct(out.begin(), out.end());
  if (distinct.size() != out.size()) return encoder.wrong("two categories of one name");
  return out;
}

Status read_encoders(const Place& trees, Model& model) {
  if (!trees.has("cats")) return {};
  TRY_ASSIGN(const Place cats, trees.member("cats"));
  TRY_ASSIGN(const std::vector<Place> encoders, cats.items("enc"));
  if (encoders.empty()) return {};
  if (static_cast<std::int64_t>(encoders.size()) != model.features)
    return cats.wrong(cat(encoders.size(), " encoders for ", model.features, " features"));
  std::int64_t total = 0;
  bool any = false;
  TRY_ASSIGN(const auto segments, cats.integers("feature_segments", 0, kMostTrees));
  for (std::size_t i = 0; i < encoders.size(); ++i) {
    TRY_ASSIGN(std::vector<CellValue> own, read_encoder(encoders[i]));
    total += static_cast<std::int64_t>(own.size());
    if (segments.size() != encoders.size() + 1 || segments[i + 1] != total)
      return cats.wrong("another number of categories than feature_segments says");
    any |= !own.empty();
    model.categories.push_back(std::move(own));
  }
  if (!any) model.categories.clear();
  return {};
}

Status read_rounds(const Place& place, Model& model) {
  const auto count = static_cast<std::int64_t>(model.trees.size());
  if (place.has("iteration_indptr")) {
    TRY_ASSIGN(const auto ends, place.integers("iteration_indptr", 0, count));
    if (!std::ranges::is_sorted(ends)) return place.wrong("iteration_indptr goes back");
    if (!ends.empty()) model.rounds_end.assign(ends.begin() + 1, ends.end());
    return {};
  }
  TRY_ASSIGN(const Place parameters, place.member("gbtree_model_param"));
  TRY_ASSIGN(const std::int64_t parallel, parameters.integer("num_parallel_tree", 1));
  if (parallel < 0 || parallel > kMostTrees) return parameters.wrong(cat(parallel, " parallel trees"));
  const std::int64_t each = std::max<std::int64_t>(parallel, 1) * model.outputs;
  for (std::int64_t end = each; end <= count; end += each) model.rounds_end.push_back(end);
  return {};
}

Status read_trees(const Place& place, Model& model) {
  TRY_ASSIGN(const std::vector<Place> trees, place.items("trees"));
  TRY_ASSIGN(const auto groups, place.integers("tree_info", 0, model.outputs - 1));
  if (groups.size() != trees.size())
    return place.wrong(cat(trees.size(), " trees, but tree_info is of ", groups.size()));
  if (!trees.empty()) {
    TRY_ASSIGN(model.leaf_width, leaf_width(trees[0]));
  }
  if (model.leaf_width != 1 && model.leaf_width != model.outputs)
    return place.wrong(cat("leaves of ", model.leaf_width, " values for ", model.outputs, " outputs"));
  for (std::size_t i = 0; i < trees.size(); ++i) {
    TRY_ASSIGN(const std::int64_t width, leaf_width(trees[i]));
    if (width != model.leaf_width) return trees[i].wrong("leaves of another width than the first tree's");
    TRY_ASSIGN(Tree tree, read_tree(trees[i], model.features, width));
    tree.group = width == 1 ? static_cast<std::int32_t>(groups[i]) : 0;
    model.trees.push_back(std::move(tree));
  }
  TRY(read_rounds(place, model));
  return read_encoders(place, model);
}

Status read_dart(const Place& booster, Model& model) {
  model.booster = Booster::kDart;
  if (!booster.has("gbtree"))
    return unsupported(cat("a DART model of XGBoost ", to_string(model.version),
                           ", of a form that is not known to predict alike"),
                       "save it with XGBoost 3.2 or older");
  TRY_ASSIGN(const Place inner, booster.member("gbtree"));
  TRY_ASSIGN(const Place trees, inner.member("model"));
  TRY(read_trees(trees, model));
  if (model.leaf_width != 1) return booster.wrong("DART with several values in a leaf");
  TRY_ASSIGN(model.weights, booster.floats("weight_drop"));
  if (model.weights.size() != model.trees.size())
    return booster.wrong(cat(model.weights.size(), " weights for ", model.trees.size(), " trees"));
  return {};
}

Status read_linear(const Place& booster, Model& model) {
  model.booster = Booster::kLinear;
  TRY_ASSIGN(const Place linear, booster.member("model"));
  TRY_ASSIGN(model.linear, linear.floats("weights"));
  const std::int64_t expected = (model.features + 1) * model.outputs;
  if (static_cast<std::int64_t>(model.linear.size()) != expected)
    return linear.wrong(cat(model.linear.size(), " weights where ", expected, " belong"));
  return {};
}

}  // namespace

Result<Model> read_model(const Value& document) {
  Place root{document, ""};
  if (root.has("Model")) {
    TRY_ASSIGN(const Place inner, root.member("Model"));
    return read_model(inner.value);
  }
  Model model;
  TRY_ASSIGN(model.version, read_version(root));
  TRY_ASSIGN(const Place learner, root.member("learner"));
  TRY(read_parameters(learner, model));
  TRY(read_features(learner, model));
  TRY_ASSIGN(const Place objective, learner.member("objective"));
  TRY_ASSIGN(model.objective, objective.text("name"));
  TRY_ASSIGN(const Place booster, learner.member("gradient_booster"));
  TRY_ASSIGN(const std::string name, booster.text("name"));
  if (name == "gbtree") {
    TRY_ASSIGN(const Place trees, booster.member("model"));
    TRY(read_trees(trees, model));
  } else if (name == "dart") {
    TRY(read_dart(booster, model));
  } else if (name == "gblinear") {
    TRY(read_linear(booster, model));
  } else {
    return unsupported(cat("a booster called ", base::quoted(name)), "train with gbtree, dart or gblinear");
  }
  return model;
}

}  // namespace wherry::xgboost
