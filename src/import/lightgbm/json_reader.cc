// Booster.dump_model: src/boosting/gbdt_model_text.cpp GBDT::DumpModel, src/io/tree.cpp Tree::ToJSON.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <unordered_map>

#include "import/lightgbm/check.h"

namespace wherry::lightgbm {
namespace {

using text::Json;

constexpr std::uint64_t kFreeWords = 1 << 20;
constexpr std::uint64_t kWordsPerByte = 16;

std::optional<double> find_number(const Json& object, std::string_view key) {
  const Json* member = text::find(object, key);
  if (member == nullptr || !member->is_number()) return std::nullopt;
  return member->get<double>();
}

// Sets of categories a file of its size may ask for.
struct Budget {
  std::uint64_t words = 0;
};

class TreeReader {
 public:
  TreeReader(Budget& budget, std::string_view where) : budget_(budget), where_(where) {}

  Result<Tree> read(const Json& structure) {
    tree_.set_begin.push_back(0);
    tree_.term_begin.push_back(0);
    open_.push_back({&structure, -1, false});
    while (!open_.empty()) {
      const Place place = open_.back();
      open_.pop_back();
      TRY_ASSIGN(const std::int32_t index,
                 text::find(*place.json, "split_feature") != nullptr ? node(*place.json) : leaf(*place.json));
      if (place.parent >= 0)
        (place.is_left ? tree_.left : tree_.right)[static_cast<std::size_t>(place.parent)] = index;
    }
    if (tree_.set_words.empty()) tree_.set_begin.clear();
    if (!tree_.is_linear) tree_.term_begin.clear();
    return std::move(tree_);
  }

 private:
  struct Place {
    const Json* json;
    std::int32_t parent;
    bool is_left;
  };

  std::unexpected<base::Error> bad(std::string_view message) const { return bad_model(where_, message); }

  Result<std::int32_t> node(const Json& json) {
    const auto feature = text::find_integer(json, "split_feature");
    const std::string* kind = text::find_string(json, "decision_type");
    const auto default_left = text::find_bool(json, "default_left");
    const std::string* missing = text::find_string(json, "missing_type");
    const Json* left = text::find_object(json, "left_child");
    const Json* right = text::find_object(json, "right_child");
    if (!feature || *feature < 0 || *feature > std::numeric_limits<std::int32_t>::max() || kind == nullptr ||
        !default_left || missing == nullptr || left == nullptr || right == nullptr)
      return bad("a node without feature, decision type, missing type or children");
    const auto index = static_cast<std::int32_t>(tree_.nodes());
    std::uint8_t decision = *default_left ? kDefaultLeftBit : 0;
    if (*missing == "Zero")
      decision |= static_cast<std::uint8_t>(Missing::kZero) << 2;
    else if (*missing == "NaN")
      decision |= static_cast<std::uint8_t>(Missing::kNan) << 2;
    else if (*missing != "None")
      return bad(cat("missing type ", base::quoted(*missing)));
    double threshold = 0;
    if (*kind == "==") {
      decision |= kCategoryBit;
      threshold = static_cast<double>(tree_.set_begin.size() - 1);
      const std::string* members = text::find_string(json, "threshold");
      if (members == nullptr) return bad("a decision on categories without any");
      TRY(add_set(*members));
    } else if (const auto number = find_number(json, "threshold"); number && *kind == "<=") {
      threshold = *number;
    } else {
      return bad(cat("a node with decision type ", base::quoted(*kind), " and no threshold of that kind"));
    }
    tree_.feature.push_back(static_cast<std::int32_t>(*feature));
    tree_.threshold.push_back(threshold);
    tree_.decision.push_back(decision);
    tree_.left.push_back(0);
    tree_.right.push_back(0);
    open_.push_back({right, index, false});
    open_.push_back({left, index, true});
    return index;
  }

  // "0||3||17", or nothing.
  Status add_set(std::string_view members) {
    const auto first = tree_.set_words.size();
    while (!members.empty()) {
      const std::size_t end = std::min(members.find('|'), members.size());
      const auto category = base::parse_unsigned(members.substr(0, end));
      if (!category || *category > std::numeric_limits<std::int32_t>::max())
        return bad("a category which is no integer");
      const std::size_t word = first + *category / 32;
      if (word >= tree_.set_words.size()) {
        const std::uint64_t more = word + 1 - tree_.set_words.size();
        if (more > budget_.words)
          return base::fail(base::Code::kLimit, "lightgbm.too_large",
                            cat(where_, ": sets of categories far larger than the file"),
                            "number the categories of the training data from 0 without gaps");
        budget_.words -= more;
        tree_.set_words.resize(word + 1);
      }
      tree_.set_words[word] |= std::uint32_t{1} << *category % 32;
      members.remove_prefix(end);
      if (!members.empty() && (!members.starts_with("||") || members.size() == 2))
        return bad("a list of categories which is not separated by '||'");
      if (!members.empty()) members.remove_prefix(2);
    }
    if (tree_.set_words.size() == first) tree_.set_words.push_back(0);
    tree_.set_begin.push_back(static_cast<std::int64_t>(tree_.set_words.size()));
    return {};
  }

