// A LightGBM model as its file states it, and the two readers: the text which Booster.save_model, pickles and
// the command line write (src/boosting/gbdt_model_text.cpp and src/io/tree.cpp, versions v3 of LightGBM 2.3
// to 3.3 and v4 since 4.0), and the JSON of Booster.dump_model.
//
// Thread-safety: values; the readers are pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tensor/table.h"

namespace wherry::lightgbm {

// Tree::decision_type_.
inline constexpr std::uint8_t kCategoryBit = 1;
inline constexpr std::uint8_t kDefaultLeftBit = 2;
enum class Missing : std::uint8_t { kNone, kZero, kNan };
constexpr Missing missing_of(std::uint8_t decision) {
  return static_cast<Missing>(decision >> 2 & 3);
}

// Inner nodes [n - 1] and leaves [n] are numbered apart; a child c is the node c, or the leaf ~c. Node 0 is
// the root; with one leaf there are no nodes.
struct Tree {
  std::vector<std::int32_t> feature, left, right;
  std::vector<double> threshold;  // where the decision is of a category: the number of the set
  std::vector<std::uint8_t> decision;
  std::vector<double> leaf_value;
  // Set s of categories is the bits of set_words[set_begin[s]] … set_words[set_begin[s + 1]].
  std::vector<std::int64_t> set_begin;
  std::vector<std::uint32_t> set_words;
  // With is_linear: leaf l is leaf_constant[l] + coefficients · features over the terms term_begin[l] ….
  bool is_linear = false;
  std::vector<double> leaf_constant, coefficients;
  std::vector<std::int64_t> term_begin;
  std::vector<std::int32_t> term_features;

  std::size_t leaves() const { return leaf_value.size(); }
  std::size_t nodes() const { return feature.size(); }
};

// What feature_infos tells about the values of a column in training.
struct ColumnInfo {
  enum class Kind : std::uint8_t { kUnused, kRange, kCategories };
  Kind kind = Kind::kUnused;
  double least = 0, most = 0;  // of a range, or of the categories
};

using Categories = std::vector<tensor::CellValue>;  // numbers (also for booleans) and texts
struct PandasColumn {
  Categories categories;  // position = code
  bool is_bool = false;   // all of them are booleans
};

struct Model {
  std::string version;                     // "v4"
  std::int64_t outputs = 1;                // trees per iteration
  std::vector<std::string> feature_names;  // one per column
  std::vector<ColumnInfo> columns;         // one per column
  std::string objective;                   // "binary sigmoid:1"; empty: none
  bool average_output = false;             // random forest
  std::vector<Tree> trees;                 // iteration after iteration, `outputs` each
  std::vector<PandasColumn> pandas;        // in the order of their columns
  std::vector<std::int64_t> categorical;   // columns declared categorical, ascending; empty: not stated
  std::uint64_t bytes = 0;                 // size of the file

  // False where LightGBM made the names up: Column_0, Column_1, ….
  bool has_names() const;
  std::size_t iterations() const { return trees.size() / static_cast<std::size_t>(outputs); }
};

struct Limits {
  std::uint64_t text_bytes = std::uint64_t{4} << 30;
  std::uint64_t json_bytes = std::uint64_t{512} << 20;  // JSON costs some twenty times its size in memory
  std::size_t json_depth = 20'000;
};

// Whatever is returned is consistent: lists fit each other, every node and leaf of a tree is reached exactly
// once, features and sets exist, thresholds are numbers. `what` names the model in messages. Errors: the
// lightgbm.* ids of error_ids.h, and "text.json_*".
base::Result<Model> read_text(std::string_view text, std::string_view what, const Limits& limits = {});
base::Result<Model> read_json(std::string_view json, std::string_view what, const Limits& limits = {});

// Of a text model without reading its trees: the names of its columns, and a description for people ("5
// columns, 100 trees, objective binary sigmoid:1"; empty when there is no header).
base::Result<std::vector<std::string>> read_feature_names(std::string_view text, std::string_view what);
std::string describe_header(std::string_view text);

}  // namespace wherry::lightgbm
