#include "import/lightgbm/lower.h"

#include <algorithm>

#include "import/lightgbm/check.h"
#include "import/lightgbm/forest.h"
#include "import/lightgbm/objective.h"

namespace wherry::lightgbm {

using program::ColumnType;
using program::ProgramBuilder;
using program::ValueId;

namespace {

program::Signature signature_of(const Model& model) {
  program::Signature out;
  out.has_names = model.has_names();
  for (std::size_t j = 0; j < model.feature_names.size(); ++j)
    out.columns.push_back({.name = out.has_names ? model.feature_names[j] : cat("x", j)});
  return out;
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return cat(count, " ", noun, count == 1 ? "" : "s");
}

Result<ValueId> matrix_of(ProgramBuilder& builder, const Model& model, std::string_view what) {
  TRY_ASSIGN(const auto categories, category_columns(model, what));
  for (std::size_t j = 0; j < model.columns.size(); ++j) builder.refine(j, ColumnType::kNumber, true);
  for (const CategoryColumn& entry : categories) builder.refine(entry.column, entry.type, true);
  if (categories.empty()) return builder.add(program::ToMatrix{}, {ProgramBuilder::kInput});
  return recode(builder, model, categories, ProgramBuilder::kInput);
}

// A vector where there is one number per row, as LightGBM answers.
Status add_output(ProgramBuilder& builder, std::string name, ValueId value) {
  if (program::width(builder.type(value)) == 1) {
    TRY_ASSIGN(value, builder.add(program::Flatten{}, {value}));
  }
  return builder.output({std::move(name), {value}, {}});
}

}  // namespace

Result<Predictions> lower(ProgramBuilder& builder, const Model& model, ValueId matrix,
                          std::int64_t iterations) {
  std::size_t used = model.iterations();
  if (iterations > 0) used = std::min(used, static_cast<std::size_t>(iterations));
  const auto outputs = static_cast<std::size_t>(model.outputs);
  const auto row = [&](std::string name, std::size_t size, double value) {
    return builder.weight(std::move(name), tensor::Tensor::of({static_cast<std::int64_t>(size)},
                                                              std::vector<double>(size, value)));
  };
  Predictions out;
  if (used == 0) {
    TRY_ASSIGN(out.raw, builder.add(program::Constant{row("zero", outputs, 0)}, {matrix}));
  } else {
    TRY_ASSIGN(out.raw, add_forest(builder, model, matrix, used * outputs));
  }
  ValueId score = out.raw;
  if (model.average_output) {
    const auto divisor = row("iterations", 1, static_cast<double>(used));
    TRY_ASSIGN(score, builder.add(program::Columnwise{program::Arithmetic::kDivide, divisor}, {score}));
  }
  TRY_ASSIGN(out.transformed, add_objective(builder, model, score));
  return out;
}

program::Provenance describe(const Model& model) {
  program::Provenance out;
  out.framework = "LightGBM";
  std::uint64_t nodes = 0;
  for (const Tree& tree : model.trees) nodes += tree.nodes() + tree.leaves();
  std::vector<std::string> parts{counted(model.feature_names.size(), "column"),
                                 counted(model.trees.size(), "tree"), counted(nodes, "node")};
  if (model.outputs > 1) parts.push_back(cat(model.outputs, " classes"));
  parts.push_back(cat("objective ", model.objective.empty() ? "none" : model.objective));
  parts.push_back(cat("model format ", model.version));
  out.estimators.push_back({0, "", "Booster", base::join(parts, ", ")});
  return out;
}

Result<Lowered> lower(const Model& model, std::string_view what) {
  ProgramBuilder builder(signature_of(model));
  TRY_ASSIGN(const ValueId matrix, matrix_of(builder, model, what));
  TRY_ASSIGN(const Predictions predictions, lower(builder, model, matrix, 0));
  TRY(add_output(builder, "predict", predictions.transformed));
  TRY(add_output(builder, "margin", predictions.raw));
  TRY_ASSIGN(program::Program program, std::move(builder).build());
  return Lowered{std::move(program), describe(model)};
}

}  // namespace wherry::lightgbm
