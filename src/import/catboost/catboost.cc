#include "import/catboost/catboost.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "import/catboost/meaning.h"
#include "import/catboost/model.h"
#include "import/catboost/read.h"
#include "import/catboost/splits.h"

namespace wherry::catboost {

using base::cat;
using base::Result;
using base::Status;
using program::ProgramBuilder;
using program::ValueId;
using tensor::Tensor;

struct Booster::State {
  Model model;
  Splits splits;
  Meaning meaning;
};

namespace {

template <class T>
program::WeightId vector(ProgramBuilder& builder, std::string_view name, std::vector<T> values) {
  const auto size = static_cast<std::int64_t>(values.size());
  return builder.weight(std::string(name), Tensor::of({size}, std::move(values)));
}

Status check_symmetric(const Model& model, std::size_t splits) {
  std::uint64_t own_splits = 0;
  std::uint64_t leaves = 0;
  for (const std::int32_t depth : model.depths) {
    if (depth < 0 || depth > 16) return inconsistent(cat("a symmetric tree ", depth, " deep"));
    own_splits += static_cast<std::uint64_t>(depth);
    leaves += std::uint64_t{1} << depth;
  }
  if (own_splits != model.splits.size() ||
      leaves * static_cast<std::uint64_t>(model.dimension) != model.leaf_values.size())
    return inconsistent(cat(model.splits.size(), " splits and ", model.leaf_values.size(),
                            " leaf values for ", model.depths.size(), " trees"));
  for (const std::int32_t split : model.splits)
    if (split < 0 || static_cast<std::size_t>(split) >= splits)
      return inconsistent(cat("split ", split, " of ", splits));
  return {};
}

Status check_nodes(const Model& model, std::size_t splits) {
  const auto dimension = static_cast<std::uint64_t>(model.dimension);
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const TreeNode& node = model.nodes[i];
    if (node.split < 0) {
      if (node.value > model.leaf_values.size() || model.leaf_values.size() - node.value < dimension)
        return inconsistent("a leaf without a value");
    } else if (static_cast<std::size_t>(node.split) >= splits || node.left <= i || node.right <= i ||
               node.left >= model.nodes.size() || node.right >= model.nodes.size()) {
      return inconsistent(cat("node ", i, " of its trees"));
    }
  }
  return {};
}

Status check(Model& model, const Splits& splits) {
  if (model.dimension < 1 || model.dimension > 1'000'000)
    return inconsistent(cat("raw values of dimension ", model.dimension));
  if (model.bias.size() == 1) model.bias.resize(static_cast<std::size_t>(model.dimension), model.bias[0]);
  if (!model.bias.empty() && static_cast<std::int64_t>(model.bias.size()) != model.dimension)
    return inconsistent(cat(model.bias.size(), " biases for dimension ", model.dimension));
  if (!std::isfinite(model.scale) ||
      !std::ranges::all_of(model.bias, [](double b) { return std::isfinite(b); }))
    return inconsistent("its scale or bias is not finite");
  return model.symmetric ? check_symmetric(model, splits.comparisons.size())
                         : check_nodes(model, splits.comparisons.size());
}

// A model without a split gives every row the same.
Result<ValueId> add_constant(const Model& model, ProgramBuilder& builder, ValueId rows) {
  const auto dimension = static_cast<std::size_t>(model.dimension);
  std::vector<double> row(dimension, 0.0);
  const auto add = [&](std::uint64_t first) {
    for (std::size_t c = 0; c < dimension; ++c) row[c] += model.leaf_values[first + c];
  };
  for (std::size_t t = 0; t < model.depths.size(); ++t) add(t * dimension);
  for (const std::uint32_t root : model.roots) add(model.nodes[root].value);
  return builder.add(program::Constant{vector(builder, "leaf", std::move(row))}, {rows});
}

Result<ValueId> add_symmetric(const Model& model, const Splits& splits, ProgramBuilder& builder,
                              ValueId features) {
  std::vector<std::uint8_t> depth;
  for (const std::int32_t d : model.depths) depth.push_back(static_cast<std::uint8_t>(d));
  std::vector<std::int32_t> feature;
  std::vector<float> border;
  for (const std::int32_t split : model.splits) {
    const Comparison& comparison = splits.comparisons[static_cast<std::size_t>(split)];
    feature.push_back(comparison.column);
    border.push_back(comparison.border);
  }
  const std::int64_t dimension = model.dimension;
  const auto leaves = static_cast<std::int64_t>(model.leaf_values.size()) / dimension;
  program::ObliviousTrees op;
  op.depth = vector(builder, "depth", std::move(depth));
  op.feature = vector(builder, "feature", std::move(feature));
  op.border = vector(builder, "border", std::move(border));
  op.values = builder.weight("leaf_values", Tensor::of({leaves, dimension}, model.leaf_values));
  op.nan_high = vector(builder, "nan_high", splits.nan_high);
  return builder.add(op, {features});
}

Result<ValueId> add_nodes(const Model& model, const Splits& splits, ProgramBuilder& builder,
                          ValueId features) {
  const auto dimension = static_cast<std::size_t>(model.dimension);
  std::vector<std::int32_t> feature, left, right, roots;
  std::vector<double> threshold, values;
  std::vector<std::uint8_t> nan_left;
  for (const TreeNode& node : model.nodes) {
    const bool leaf = node.split < 0;
    const Comparison comparison =
        leaf ? Comparison{-1, 0} : splits.comparisons[static_cast<std::size_t>(node.split)];
    feature.push_back(comparison.column);
    threshold.push_back(comparison.border);
    nan_left.push_back(leaf || splits.nan_high[static_cast<std::size_t>(comparison.column)] == 0 ? 1 : 0);
    left.push_back(leaf ? static_cast<std::int32_t>(values.size() / dimension)
                        : static_cast<std::int32_t>(node.left));
    right.push_back(leaf ? 0 : static_cast<std::int32_t>(node.right));
    if (leaf)
      values.insert(values.end(), model.leaf_values.begin() + static_cast<std::ptrdiff_t>(node.value),
                    model.leaf_values.begin() + static_cast<std::ptrdiff_t>(node.value + dimension));
  }
  for (const std::uint32_t root : model.roots) roots.push_back(static_cast<std::int32_t>(root));
  program::TreeEnsemble op;
  op.input = program::TreeInput::kFloat32;
  op.outputs = model.dimension;
  op.target = vector(builder, "target", std::vector<std::int32_t>(roots.size(), 0));
  op.roots = vector(builder, "roots", std::move(roots));
  op.feature = vector(builder, "feature", std::move(feature));
  op.threshold = vector(builder, "threshold", std::move(threshold));
  op.left = vector(builder, "left", std::move(left));
  op.right = vector(builder, "right", std::move(right));
  op.default_left = vector(builder, "nan_left", std::move(nan_left));
  const auto leaves = static_cast<std::int64_t>(values.size() / dimension);
  op.values = builder.weight("leaf_values", Tensor::of({leaves, model.dimension}, std::move(values)));
  op.base = vector(builder, "base", std::vector<double>(dimension, 0.0));
  return builder.add(op, {features});
}

// Scale * sum + bias (scale_and_bias.cpp); without trees it is the bias alone.
Result<ValueId> scale(const Model& model, ProgramBuilder& builder, ValueId sums) {
  const bool no_trees = model.depths.empty() && model.roots.empty();
  if (model.scale != 1 && !no_trees) {
    TRY_ASSIGN(sums, builder.add(program::Columnwise{program::Arithmetic::kMultiply,
                                                     vector(builder, "scale", std::vector{model.scale})},
                                 {sums}));
  }
  if (std::ranges::all_of(model.bias, [](double bias) { return bias == 0; })) return sums;
  return builder.add(program::Columnwise{program::Arithmetic::kAdd, vector(builder, "bias", model.bias)},
                     {sums});
}

// Raw values by class: those of classes which training did not see are -infinity.
Result<ValueId> by_class(const Meaning& meaning, ProgramBuilder& builder, ValueId raw) {
  if (meaning.sources.empty()) return raw;
  const std::int64_t own = program::width(builder.type(raw));
  TRY_ASSIGN(const ValueId none,
             builder.add(program::Constant{vector(builder, "unseen", std::vector{-HUGE_VAL})}, {raw}));
  TRY_ASSIGN(const ValueId both, builder.add(program::Concat{}, {raw, none}));
  std::vector<std::int64_t> columns;
  for (const std::int64_t source : meaning.sources) columns.push_back(source < 0 ? own : source);
  return builder.add(program::SelectColumns{std::move(columns)}, {both});
}

}  // namespace

