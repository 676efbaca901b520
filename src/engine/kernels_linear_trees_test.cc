#include <cmath>
#include <limits>

#include "engine/testing.h"

namespace wherry::engine {
namespace {

using program::ValueId;
using tensor::Tensor;
using testing::Answer;
using testing::Model;
using testing::Rows;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Two trees. The first splits on x0 <= 1 (zero is missing and goes right) and has 10 + 2 * x1 on the left and
// the constant 5 on the right; the second splits on x0 in {0, 33} and has 100 or -1 * x0 + 3 * x1.
ValueId add_trees(Model& model, program::LinearTrees& op) {
  op.outputs = 2;
  op.has_categories = true;
  op.roots = model.weight(Tensor::of({2}, std::vector<std::int32_t>{0, 3}));
  op.target = model.weight(Tensor::of({2}, std::vector<std::int32_t>{0, 1}));
  op.feature = model.weight(Tensor::of({6}, std::vector<std::int32_t>{0, -1, -1, 0, -1, -1}));
  op.threshold = model.numbers({1, 0, 0, 0, 0, 0});
  op.left = model.weight(Tensor::of({6}, std::vector<std::int32_t>{1, 0, 1, 4, 2, 3}));
  op.right = model.weight(Tensor::of({6}, std::vector<std::int32_t>{2, 0, 0, 5, 0, 0}));
  op.default_left = model.weight(Tensor::of({6}, std::vector<std::uint8_t>{2, 0, 0, 0, 0, 0}));
  op.values = model.numbers({-7, 5, 100, -8});
  op.constants = model.numbers({10, 5, 100, 0});
  op.first = model.weight(Tensor::of({5}, std::vector<std::int32_t>{0, 1, 1, 1, 3}));
  op.term_features = model.weight(Tensor::of({3}, std::vector<std::int32_t>{1, 0, 1}));
  op.coefficients = model.numbers({2, -1, 3});
  op.category = model.weight(Tensor::of({6}, std::vector<std::int32_t>{-1, -1, -1, 0, -1, -1}));
  op.cat_left = model.weight(Tensor::of({1, 2}, std::vector<std::uint32_t>{1, 2}));
  return model.add(op, {model.matrix()});
}

std::vector<double> run(Rows rows) {
  Model model(2);
  program::LinearTrees op;
  const ValueId value = add_trees(model, op);
  return Answer(model, value, std::move(rows)).numbers();
}

TEST(LinearTrees, AddsTheLinearModelOfTheLeaf) {
  EXPECT_EQ(run({{0.5, 3.0}}), (std::vector<double>{16, 100}));
  EXPECT_EQ(run({{2.0, 3.0}}), (std::vector<double>{5, 7}));
}

TEST(LinearTrees, AnswersTheConstantWhereAFeatureIsMissing) {
  const auto out = run({{0.5, kNan}, {2.0, kNan}});
  EXPECT_EQ(out, (std::vector<double>{-7, 100, 5, -8}));
}

TEST(LinearTrees, SendsZeroTheWayOfTheMissing) {
  EXPECT_EQ(run({{1e-40, 3.0}, {0.0, 3.0}}), (std::vector<double>{5, 100, 5, 100}));
}

TEST(LinearTrees, LooksUpCategoriesCutToIntegers) {
  const auto out = run({{33.9, 0.0}, {34.0, 0.0}, {-0.5, 0.0}, {1e300, 0.0}, {kNan, 0.0}});
  EXPECT_EQ(out, (std::vector<double>{5, 100, 5, -34, 10, 100, 5, -1e300, 5, -8}));
}

TEST(LinearTrees, WithTermsBeyondTheMatrixIsNoProgram) {
  program::ProgramBuilder builder({.columns = {{.name = "x"}}});
  const auto ints = [&](std::vector<std::int32_t> values) {
    const auto count = static_cast<std::int64_t>(values.size());
    return builder.weight("w", Tensor::of({count}, std::move(values)));
  };
  const auto number = [&] { return builder.weight("w", Tensor::of({1}, std::vector<double>{0})); };
  const auto x = builder.add(program::ToMatrix{}, {program::ProgramBuilder::kInput});
  program::LinearTrees op;
  op.roots = op.target = op.left = op.right = ints({0});
  op.feature = ints({-1});
  op.threshold = op.values = op.constants = op.coefficients = number();
  op.default_left = builder.weight("w", Tensor::of({1}, std::vector<std::uint8_t>{0}));
  op.first = ints({0, 1});
  op.term_features = ints({1});
  const auto added = builder.add(op, {*x});
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().message, "linear_trees: linear_trees: feature 1 of 1");
}

}  // namespace
}  // namespace wherry::engine
