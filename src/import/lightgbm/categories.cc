// Columns of pandas' type category: _data_from_pandas of python-package/lightgbm/basic.py.
#include <algorithm>
#include <cmath>
#include <limits>

#include "import/lightgbm/check.h"
#include "import/lightgbm/lower.h"

namespace wherry::lightgbm {
namespace {

using program::ColumnType;
using program::ValueId;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

bool is_integer(double value) {
  return value == std::floor(value);
}

// Whether the values seen in a column can be codes of the list; -1 stands for missing ones.
bool fits(const ColumnInfo& column, const PandasColumn& list) {
  if (column.kind == ColumnInfo::Kind::kUnused) return true;
  return is_integer(column.least) && is_integer(column.most) && column.least >= -1 &&
         column.most < static_cast<double>(list.categories.size());
}

std::vector<std::size_t> declared_categorical(const Model& model) {
  std::vector<std::size_t> out(model.categorical.begin(), model.categorical.end());
  if (!out.empty()) return out;
  for (std::size_t j = 0; j < model.columns.size(); ++j)
    if (model.columns[j].kind == ColumnInfo::Kind::kCategories) out.push_back(j);
  return out;
}

// Ways to give the lists columns in ascending order, at most two of them counted, and one of these ways.
struct Choice {
  int ways = 0;
  std::vector<std::size_t> columns;
};

// `must`: candidates which must get a list.
Choice choose(const Model& model, const std::vector<std::size_t>& candidates, const std::vector<bool>& must) {
  const std::size_t lists = model.pandas.size();
  const std::size_t count = candidates.size();
  // ways[l][c]: to place lists l… on candidates c…
  std::vector<std::vector<std::uint8_t>> ways(lists + 1, std::vector<std::uint8_t>(count + 1, 0));
  ways[lists][count] = 1;
  for (std::size_t l = lists + 1; l-- > 0;) {
    for (std::size_t c = count; c-- > 0;) {
      int total = must[c] ? 0 : ways[l][c + 1];
      if (l < lists && fits(model.columns[candidates[c]], model.pandas[l])) total += ways[l + 1][c + 1];
      ways[l][c] = static_cast<std::uint8_t>(std::min(total, 2));
    }
  }
  Choice out{ways[0][0], {}};
  if (out.ways != 1) return out;
  for (std::size_t l = 0, c = 0; l < lists; ++c) {
    if (!fits(model.columns[candidates[c]], model.pandas[l]) || ways[l + 1][c + 1] == 0) continue;
    out.columns.push_back(candidates[c]);
    ++l;
  }
  return out;
}

// The declared ones, if they are as many; else a choice among them when they are more (some were integers),
// or with further integer columns when they are fewer (ordered categories are numbers to LightGBM).
Result<std::vector<std::size_t>> columns_of_lists(const Model& model, std::string_view what) {
  constexpr std::size_t kMostCells = 50'000'000;
  const std::vector<std::size_t> declared = declared_categorical(model);
  const std::size_t lists = model.pandas.size();
  Choice choice;
  if (declared.size() >= lists) {
    if (declared.size() * lists <= kMostCells)
      choice = choose(model, declared, std::vector<bool>(declared.size(), declared.size() == lists));
  } else if (model.columns.size() * lists <= kMostCells) {
    std::vector<std::size_t> all;
    std::vector<bool> must;
    for (std::size_t j = 0; j < model.columns.size(); ++j) {
      const bool is_declared = std::ranges::binary_search(declared, j);
      if (!is_declared && model.columns[j].kind == ColumnInfo::Kind::kUnused) continue;
      all.push_back(j);
      must.push_back(is_declared);
    }
    choice = choose(model, all, must);
  }
  if (choice.ways == 1) return choice.columns;
  return base::fail(base::Code::kUnsupported, "lightgbm.ambiguous_categories",
                    cat(what, ": ", lists,
                        " columns were of pandas' type category, and which ones the file does "
                        "not say: ",
                        choice.ways == 0 ? "no" : "more than one", " choice fits"),
                    "train with the integer codes of these columns, or with an encoder in a Pipeline");
}

ColumnType type_of(const PandasColumn& list) {
  if (list.is_bool) return ColumnType::kBool;
  const auto is_text = [](const tensor::CellValue& value) {
    return std::holds_alternative<std::string>(value);
  };
  if (std::ranges::all_of(list.categories, is_text)) return ColumnType::kText;
  if (std::ranges::none_of(list.categories, is_text)) return ColumnType::kNumber;
  return ColumnType::kAny;
}

}  // namespace

Result<std::vector<CategoryColumn>> category_columns(const Model& model, std::string_view what) {
  std::vector<CategoryColumn> out;
  if (model.pandas.empty()) return out;
  TRY_ASSIGN(const std::vector<std::size_t> columns, columns_of_lists(model, what));
  for (std::size_t l = 0; l < columns.size(); ++l) out.push_back({columns[l], l, type_of(model.pandas[l])});
  return out;
}

Result<ValueId> recode(program::ProgramBuilder& builder, const Model& model,
                       const std::vector<CategoryColumn>& categories, ValueId input) {
  std::vector<std::int64_t> coded, others, order(model.columns.size());
  program::Ordinal ordinal;
  for (const CategoryColumn& entry : categories) {
    order[entry.column] = static_cast<std::int64_t>(coded.size());
    coded.push_back(static_cast<std::int64_t>(entry.column));
    program::OrdinalColumn& column = ordinal.columns.emplace_back();
    column.categories = model.pandas[entry.list].categories;
    for (std::size_t code = 0; code < column.categories.size(); ++code)
      column.codes.push_back(static_cast<double>(code));
    column.unknown_code = kNan;
  }
  std::vector<bool> is_coded(model.columns.size());
  for (const std::int64_t column : coded) is_coded[static_cast<std::size_t>(column)] = true;
  for (std::size_t j = 0; j < model.columns.size(); ++j) {
    if (is_coded[j]) continue;
    order[j] = static_cast<std::int64_t>(coded.size() + others.size());
    others.push_back(static_cast<std::int64_t>(j));
  }
  TRY_ASSIGN(const ValueId cells, builder.add(program::SelectColumns{coded}, {input}));
  TRY_ASSIGN(const ValueId codes, builder.add(std::move(ordinal), {cells}));
  if (others.empty()) return codes;
  TRY_ASSIGN(ValueId numbers, builder.add(program::SelectColumns{others}, {input}));
  if (builder.type(numbers).kind == program::ValueKind::kTable) {
    TRY_ASSIGN(numbers, builder.add(program::ToMatrix{}, {numbers}));
  }
  TRY_ASSIGN(const ValueId all, builder.add(program::Concat{}, {codes, numbers}));
  return builder.add(program::SelectColumns{std::move(order)}, {all});
}

}  // namespace wherry::lightgbm