Result<Booster> Booster::read(base::Bytes content) {
  const std::string_view text = base::as_text(content);
  State state;
  TRY_ASSIGN(state.model, text.starts_with('{') ? read_json(text) : read_cbm(content));
  const auto shared = std::make_shared<State>(std::move(state));
  TRY_ASSIGN(shared->splits, splits_of(shared->model));
  TRY(check(shared->model, shared->splits));
  TRY_ASSIGN(shared->meaning, meaning_of(shared->model));
  return Booster(shared);
}

std::int64_t Booster::columns() const {
  std::int64_t most = -1;
  for (const FloatFeature& feature : state_->model.floats) most = std::max<std::int64_t>(most, feature.flat);
  for (const auto* others : {&state_->model.categories, &state_->model.texts, &state_->model.embeddings})
    for (const OtherFeature& feature : *others) most = std::max<std::int64_t>(most, feature.flat);
  return most + 1;
}

std::vector<std::string> Booster::column_names() const {
  std::vector<std::string> out(static_cast<std::size_t>(columns()));
  bool named = false;
  const auto set_name = [&](std::int32_t flat, const std::string& name) {
    named |= !name.empty() && name != cat(flat);
    out[static_cast<std::size_t>(flat)] = name;
  };
  for (const FloatFeature& feature : state_->model.floats) set_name(feature.flat, feature.name);
  for (const auto* others : {&state_->model.categories, &state_->model.texts, &state_->model.embeddings})
    for (const OtherFeature& feature : *others) set_name(feature.flat, feature.name);
  if (!named || std::ranges::any_of(out, &std::string::empty)) return {};
  return out;
}

