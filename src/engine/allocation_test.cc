#include <cmath>
#include <gtest/gtest.h>

#include "base/counted_allocations.h"
#include "engine/testing.h"

namespace wherry::engine {
namespace {

using base::allocations;

using namespace testing;

TEST(Workspace, AllocatesNothingOnceWarm) {
  Model model({"age", "colour"});
  const ValueId age = model.add(program::SelectColumns{{0}}, {Model::kInput});
  const ValueId colour = model.add(program::SelectColumns{{1}}, {Model::kInput});
  const ValueId filled =
      model.add(program::ImputeCells{NAN, {0}, {std::string("a long category, beyond SSO")}}, {colour});
  const program::OrdinalColumn codes{.categories = {std::string("red")}, .codes = {1}, .unknown_code = -1};
  const ValueId features = model.add(program::Concat{}, {model.add(program::ToMatrix{}, {age}),
                                                         model.add(program::Ordinal{{codes}}, {filled})});
  const auto int32 = [&](std::vector<std::int32_t> v) {
    const auto count = static_cast<std::int64_t>(v.size());
    return model.weight(tensor::Tensor::of({count}, std::move(v)));
  };
  program::TreeEnsemble trees{.input = program::TreeInput::kFloat32};
  trees.roots = int32({0}), trees.target = int32({0}), trees.feature = int32({1, -1, -1}),
  trees.left = int32({1, 0, 1});
  trees.right = int32({2, 0, 0}), trees.threshold = model.numbers({0.5, 0, 0}),
  trees.base = model.numbers({0});
  trees.default_left = model.weight(tensor::Tensor::of({3}, std::vector<std::uint8_t>{0, 0, 0}));
  trees.values = model.weight(tensor::Tensor::of({2, 1}, std::vector<double>{-1, 1}));
  const ValueId score = model.add(trees, {features});
  const ValueId label =
      model.add(program::TakeLabels{model.weight(tensor::Tensor::of_strings({2}, {"no", "yes"}))},
                {model.add(program::Above{0}, {score})});
  const auto plan = model.output("label", {label}).output("filled", {filled}).compile();
  ASSERT_TRUE(plan);
  const Rows rows{{1.0, std::string("red")}, {2.0, kNone}, {3.0, std::string("blue")}};
  const tensor::Table table = table_of(rows, 2);
  Workspace workspace;
  const auto run_all = [&] {
    return plan->run(table, only(0), workspace) && plan->run(table, plan->all_outputs(), workspace);
  };
  ASSERT_TRUE(run_all());
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(run_all());
  EXPECT_EQ(allocations - before, 0U);
  EXPECT_EQ(workspace.result(0, 0).strings[0], "yes");
}

}  // namespace
}  // namespace wherry::engine