  Result<std::int32_t> leaf(const Json& json) {
    const auto value = find_number(json, "leaf_value");
    if (!value) return bad("a leaf without leaf_value");
    const auto index = static_cast<std::int32_t>(tree_.leaves());
    const auto constant = find_number(json, "leaf_const");
    if (index == 0) tree_.is_linear = constant.has_value();
    if (tree_.is_linear != constant.has_value()) return bad("linear and other leaves in one tree");
    tree_.leaf_value.push_back(*value);
    if (constant) TRY(linear_leaf(json, *constant));
    return ~index;
  }

  Status linear_leaf(const Json& json, double constant) {
    const Json* features = text::find_array(json, "leaf_features");
    const Json* coefficients = text::find_array(json, "leaf_coeff");
    if (features == nullptr || coefficients == nullptr || features->size() != coefficients->size())
      return bad("a linear leaf whose lists do not fit each other");
    tree_.leaf_constant.push_back(constant);
    for (std::size_t i = 0; i < features->size(); ++i) {
      const Json& feature = (*features)[i];
      const Json& coefficient = (*coefficients)[i];
      if (!feature.is_number_integer() || !coefficient.is_number())
        return bad("a linear leaf with something else than numbers");
      const auto column = feature.get<std::int64_t>();
      if (column < 0 || column > std::numeric_limits<std::int32_t>::max())
        return bad("a linear leaf with a feature out of range");
      tree_.term_features.push_back(static_cast<std::int32_t>(column));
      tree_.coefficients.push_back(coefficient.get<double>());
    }
    tree_.term_begin.push_back(static_cast<std::int64_t>(tree_.coefficients.size()));
    return {};
  }

  Budget& budget_;
  std::string_view where_;
  Tree tree_;
  std::vector<Place> open_;
};

// {"name": {"min_value": …, "max_value": …, "values": […]}}; columns never used are left out.
Status read_infos(const Json& json, Model& model, std::string_view what) {
  const Json* infos = text::find_object(json, "feature_infos");
  if (infos == nullptr) return bad_model(what, "no feature_infos");
  std::unordered_map<std::string_view, const Json*> by_name;
  for (const auto& [name, info] : infos->items()) by_name[name] = &info;
  for (const std::string& name : model.feature_names) {
    ColumnInfo& column = model.columns.emplace_back();
    const auto found = by_name.find(name);
    if (found == by_name.end()) continue;
    const Json* info = found->second;
    const auto least = find_number(*info, "min_value");
    const auto most = find_number(*info, "max_value");
    const Json* values = text::find_array(*info, "values");
    if (!least || !most || values == nullptr)
      return bad_model(what, cat("feature_infos of ", base::quoted(name)));
    column.kind = values->empty() ? ColumnInfo::Kind::kRange : ColumnInfo::Kind::kCategories;
    column.least = *least;
    column.most = *most;
  }
  return {};
}

Status read_head(const Json& json, Model& model, std::string_view what) {
  TRY_ASSIGN(model.version, text::require_string(json, "version", what));
  TRY(check_version(model.version, what));
  TRY_ASSIGN(const std::int64_t classes, text::require_integer(json, "num_class", what));
  TRY_ASSIGN(model.outputs, text::require_integer(json, "num_tree_per_iteration", what));
  const Json* names = text::find_array(json, "feature_names");
  if (names == nullptr) return bad_model(what, "no feature_names");
  for (const Json& name : *names) {
    if (!name.is_string()) return bad_model(what, "a feature name which is no string");
    model.feature_names.push_back(name.get<std::string>());
  }
  TRY(check_counts(model, classes, what));
  if (const std::string* objective = text::find_string(json, "objective")) model.objective = *objective;
  model.average_output = text::find_bool(json, "average_output").value_or(false);
  return read_infos(json, model, what);
}

}  // namespace

Result<Model> read_json(std::string_view document, std::string_view what, const Limits& limits) {
  const text::JsonLimits json_limits{.bytes = static_cast<std::size_t>(limits.json_bytes),
                                     .depth = limits.json_depth};
  TRY_ASSIGN(const Json json, text::parse_json(document, what, json_limits));
  Model model;
  model.bytes = document.size();
  TRY(read_head(json, model, what));
  const Json* trees = text::find_array(json, "tree_info");
  if (trees == nullptr) return bad_model(what, "no tree_info");
  Budget budget{kFreeWords + kWordsPerByte * document.size()};
  for (const Json& entry : *trees) {
    const std::string where = cat(what, ": tree ", model.trees.size());
    const Json* structure = text::find_object(entry, "tree_structure");
    if (structure == nullptr) return bad_model(where, "no tree_structure");
    TRY_ASSIGN(Tree tree, TreeReader(budget, where).read(*structure));
    if (const auto leaves = text::find_integer(entry, "num_leaves");
        leaves && *leaves != static_cast<std::int64_t>(tree.leaves()))
      return inconsistent(where, cat(tree.leaves(), " leaves where num_leaves says ", *leaves));
    TRY(check_tree(tree, model.feature_names.size(), where));
    model.trees.push_back(std::move(tree));
  }
  if (const Json* pandas = text::find(json, "pandas_categorical")) {
    TRY_ASSIGN(model.pandas, pandas_columns(*pandas, what));
  }
  TRY(check_model(model, what));
  return model;
}

}  // namespace wherry::lightgbm