std::vector<std::int64_t> Booster::number_columns() const {
  return state_->splits.number_columns;
}
std::vector<std::int64_t> Booster::category_columns() const {
  return state_->splits.category_columns;
}
std::string Booster::version() const {
  return state_->meaning.version;
}
std::string Booster::loss() const {
  return state_->meaning.loss;
}
const std::optional<Booster::Classes>& Booster::classes() const {
  return state_->meaning.classes;
}

std::string Booster::describe() const {
  const Model& model = state_->model;
  const auto counted = [](std::size_t count, std::string_view noun) {
    return cat(count, " ", noun, count == 1 ? "" : "s");
  };
  std::vector<std::string> parts{counted(static_cast<std::size_t>(columns()), "column"),
                                 counted(model.symmetric ? model.depths.size() : model.roots.size(), "tree")};
  if (!model.symmetric) parts.push_back(counted(model.nodes.size(), "node"));
  if (!model.categories.empty()) parts.push_back(counted(model.categories.size(), "categorical feature"));
  if (!model.ctrs.empty()) parts.push_back(counted(model.ctrs.size(), "target statistic"));
  if (!loss().empty()) parts.push_back(loss());
  return base::join(parts, ", ");
}

Result<ValueId> Booster::raw(ProgramBuilder& builder, ValueId rows) const {
  const Model& model = state_->model;
  if (program::width(builder.type(rows)) < columns())
    return inconsistent(
        cat("trained on ", columns(), " columns, given ", program::width(builder.type(rows))));
  ValueId sums = 0;
  if (state_->splits.comparisons.empty()) {
    TRY_ASSIGN(sums, add_constant(model, builder, rows));
  } else {
    TRY_ASSIGN(const ValueId features, add_features(model, state_->splits, builder, rows));
    TRY_ASSIGN(sums, model.symmetric ? add_symmetric(model, state_->splits, builder, features)
                                     : add_nodes(model, state_->splits, builder, features));
  }
  TRY_ASSIGN(const ValueId scaled, scale(model, builder, sums));
  return by_class(state_->meaning, builder, scaled);
}

Result<ValueId> Booster::probabilities(ProgramBuilder& builder, ValueId raw) const {
  const Meaning& meaning = state_->meaning;
  if (program::width(builder.type(raw)) > 1 && !meaning.multi_label && meaning.loss != "MultiClassOneVsAll")
    return builder.add(program::CatboostSoftmax{}, {raw});
  TRY_ASSIGN(const ValueId each, builder.add(program::Apply{program::Function::kExpit}, {raw}));
  if (program::width(builder.type(raw)) > 1 || meaning.multi_label) return each;
  return builder.add(program::Complement{}, {each});
}

