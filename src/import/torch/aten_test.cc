#include "import/torch/aten.h"

#include <gtest/gtest.h>

#include "graph/verbs.h"

namespace wherry::torch {
namespace {

using List = Argument::List;
using tensor::DType;

// Constants are folded, so that results can be looked at without running anything.
struct Fixture {
  graph::Builder b;
  Aten aten{b};

  Argument floats(tensor::Shape shape, std::vector<float> numbers) {
    return Argument(aten.tensor(b.constant(tensor::Tensor::of<float>(std::move(shape), std::move(numbers)))));
  }
  Argument ints(tensor::Shape shape, std::vector<std::int64_t> numbers) {
    return Argument(
        aten.tensor(b.constant(tensor::Tensor::of<std::int64_t>(std::move(shape), std::move(numbers)))));
  }
  Argument call(std::string_view name, std::vector<Argument> arguments) {
    auto results = aten.call(name, "", std::move(arguments));
    EXPECT_TRUE(results) << base::describe(results.error());
    return results && !results->empty() ? results->front() : Argument();
  }
  std::string error_of(std::string_view name, std::vector<Argument> arguments) {
    const auto results = aten.call(name, "", std::move(arguments));
    return results ? "" : results.error().id;
  }
  DType dtype(const Argument& argument) { return b.dtype(argument.get<Tensor>()->value); }
  std::vector<float> now(const Argument& argument) {
    const tensor::Tensor* const known = b.constant(aten.current(*argument.get<Tensor>()));
    if (known == nullptr || known->dtype() != DType::kFloat32) return {-999};
    const auto numbers = known->as<float>();
    return {numbers.begin(), numbers.end()};
  }
};

TEST(Aten, PromotesTypesAsPyTorchDoes) {
  Fixture f;
  const Argument whole = f.ints({2}, {1, 2});
  const Argument real = f.floats({2}, {0.5F, 2});
  const Argument lone = f.ints({}, {3});
  EXPECT_EQ(f.dtype(f.call("aten::add", {whole, real})), DType::kFloat32);
  EXPECT_EQ(f.dtype(f.call("aten::add", {whole, Argument(2)})), DType::kInt64);
  EXPECT_EQ(f.dtype(f.call("aten::add", {whole, Argument(2.5)})), DType::kFloat32);
  EXPECT_EQ(f.dtype(f.call("aten::mul", {real, lone})), DType::kFloat32);
  EXPECT_EQ(f.dtype(f.call("aten::div", {whole, whole})), DType::kFloat32);
  EXPECT_EQ(f.dtype(f.call("aten::sum", {f.call("aten::gt", {real, Argument(1)})})), DType::kInt64);
}

TEST(Aten, ChoosesTheOverloadThatTakesTheArguments) {
  Fixture f;
  const Argument x = f.floats({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(f.b.rank(f.call("aten::max", {x}).get<Tensor>()->value), 0);
  const auto by_axis = f.aten.call("aten::max", "", {x, Argument(1)});
  ASSERT_TRUE(by_axis);
  EXPECT_EQ(by_axis->size(), 2U);
  EXPECT_EQ(f.now(f.call("aten::max", {x, f.floats({}, {2.5F})})), (std::vector<float>{2.5F, 2.5F, 3, 4}));
}

TEST(Aten, AChangeReachesEveryView) {
  Fixture f;
  const Argument x = f.floats({2, 3}, {1, 2, 3, 4, 5, 6});
  const Argument row = f.call("aten::select", {x, Argument(0), Argument(1)});
  const Argument flat = f.call("aten::view", {x, Argument(List{Argument(-1)})});
  f.call("aten::mul_", {row, Argument(10)});
  EXPECT_EQ(f.now(x), (std::vector<float>{1, 2, 3, 40, 50, 60}));
  EXPECT_EQ(f.now(flat), (std::vector<float>{1, 2, 3, 40, 50, 60}));
  f.call("aten::zero_", {f.call("aten::slice", {flat, Argument(0), Argument(1), Argument(3)})});
  EXPECT_EQ(f.now(x), (std::vector<float>{1, 0, 0, 40, 50, 60}));
  EXPECT_EQ(f.now(row), (std::vector<float>{40, 50, 60}));
}

TEST(Aten, AChangeOfAPieceReachesTheWhole) {
  Fixture f;
  const Argument x = f.floats({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
  const auto pieces = f.aten.call("aten::chunk", "", {x, Argument(2), Argument(1)});
  ASSERT_TRUE(pieces) << base::describe(pieces.error());
  f.call("aten::mul_", {pieces->front().get<List>()->at(1), Argument(10)});
  EXPECT_EQ(f.now(x), (std::vector<float>{1, 2, 30, 40, 5, 6, 70, 80}));
  f.call("aten::zero_", {f.call("aten::movedim", {x, Argument(0), Argument(1)})});
  EXPECT_EQ(f.now(x), (std::vector<float>(8, 0)));
}

TEST(Aten, ChangesSinceAMarkAreTakenBack) {
  Fixture f;
  const Argument x = f.floats({2}, {1, 2});
  const Argument view = f.call("aten::view", {x, Argument(List{Argument(-1)})});
  const Aten::Mark mark = f.aten.mark();
  f.call("aten::mul_", {view, Argument(10)});
  f.call("aten::zero_", {f.floats({1}, {1})});
  const auto changes = f.aten.changed_since(mark);
  ASSERT_EQ(changes.size(), 1U);  // not what was made since
  EXPECT_EQ(changes[0].tensor.variable, x.get<Tensor>()->variable);
  EXPECT_EQ(f.now(view), (std::vector<float>{10, 20}));
  f.aten.rewind(mark);
  EXPECT_EQ(f.now(view), (std::vector<float>{1, 2}));
  EXPECT_TRUE(f.aten.changed_since(mark).empty());
}

TEST(Aten, ACopyIsNotAView) {
  Fixture f;
  const Argument x = f.floats({2, 2}, {1, 2, 3, 4});
  const Argument copy = f.call("aten::clone", {x});
  const Argument turned = f.call("aten::contiguous", {f.call("aten::t", {x})});
  f.call("aten::fill_", {x, Argument(7)});
  EXPECT_EQ(f.now(copy), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(f.now(turned), (std::vector<float>{1, 3, 2, 4}));
}

TEST(Aten, AChangeKeepsTypeAndShape) {
  Fixture f;
  const Argument x = f.floats({2}, {1, 2});
  f.call("aten::copy_", {x, f.ints({}, {5})});
  EXPECT_EQ(f.now(x), (std::vector<float>{5, 5}));
}

TEST(Aten, NumbersAreComputedAsPythonDoes) {
  Fixture f;
  const auto number = [&](std::string_view name, std::int64_t a, std::int64_t b) {
    const Argument result = f.call(name, {Argument(a), Argument(b)});
    return result.get<std::int64_t>() != nullptr ? *result.get<std::int64_t>() : -999;
  };
  EXPECT_EQ(number("_operator::floordiv", -7, 2), -4);
  EXPECT_EQ(number("_operator::mod", -7, 2), 1);
  EXPECT_EQ(f.error_of("_operator::floordiv", {Argument(1), Argument(0)}), "torch.unsupported_arguments");
}

TEST(Aten, WhatIsRandomInTrainingIsRefused) {
  Fixture f;
  EXPECT_EQ(f.error_of("aten::dropout", {f.floats({1}, {1}), Argument(0.5), Argument(true)}),
            "torch.unsupported_arguments");
}

TEST(Aten, UnknownOperatorsAndArgumentsAreErrors) {
  Fixture f;
  EXPECT_EQ(f.error_of("mine::op", {}), "torch.unsupported_operator");
  EXPECT_EQ(f.error_of("aten::relu", {Argument("text")}), "torch.unsupported_operator");
}

}  // namespace
}  // namespace wherry::torch
