#include "import/lightgbm/check.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "program/program.h"

namespace wherry::lightgbm {

namespace {

constexpr std::int64_t kMostOutputs = 1'000'000;
constexpr std::int64_t kExactIntegers = std::int64_t{1} << 53;

Status check_lengths(const Tree& tree, std::string_view where) {
  const std::size_t leaves = tree.leaves();
  if (leaves < 1) return inconsistent(where, "a tree without leaves");
  const std::size_t nodes = leaves - 1;
  if (tree.feature.size() != nodes || tree.left.size() != nodes || tree.right.size() != nodes ||
      tree.threshold.size() != nodes || tree.decision.size() != nodes)
    return inconsistent(where, cat("lists of other lengths than ", leaves, " leaves ask for"));
  if (!tree.is_linear) return {};
  if (tree.leaf_constant.size() != leaves || tree.term_begin.size() != leaves + 1 ||
      tree.term_features.size() != tree.coefficients.size() || tree.term_begin.front() != 0 ||
      tree.term_begin.back() != static_cast<std::int64_t>(tree.coefficients.size()) ||
      !std::ranges::is_sorted(tree.term_begin))
    return inconsistent(where, "linear leaves whose lists do not fit each other");
  return {};
}

Status check_node(const Tree& tree, std::size_t node, std::size_t columns, std::string_view where) {
  if (tree.feature[node] < 0 || static_cast<std::size_t>(tree.feature[node]) >= columns)
    return inconsistent(where, cat("node ", node, " asks for feature ", tree.feature[node], " of ", columns));
  if (std::isnan(tree.threshold[node])) return inconsistent(where, cat("node ", node, ": threshold is NaN"));
  if (tree.decision[node] > (kCategoryBit | kDefaultLeftBit | 8))
    return inconsistent(where, cat("node ", node, ": unknown decision type"));
  if ((tree.decision[node] & kCategoryBit) == 0) return {};
  const double set = tree.threshold[node];
  if (!(set >= 0) || set != std::floor(set) || set + 1 >= static_cast<double>(tree.set_begin.size()))
    return inconsistent(where, cat("node ", node, " has no set of categories"));
  return {};
}

// Every node and leaf belongs to exactly one parent: a tree, without cycles or shared parts.
Status check_shape(const Tree& tree, std::string_view where) {
  std::vector<bool> node_seen(tree.nodes()), leaf_seen(tree.leaves());
  std::vector<std::int32_t> open;
  if (tree.nodes() > 0) {
    open.push_back(0);
    node_seen[0] = true;
  }
  std::size_t reached = tree.nodes() == 0 ? 1 : 0;
  while (!open.empty()) {
    const auto node = static_cast<std::size_t>(open.back());
    open.pop_back();
    ++reached;
    for (const std::int32_t child : {tree.left[node], tree.right[node]}) {
      std::vector<bool>& seen = child < 0 ? leaf_seen : node_seen;
      const auto index = static_cast<std::size_t>(child < 0 ? ~child : child);
      if (index >= seen.size()) return inconsistent(where, cat("node ", node, ": child out of range"));
      if (seen[index]) return inconsistent(where, cat("node ", node, ": a child with two parents"));
      seen[index] = true;
      if (child < 0)
        ++reached;
      else
        open.push_back(child);
    }
  }
  if (reached != tree.nodes() + tree.leaves()) return inconsistent(where, "nodes which no way leads to");
  return {};
}

Result<tensor::CellValue> category(const text::Json& json, std::string_view what) {
  if (const auto* text = json.get_ptr<const std::string*>()) return tensor::CellValue(*text);
  if (json.is_boolean()) return tensor::CellValue(json.get<bool>() ? 1.0 : 0.0);
  if (json.is_number_integer()) {
    const auto value = json.get<std::int64_t>();
    if (json.is_number_unsigned() ? json.get<std::uint64_t>() > static_cast<std::uint64_t>(kExactIntegers)
                                  : value < -kExactIntegers)
      return bad_model(what, "pandas_categorical: an integer beyond 2^53");
    return tensor::CellValue(static_cast<double>(value));
  }
  if (json.is_number_float()) return tensor::CellValue(json.get<double>());
  return bad_model(what, "pandas_categorical: a category which is no string, number or boolean");
}

}  // namespace

std::unexpected<base::Error> bad_model(std::string_view what, std::string_view message) {
  return base::fail(base::Code::kInvalidInput, "lightgbm.bad_model", cat(what, ": ", message),
                    "give the file as LightGBM wrote it, e.g. by booster.save_model('model.txt')");
}

std::unexpected<base::Error> inconsistent(std::string_view what, std::string_view message) {
  return base::fail(base::Code::kInvalidInput, "lightgbm.inconsistent", cat(what, ": ", message),
                    "the file was damaged or made by hand; save the model again");
}

Status check_version(std::string_view version, std::string_view what) {
  if (version == "v3" || version == "v4") return {};
  return base::fail(base::Code::kUnsupported, "lightgbm.unsupported_version",
                    cat(what, ": model format ", base::quoted(version), ", known are v3 and v4"),
                    "load it with LightGBM 3.3 or newer and save it again with booster.save_model()");
}

Status check_counts(const Model& model, std::int64_t num_class, std::string_view what) {
  if (model.outputs < 1 || model.outputs > kMostOutputs || num_class != model.outputs)
    return inconsistent(what, cat(num_class, " classes with ", model.outputs, " trees per iteration"));
  if (model.feature_names.size() > program::ProgramBuilder::kMostColumns)
    return base::fail(base::Code::kLimit, "lightgbm.too_large",
                      cat(what, ": ", model.feature_names.size(), " columns"),
                      cat("train it on at most ", program::ProgramBuilder::kMostColumns, " columns"));
  return {};
}

Status check_tree(const Tree& tree, std::size_t columns, std::string_view where) {
  TRY(check_lengths(tree, where));
  if (!tree.set_begin.empty() && (tree.set_begin.front() != 0 || !std::ranges::is_sorted(tree.set_begin) ||
                                  tree.set_begin.back() != static_cast<std::int64_t>(tree.set_words.size())))
    return inconsistent(where, "sets of categories whose boundaries are out of order");
  for (std::size_t node = 0; node < tree.nodes(); ++node) TRY(check_node(tree, node, columns, where));
  for (const std::int32_t feature : tree.term_features)
    if (feature < 0 || static_cast<std::size_t>(feature) >= columns)
      return inconsistent(where, cat("a leaf asks for feature ", feature, " of ", columns));
  return check_shape(tree, where);
}

Status check_model(const Model& model, std::string_view what) {
  if (model.columns.size() != model.feature_names.size())
    return inconsistent(
        what, cat(model.columns.size(), " feature_infos for ", model.feature_names.size(), " feature_names"));
  if (model.trees.size() % static_cast<std::size_t>(model.outputs) != 0)
    return inconsistent(what, cat(model.trees.size(), " trees in iterations of ", model.outputs));
  std::unordered_set<std::string_view> names;
  for (const std::string& name : model.feature_names) {
    if (!base::is_valid_utf8(name)) return bad_model(what, "a feature name which is not UTF-8");
    if (!names.insert(name).second) return inconsistent(what, cat("two features named ", base::quoted(name)));
  }
  if (model.pandas.size() > model.columns.size())
    return inconsistent(
        what, cat(model.pandas.size(), " lists of categories for ", model.columns.size(), " columns"));
  return {};
}

Result<std::vector<PandasColumn>> pandas_columns(const text::Json& json, std::string_view what) {
  std::vector<PandasColumn> out;
  if (json.is_null()) return out;
  if (!json.is_array()) return bad_model(what, "pandas_categorical is not a list");
  for (const text::Json& list : json) {
    if (!list.is_array()) return bad_model(what, "pandas_categorical: not a list of lists");
    PandasColumn& column = out.emplace_back();
    std::unordered_set<std::string> texts;
    std::unordered_set<double> numbers;
    column.is_bool = !list.empty();
    for (const text::Json& item : list) {
      TRY_ASSIGN(tensor::CellValue value, category(item, what));
      const auto* number = std::get_if<double>(&value);
      const bool is_new = number != nullptr ? numbers.insert(*number).second
                                            : texts.insert(std::get<std::string>(value)).second;
      if (!is_new) return inconsistent(what, "pandas_categorical: a category twice in one list");
      column.is_bool = column.is_bool && item.is_boolean();
      column.categories.push_back(std::move(value));
    }
  }
  return out;
}

bool Model::has_names() const {
  for (std::size_t i = 0; i < feature_names.size(); ++i)
    if (feature_names[i] != cat("Column_", i)) return true;
  return false;
}

}  // namespace wherry::lightgbm