Result<ValueId> Booster::labels(ProgramBuilder& builder, ValueId raw) const {
  const Meaning& meaning = state_->meaning;
  const std::int64_t width = program::width(builder.type(raw));
  if (meaning.multi_label) {
    const program::WeightId zero_one = vector(builder, "labels", std::vector<std::int64_t>{0, 1});
    std::vector<ValueId> taken;
    for (std::int64_t c = 0; c < width; ++c) {
      TRY_ASSIGN(const ValueId own, builder.add(program::SelectColumns{{c}}, {raw}));
      TRY_ASSIGN(const ValueId index, builder.add(program::Above{.threshold = 0}, {own}));
      TRY_ASSIGN(const ValueId label, builder.add(program::TakeLabels{zero_one}, {index}));
      taken.push_back(label);
    }
    return builder.add(program::StackLabels{}, std::move(taken));
  }
  const program::WeightId classes = builder.weight("classes", meaning.classes->values);
  if (width == 1) {
    TRY_ASSIGN(const ValueId index, builder.add(program::Above{.threshold = meaning.threshold}, {raw}));
    return builder.add(program::TakeLabels{classes}, {index});
  }
  TRY_ASSIGN(const ValueId index, builder.add(program::Argmax{}, {raw}));
  TRY_ASSIGN(const ValueId label, builder.add(program::TakeLabels{classes}, {index}));
  return builder.add(program::StackLabels{}, {label});
}

Result<ValueId> Booster::exponent(ProgramBuilder& builder, ValueId raw) const {
  return builder.add(program::CatboostExp{.scale = 1}, {raw});
}

Result<ValueId> Booster::uncertainty(ProgramBuilder& builder, ValueId raw) const {
  if (program::width(builder.type(raw)) != 2)
    return inconsistent("RMSEWithUncertainty without two raw values");
  TRY_ASSIGN(const ValueId mean, builder.add(program::SelectColumns{{0}}, {raw}));
  TRY_ASSIGN(const ValueId deviation, builder.add(program::SelectColumns{{1}}, {raw}));
  TRY_ASSIGN(const ValueId variance, builder.add(program::CatboostExp{.scale = 2}, {deviation}));
  return builder.add(program::Concat{}, {mean, variance});
}

namespace {

program::Signature signature_of(const Booster& booster) {
  program::Signature out;
  const std::vector<std::string> names = booster.column_names();
  out.has_names = !names.empty();
  for (std::int64_t j = 0; j < booster.columns(); ++j)
    out.columns.push_back({.name = out.has_names ? names[static_cast<std::size_t>(j)] : cat("x", j),
                           .type = program::ColumnType::kAny,
                           .required = false});
  for (const std::int64_t j : booster.number_columns())
    out.columns[static_cast<std::size_t>(j)] = {out.columns[static_cast<std::size_t>(j)].name,
                                                program::ColumnType::kNumber, true};
  for (const std::int64_t j : booster.category_columns())
    out.columns[static_cast<std::size_t>(j)].required = true;
  return out;
}

// [n] of a matrix of one column.
Result<ValueId> as_vector(ProgramBuilder& builder, ValueId matrix) {
  if (program::width(builder.type(matrix)) != 1) return matrix;
  return builder.add(program::Flatten{}, {matrix});
}

}  // namespace

Result<Lowered> lower(const Booster& booster) {
  ProgramBuilder builder(signature_of(booster));
  TRY_ASSIGN(const ValueId raw, booster.raw(builder, ProgramBuilder::kInput));
  TRY_ASSIGN(const ValueId predict, as_vector(builder, raw));
  std::vector<std::string> names;
  if (booster.classes() && program::width(builder.type(raw)) > 1) names = booster.classes()->names;
  TRY(builder.output({"predict", {predict}, names}));
  if (booster.classes()) {
    TRY_ASSIGN(const ValueId proba, booster.probabilities(builder, raw));
    TRY(builder.output({"predict_proba", {proba}, booster.classes()->names}));
    TRY_ASSIGN(const ValueId label, booster.labels(builder, raw));
    TRY(builder.output({"predict_class", {label}, {}}));
  }
  if (booster.loss() == "Poisson" || booster.loss() == "Tweedie") {
    TRY_ASSIGN(const ValueId powers, booster.exponent(builder, raw));
    TRY_ASSIGN(const ValueId exponent, as_vector(builder, powers));
    TRY(builder.output({"predict_exponent", {exponent}, {}}));
  }
  TRY_ASSIGN(program::Program program, std::move(builder).build());
  program::Provenance provenance;
  provenance.framework = "CatBoost";
  provenance.framework_version = booster.version();
  provenance.estimators.push_back({0, "", "CatBoost", booster.describe()});
  return Lowered{std::move(program), std::move(provenance)};
}

}  // namespace wherry::catboost
