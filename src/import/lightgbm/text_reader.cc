// src/boosting/gbdt_model_text.cpp GBDT::LoadModelFromString, src/io/tree.cpp Tree::Tree(const char*,
// size_t*).
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "import/lightgbm/check.h"

namespace wherry::lightgbm {
namespace {

using Keys = std::map<std::string_view, std::string_view>;

constexpr std::size_t kMostLeaves = std::numeric_limits<std::int32_t>::max();

// Lines of a text, without their ends (\n or \r\n).
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ >= text_.size(); }
  std::size_t position() const { return at_; }
  std::string_view peek() const {
    std::string_view line = text_.substr(at_);
    line = line.substr(0, line.find('\n'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }
  std::string_view next() {
    const std::string_view line = peek();
    const std::size_t end = text_.find('\n', at_);
    at_ = end == std::string_view::npos ? text_.size() : end + 1;
    return line;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

std::optional<std::string_view> find(const Keys& keys, std::string_view key) {
  const auto found = keys.find(key);
  return found == keys.end() ? std::nullopt : std::optional(found->second);
}

std::pair<std::string_view, std::string_view> split_key(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return {line, ""};
  return {line.substr(0, equals), line.substr(equals + 1)};
}

// Calls use(part) for the parts between spaces; false as soon as it returns false.
template <class Use>
bool for_each_part(std::string_view text, char separator, Use use) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(separator, at), text.size());
    if (end > at && !use(text.substr(at, end - at))) return false;
    at = end + 1;
  }
  return true;
}

template <class T>
bool parse_number(std::string_view text, T& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// The numbers of a line, which must be `count`.
template <class T>
Result<std::vector<T>> numbers(const Keys& keys, std::string_view key, std::size_t count,
                               std::string_view where) {
  std::vector<T> out;
  if (count == 0) return out;
  const auto text = find(keys, key);
  if (!text) return bad_model(where, cat("no ", key));
  out.reserve(std::min(count, text->size() / 2 + 1));
  const bool good = for_each_part(*text, ' ', [&](std::string_view part) {
    T value{};
    if (out.size() == count || !parse_number(part, value)) return false;
    out.push_back(value);
    return true;
  });
  if (!good || out.size() != count)
    return bad_model(where, cat(key, " is not a list of ", count, " numbers"));
  return out;
}

Result<std::int64_t> integer(const Keys& keys, std::string_view key, std::string_view where) {
  const auto text = find(keys, key);
  std::int64_t value = 0;
  if (!text || !parse_number(*text, value)) return bad_model(where, cat("no ", key));
  return value;
}

Status read_sets(const Keys& keys, Tree& tree, std::string_view where) {
  TRY_ASSIGN(const std::int64_t sets, integer(keys, "num_cat", where));
  if (sets == 0) return {};
  if (sets < 0 || static_cast<std::size_t>(sets) > tree.leaves())
    return inconsistent(where, cat(sets, " sets of categories in a tree of ", tree.leaves(), " leaves"));
  TRY_ASSIGN(tree.set_begin,
             numbers<std::int64_t>(keys, "cat_boundaries", static_cast<std::size_t>(sets) + 1, where));
  const std::int64_t words = tree.set_begin.back();
  if (words < 0 || static_cast<std::uint64_t>(words) > kMostLeaves)
    return inconsistent(where, "sets of categories whose boundaries are out of order");
  TRY_ASSIGN(tree.set_words,
             numbers<std::uint32_t>(keys, "cat_threshold", static_cast<std::size_t>(words), where));
  return {};
}

Status read_linear_leaves(const Keys& keys, Tree& tree, std::string_view where) {
  TRY_ASSIGN(tree.leaf_constant, numbers<double>(keys, "leaf_const", tree.leaves(), where));
  TRY_ASSIGN(const auto terms, numbers<std::int32_t>(keys, "num_features", tree.leaves(), where));
  tree.term_begin.push_back(0);
  for (const std::int32_t count : terms) {
    if (count < 0) return inconsistent(where, "a leaf with a negative number of features");
    tree.term_begin.push_back(tree.term_begin.back() + count);
  }
  const std::int64_t total = tree.term_begin.back();
  if (static_cast<std::uint64_t>(total) > kMostLeaves) return inconsistent(where, "too many linear features");
  const auto count = static_cast<std::size_t>(total);
  TRY_ASSIGN(tree.term_features, numbers<std::int32_t>(keys, "leaf_features", count, where));
  TRY_ASSIGN(tree.coefficients, numbers<double>(keys, "leaf_coeff", count, where));
  return {};
}

Result<Tree> read_tree(Lines& lines, std::size_t columns, std::string_view where) {
  Keys keys;
  while (!lines.at_end() && !lines.peek().empty()) {
    const std::string_view line = lines.next();
    if (line.find('=') == std::string_view::npos)
      return bad_model(where, cat("a line without '=': ", base::quoted(line)));
    const auto [key, value] = split_key(line);
    keys[key] = value;
  }
  Tree tree;
  TRY_ASSIGN(const std::int64_t leaves, integer(keys, "num_leaves", where));
  if (leaves < 1 || static_cast<std::uint64_t>(leaves) > kMostLeaves)
    return inconsistent(where, cat(leaves, " leaves"));
  const auto nodes = static_cast<std::size_t>(leaves) - 1;
  TRY_ASSIGN(tree.leaf_value, numbers<double>(keys, "leaf_value", nodes + 1, where));
  if (const auto linear = find(keys, "is_linear")) tree.is_linear = *linear != "0";
  if (nodes > 0) {
    TRY_ASSIGN(tree.feature, numbers<std::int32_t>(keys, "split_feature", nodes, where));
    TRY_ASSIGN(tree.threshold, numbers<double>(keys, "threshold", nodes, where));
    TRY_ASSIGN(tree.left, numbers<std::int32_t>(keys, "left_child", nodes, where));
    TRY_ASSIGN(tree.right, numbers<std::int32_t>(keys, "right_child", nodes, where));
    TRY_ASSIGN(tree.decision, numbers<std::uint8_t>(keys, "decision_type", nodes, where));
    TRY(read_sets(keys, tree, where));
  }
  if (tree.is_linear) TRY(read_linear_leaves(keys, tree, where));
  TRY(check_tree(tree, columns, where));
  return tree;
}

// "none", "[least:most]" or "3:1:2".
Result<ColumnInfo> read_info(std::string_view text, std::string_view what) {
  ColumnInfo out;
  if (text == "none") return out;
  const bool is_range = text.starts_with('[') && text.ends_with(']');
  if (is_range) text = text.substr(1, text.size() - 2);
  out.kind = is_range ? ColumnInfo::Kind::kRange : ColumnInfo::Kind::kCategories;
  out.least = std::numeric_limits<double>::infinity();
  out.most = -out.least;
  const bool good = for_each_part(text, ':', [&](std::string_view part) {
    double value = 0;
    if (!parse_number(part, value)) return false;
    out.least = std::min(out.least, value);
    out.most = std::max(out.most, value);
    return true;
  });
  if (!good) return bad_model(what, cat("feature_infos: ", base::quoted(text)));
  return out;
}

Result<Keys> read_header(Lines& lines, std::string_view what) {
  if (lines.next() != "tree") return bad_model(what, "does not begin with the line 'tree'");
  Keys keys;
  while (!lines.at_end() && !lines.peek().starts_with("Tree=") && lines.peek() != "end of trees") {
    const auto [key, value] = split_key(lines.next());
    keys[key] = value;
  }
  TRY(check_version(find(keys, "version").value_or(""), what));
  return keys;
}

Result<std::vector<std::string>> names_of(const Keys& keys, std::string_view what) {
  const auto text = find(keys, "feature_names");
  if (!text) return bad_model(what, "no feature_names");
  std::vector<std::string> names;
  for_each_part(*text, ' ', [&](std::string_view name) {
    names.emplace_back(name);
    return true;
  });
  return names;
}

Status use_header(const Keys& keys, Model& model, std::string_view what) {
  model.version = find(keys, "version").value_or("");
  TRY_ASSIGN(const std::int64_t classes, integer(keys, "num_class", what));
  model.outputs = classes;
  if (keys.contains("num_tree_per_iteration")) {
    TRY_ASSIGN(model.outputs, integer(keys, "num_tree_per_iteration", what));
  }
  model.average_output = keys.contains("average_output");
  model.objective = find(keys, "objective").value_or("");
  TRY_ASSIGN(model.feature_names, names_of(keys, what));
  TRY(check_counts(model, classes, what));
  TRY_ASSIGN(const std::int64_t last, integer(keys, "max_feature_idx", what));
  if (last + 1 != static_cast<std::int64_t>(model.feature_names.size()))
    return inconsistent(what, cat(model.feature_names.size(), " feature_names with max_feature_idx ", last));
  std::optional<base::Error> error;
  for_each_part(find(keys, "feature_infos").value_or(""), ' ', [&](std::string_view part) {
    auto info = read_info(part, what);
    if (info)
      model.columns.push_back(*info);
    else
      error = std::move(info.error());
    return !error;
  });
  if (error) return std::unexpected(*std::move(error));
  return {};
}

// The trees must stand where tree_sizes says: LightGBM jumps there.
Status read_trees(Lines& lines, const Keys& keys, Model& model, std::string_view what) {
  std::vector<std::size_t> begins;
  const std::size_t start = lines.position();
  while (!lines.at_end() && lines.peek() != "end of trees") {
    if (lines.peek().empty()) {
      lines.next();
      continue;
    }
    if (!lines.peek().starts_with("Tree=")) return bad_model(what, "something else where a tree belongs");
    begins.push_back(lines.position() - start);
    lines.next();
    TRY_ASSIGN(Tree tree,
               read_tree(lines, model.feature_names.size(), cat(what, ": tree ", begins.size() - 1)));
    model.trees.push_back(std::move(tree));
  }
  const auto sizes_text = find(keys, "tree_sizes");
  if (lines.at_end()) return bad_model(what, "no 'end of trees': the file is cut off");
  if (!sizes_text) return {};
  TRY_ASSIGN(const auto sizes, numbers<std::size_t>(keys, "tree_sizes", begins.size(), what));
  if (begins.empty() && !base::trim(*sizes_text).empty())
    return inconsistent(what, "tree_sizes names trees which are not there");
  std::size_t expected = 0;
  for (std::size_t i = 0; i < begins.size(); ++i) {
    if (begins[i] != expected) return inconsistent(what, cat("tree ", i, " is not where tree_sizes says"));
    if (sizes[i] > std::numeric_limits<std::uint32_t>::max())
      return inconsistent(what, "an absurd tree size");
    expected += sizes[i];
  }
  return {};
}

// "[categorical_feature: 0,3]": what Python hands down as column numbers. Names and other spellings of the
// command line say nothing here; feature_infos remain.
void read_categorical(std::string_view line, Model& model) {
  constexpr std::string_view kStart = "[categorical_feature: ";
  if (!line.starts_with(kStart) || !line.ends_with(']')) return;
  std::vector<std::int64_t> columns;
  const bool good =
      for_each_part(line.substr(kStart.size(), line.size() - kStart.size() - 1), ',', [&](auto part) {
        std::int64_t column = 0;
        if (!parse_number(part, column) || column < 0 ||
            column >= static_cast<std::int64_t>(model.columns.size()))
          return false;
        columns.push_back(column);
        return true;
      });
  if (!good) return;
  std::ranges::sort(columns);
  const auto repeated = std::ranges::unique(columns);
  columns.erase(repeated.begin(), repeated.end());
  model.categorical = std::move(columns);
}

Status read_footer(Lines& lines, Model& model, std::string_view what, const Limits& limits) {
  constexpr std::string_view kPandas = "pandas_categorical:";
  std::string_view last;
  bool in_parameters = false, had_parameters = false;
  while (!lines.at_end()) {
    const std::string_view line = lines.next();
    if (line == "parameters:") in_parameters = true;
    if (line == "end of parameters") in_parameters = false, had_parameters = true;
    if (in_parameters) read_categorical(line, model);
    if (!base::trim(line).empty()) last = line;
  }
  if (!last.starts_with(kPandas)) {
    if (in_parameters || (had_parameters && last != "end of parameters" && last != "end of parser"))
      return bad_model(what, "the end of the file is cut off");
    return {};
  }
  const text::JsonLimits json_limits{.bytes = static_cast<std::size_t>(limits.json_bytes), .depth = 8};
  TRY_ASSIGN(const text::Json json,
             text::parse_json(last.substr(kPandas.size()), cat(what, ": pandas_categorical"), json_limits));
  TRY_ASSIGN(model.pandas, pandas_columns(json, what));
  return {};
}

}  // namespace

Result<Model> read_text(std::string_view text, std::string_view what, const Limits& limits) {
  if (text.size() > limits.text_bytes)
    return base::fail(base::Code::kLimit, "lightgbm.too_large",
                      cat(what, ": more than ", base::human_size(limits.text_bytes), " of text"),
                      "train with fewer or smaller trees");
  Model model;
  model.bytes = text.size();
  Lines lines(text);
  TRY_ASSIGN(const Keys keys, read_header(lines, what));
  TRY(use_header(keys, model, what));
  TRY(read_trees(lines, keys, model, what));
  TRY(read_footer(lines, model, what, limits));
  TRY(check_model(model, what));
  return model;
}

Result<std::vector<std::string>> read_feature_names(std::string_view text, std::string_view what) {
  Lines lines(text);
  TRY_ASSIGN(const Keys keys, read_header(lines, what));
  return names_of(keys, what);
}

std::string describe_header(std::string_view text) {
  constexpr std::size_t kMostBytes = 1 << 20;  // many estimators of a pickle may share one text
  Lines lines(text.substr(0, kMostBytes));
  Model model;
  const auto keys = read_header(lines, "");
  if (!keys || !use_header(*keys, model, "")) return "";
  std::size_t trees = 0;
  for_each_part(find(*keys, "tree_sizes").value_or(""), ' ', [&](std::string_view) { return ++trees > 0; });
  const auto counted = [](std::size_t count, std::string_view noun) {
    return cat(count, " ", noun, count == 1 ? "" : "s");
  };
  return cat(counted(model.feature_names.size(), "column"), ", ", counted(trees, "tree"), ", objective ",
             model.objective.empty() ? "none" : model.objective);
}

}  // namespace wherry::lightgbm
