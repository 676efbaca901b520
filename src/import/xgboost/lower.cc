#include "import/xgboost/lower.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "import/xgboost/rows.h"
#include "import/xgboost/trees.h"

namespace wherry::xgboost {
namespace {

using base::cat;
using base::Result;
using program::ProgramBuilder;
using program::ValueId;
using tensor::Tensor;

// From the base score to the margin (ProbToMargin), and from margins to predictions (PredTransform).
enum class Link { kIdentity, kLogit, kLog };
enum class Transform { kIdentity, kSigmoid, kExp, kSoftmax, kLargest, kPositive };

struct Objective {
  std::string_view name;
  Link link = Link::kIdentity;
  Transform transform = Transform::kIdentity;
};

// src/objective/*
constexpr std::array kObjectives{
    Objective{"binary:hinge", Link::kIdentity, Transform::kPositive},
    Objective{"binary:logistic", Link::kLogit, Transform::kSigmoid},
    Objective{"binary:logitraw"},
    Objective{"count:poisson", Link::kLog, Transform::kExp},
    Objective{"multi:softmax", Link::kIdentity, Transform::kLargest},
    Objective{"multi:softprob", Link::kIdentity, Transform::kSoftmax},
    Objective{"rank:map"},
    Objective{"rank:ndcg"},
    Objective{"rank:pairwise"},
    Objective{"reg:absoluteerror"},
    Objective{"reg:gamma", Link::kLog, Transform::kExp},
    Objective{"reg:linear"},
    Objective{"reg:logistic", Link::kLogit, Transform::kSigmoid},
    Objective{"reg:pseudohubererror"},
    Objective{"reg:quantileerror"},
    Objective{"reg:squarederror"},
    Objective{"reg:squaredlogerror"},
    Objective{"reg:tweedie", Link::kLog, Transform::kExp},
    Objective{"survival:aft", Link::kLog, Transform::kExp},
    Objective{"survival:cox", Link::kLog, Transform::kExp},
};

Result<Objective> find_objective(const std::string& name) {
  const auto found = std::ranges::find(kObjectives, name, &Objective::name);
  if (found != kObjectives.end()) return *found;
  return base::fail(base::Code::kUnsupported, "xgboost.unsupported_objective",
                    cat("the objective ", base::quoted(name), " is not known"),
                    "train with one of XGBoost's own objectives up to version 3.2");
}

Result<float> margin_of(float score, Link link) {
  if (link == Link::kIdentity) return score;
  const bool fits = link == Link::kLogit ? score > 0 && score < 1 : score > 0;
  if (!fits) return inconsistent(cat("a base score of ", score, " for this objective"));
  return link == Link::kLogit ? -std::log(1.0F / score - 1.0F) : std::log(score);
}

Result<std::vector<float>> base_margins(const Model& model, Link link) {
  std::vector<float> out;
  for (std::int64_t i = 0; i < model.outputs; ++i) {
    const std::size_t which = model.base_score.size() == 1 ? 0 : static_cast<std::size_t>(i);
    TRY_ASSIGN(const float margin, margin_of(model.base_score[which], link));
    out.push_back(margin);
  }
  return out;
}

// The bias comes first, with the base score added: that of the first output for all of them.
Result<ValueId> lower_linear(ProgramBuilder& builder, const Model& model, ValueId matrix,
                             const std::vector<float>& base) {
  const auto outputs = static_cast<std::size_t>(model.outputs);
  const std::size_t bias = model.linear.size() - outputs;
  std::vector<double> start;
  for (std::size_t k = 0; k < outputs; ++k)
    start.push_back(static_cast<double>(model.linear[bias + k] + base[0]));
  std::vector<double> coefficients(model.linear.begin(),
                                   model.linear.begin() + static_cast<std::ptrdiff_t>(bias));
  const program::LinearFloat32 op{
      .coefficients = builder.weight("coefficients",
                                     Tensor::of({model.features, model.outputs}, std::move(coefficients))),
      .start = builder.weight("start", Tensor::of({model.outputs}, std::move(start)))};
  return builder.add(op, {matrix});
}

Result<ValueId> transformed(ProgramBuilder& builder, ValueId margin, Transform transform) {
  using program::Float32Function;
  switch (transform) {
    case Transform::kSigmoid:
      return builder.add(program::ApplyFloat32{Float32Function::kSigmoid}, {margin});
    case Transform::kExp:
      return builder.add(program::ApplyFloat32{Float32Function::kExp}, {margin});
    case Transform::kSoftmax:
      return builder.add(program::SoftmaxFloat32{}, {margin});
    case Transform::kPositive:
      return builder.add(program::Threshold{.threshold = 0, .inclusive = false}, {margin});
    case Transform::kIdentity:
    case Transform::kLargest:
      break;
  }
  return margin;
}

}  // namespace

Result<Scores> lower(ProgramBuilder& builder, const Model& model, ValueId columns, const Options& options) {
  if (program::width(builder.type(columns)) != model.features)
    return inconsistent(cat("a model of ", model.features, " features is given ",
                            program::width(builder.type(columns)), " columns"));
  TRY_ASSIGN(const Objective objective, find_objective(model.objective));
  TRY_ASSIGN(const std::vector<float> base, base_margins(model, objective.link));
  TRY_ASSIGN(const ValueId rows, lower_rows(builder, model, columns, options));
  Scores out;
  if (model.booster == Booster::kLinear) {
    TRY_ASSIGN(out.margin, lower_linear(builder, model, rows, base));
  } else {
    TRY_ASSIGN(out.margin, lower_trees(builder, model, rows, base, options));
  }
  TRY_ASSIGN(out.values, transformed(builder, out.margin, objective.transform));
  out.is_class_number = objective.transform == Transform::kLargest;
  return out;
}

Result<ValueId> shaped(ProgramBuilder& builder, ValueId matrix) {
  if (program::width(builder.type(matrix)) != 1) return matrix;
  return builder.add(program::Flatten{}, {matrix});
}

Result<ValueId> prediction(ProgramBuilder& builder, const Model& model, const Scores& scores) {
  if (!scores.is_class_number) return shaped(builder, scores.values);
  std::vector<double> numbers;
  for (std::int64_t i = 0; i < model.outputs; ++i) numbers.push_back(static_cast<double>(i));
  TRY_ASSIGN(const ValueId index, builder.add(program::Argmax{}, {scores.values}));
  const program::TakeLabels take{
      builder.weight("class_numbers", Tensor::of({model.outputs}, std::move(numbers)))};
  return builder.add(take, {index});
}

program::ColumnType column_type(const Model& model, std::size_t feature) {
  using program::ColumnType;
  if (model.has_categories() && !model.categories[feature].empty()) {
    const auto is_text = [](const auto& category) { return std::holds_alternative<std::string>(category); };
    return std::ranges::all_of(model.categories[feature], is_text) ? ColumnType::kText : ColumnType::kInteger;
  }
  const std::string type = model.feature_types.empty() ? "" : model.feature_types[feature];
  if (type == "i") return ColumnType::kBool;
  return type == "int" || type == "c" ? ColumnType::kInteger : ColumnType::kNumber;
}

std::string describe(const Model& model) {
  constexpr std::string_view kBoosters[] = {"gbtree", "dart", "gblinear"};
  const auto counted = [](std::uint64_t count, std::string_view noun) {
    return cat(count, " ", noun, count == 1 ? "" : "s");
  };
  std::vector<std::string> parts{std::string(kBoosters[static_cast<std::size_t>(model.booster)]),
                                 model.objective,
                                 counted(static_cast<std::uint64_t>(model.features), "column")};
  if (model.outputs > 1) parts.push_back(counted(static_cast<std::uint64_t>(model.outputs), "output"));
  if (model.booster != Booster::kLinear) {
    std::uint64_t nodes = 0;
    for (const Tree& tree : model.trees) nodes += tree.nodes.size();
    parts.push_back(counted(model.trees.size(), "tree"));
    parts.push_back(counted(nodes, "node"));
  }
  return base::join(parts, ", ");
}

}  // namespace wherry::xgboost
