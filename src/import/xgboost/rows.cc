#include "import/xgboost/rows.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/text.h"
#include "import/xgboost/trees.h"

namespace wherry::xgboost {
namespace {

using base::Result;
using program::ProgramBuilder;
using program::ValueId;
using tensor::Tensor;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

bool is_table(const ProgramBuilder& builder, ValueId value) {
  return builder.type(value).kind == program::ValueKind::kTable;
}

// The codes of a category column. An unknown category is refused, as XGBoost means to (cat_container.h); 3.1
// and 3.2 do so only past the last name in order, and take the next name for any other.
program::OrdinalColumn encoder(const std::vector<tensor::CellValue>& categories) {
  program::OrdinalColumn out;
  out.categories = categories;
  out.codes.resize(categories.size());
  std::iota(out.codes.begin(), out.codes.end(), 0.0);
  out.categories.emplace_back(kNan);
  out.codes.push_back(kNan);
  out.refuse_unknown = true;
  return out;
}

// Categories looked up, the other columns as numbers, in the order of the features.
Result<ValueId> encoded(ProgramBuilder& builder, const Model& model, ValueId table) {
  program::Ordinal ordinal;
  std::vector<std::int64_t> texts, numbers;
  std::vector<std::int64_t> order(model.categories.size());
  for (std::size_t i = 0; i < model.categories.size(); ++i) {
    const bool is_category = !model.categories[i].empty();
    (is_category ? texts : numbers).push_back(static_cast<std::int64_t>(i));
    if (is_category) ordinal.columns.push_back(encoder(model.categories[i]));
  }
  for (std::size_t j = 0; j < numbers.size(); ++j)
    order[static_cast<std::size_t>(numbers[j])] = static_cast<std::int64_t>(j);
  for (std::size_t j = 0; j < texts.size(); ++j)
    order[static_cast<std::size_t>(texts[j])] = static_cast<std::int64_t>(numbers.size() + j);
  TRY_ASSIGN(const ValueId words, builder.add(program::SelectColumns{texts}, {table}));
  TRY_ASSIGN(const ValueId codes, builder.add(std::move(ordinal), {words}));
  if (numbers.empty()) return codes;
  TRY_ASSIGN(const ValueId cells, builder.add(program::SelectColumns{numbers}, {table}));
  TRY_ASSIGN(const ValueId matrix, builder.add(program::ToMatrix{}, {cells}));
  TRY_ASSIGN(const ValueId both, builder.add(program::Concat{}, {matrix, codes}));
  return builder.add(program::SelectColumns{std::move(order)}, {both});
}

// Numbers equal to `missing` become NaN.
Result<ValueId> with_missing(ProgramBuilder& builder, ValueId matrix, double missing) {
  const auto width = program::width(builder.type(matrix));
  program::Impute op{.missing = missing};
  for (std::int64_t i = 0; i < width; ++i) op.kept.push_back(i);
  op.statistics = builder.weight(
      "missing", Tensor::of({width}, std::vector<double>(static_cast<std::size_t>(width), kNan)));
  return builder.add(std::move(op), {matrix});
}

// Up to 1.6 a category outside of the known ones goes the way of a missing one (common::Decision with
// validate). The sets of known ones end with the largest of them, see trees.cc; beyond them, and below zero,
// is NaN here.
Result<ValueId> within_categories(ProgramBuilder& builder, const Model& model, ValueId matrix) {
  const std::vector<bool> is_category = category_features(model);
  std::vector<std::int64_t> inside, others, order(is_category.size());
  for (std::size_t i = 0; i < is_category.size(); ++i)
    (is_category[i] ? inside : others).push_back(static_cast<std::int64_t>(i));
  if (inside.empty()) return matrix;
  for (std::size_t j = 0; j < others.size(); ++j)
    order[static_cast<std::size_t>(others[j])] = static_cast<std::int64_t>(j);
  for (std::size_t j = 0; j < inside.size(); ++j)
    order[static_cast<std::size_t>(inside[j])] = static_cast<std::int64_t>(others.size() + j);
  const double last = std::nextafter(static_cast<float>(32 * category_words(model)), 0.0F);
  const program::Interpolate limits{
      .x = builder.weight("category_limits", Tensor::of({2}, std::vector<double>{0, last})),
      .y = builder.weight("category_limits", Tensor::of({2}, std::vector<double>{0, last})),
      .outside = program::Outside::kNan};
  TRY_ASSIGN(const ValueId selected, builder.add(program::SelectColumns{inside}, {matrix}));
  TRY_ASSIGN(const ValueId rounded,
             builder.add(program::Apply{program::Function::kRoundFloat32}, {selected}));
  TRY_ASSIGN(const ValueId bounded, builder.add(limits, {rounded}));
  if (others.empty()) return bounded;
  TRY_ASSIGN(const ValueId rest, builder.add(program::SelectColumns{others}, {matrix}));
  TRY_ASSIGN(const ValueId both, builder.add(program::Concat{}, {rest, bounded}));
  return builder.add(program::SelectColumns{std::move(order)}, {both});
}

}  // namespace

Result<ValueId> lower_rows(ProgramBuilder& builder, const Model& model, ValueId columns,
                           const Options& options) {
  const bool encodes = model.has_categories() && is_table(builder, columns);
  if (encodes && !std::isnan(options.missing))
    return unsupported(base::cat("missing=", options.missing, " together with category columns"),
                       "train with missing=nan, and make missing values null");
  ValueId value = columns;
  if (encodes) {
    TRY_ASSIGN(value, encoded(builder, model, columns));
  } else if (is_table(builder, columns)) {
    TRY_ASSIGN(value, builder.add(program::ToMatrix{}, {columns}));
  }
  if (options.zeros_missing) {
    TRY_ASSIGN(value, with_missing(builder, value, 0));
  }
  const auto missing = static_cast<double>(static_cast<float>(options.missing));
  if (!std::isnan(missing)) {
    TRY_ASSIGN(value, builder.add(program::Apply{program::Function::kRoundFloat32}, {value}));
    TRY_ASSIGN(value, with_missing(builder, value, missing));
  }
  if (!options.in_place && !std::isinf(missing)) {
    const program::CheckFinite check{.allow_nan = true, .as_float32 = true, .estimator = "XGBoost"};
    TRY_ASSIGN(value, builder.add(check, {value}));
  }
  if (!model.version.at_least(1, 7)) return within_categories(builder, model, value);
  return value;
}

}  // namespace wherry::xgboost
