// What a hostile bundle may say about kernels and is refused for.
#include <gtest/gtest.h>
#include <limits>

#include "program/program.h"

namespace wherry::program {
namespace {

struct Model {
  ProgramBuilder builder{Signature{.columns = {{.name = "a"}, {.name = "b"}, {.name = "c"}}}};
  ValueId x = *builder.add(ToMatrix{}, {ProgramBuilder::kInput});

  WeightId numbers(tensor::Shape shape, double value = 1) {
    std::size_t count = 1;
    for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
    return builder.weight("w", tensor::Tensor::of(std::move(shape), std::vector<double>(count, value)));
  }
  bool takes(Op op) { return builder.add(std::move(op), {x}).has_value(); }
};

TEST(KernelRules, RowsAreAsWideAsTheInput) {
  Model model;
  EXPECT_TRUE(model.takes(KernelMatrix{.rows = model.numbers({2, 3})}));
  EXPECT_FALSE(model.takes(KernelMatrix{.rows = model.numbers({2, 4})}));
  EXPECT_FALSE(model.takes(KernelMatrix{.rows = model.numbers({3})}));
  EXPECT_FALSE(model.takes(KernelMatrix{.rows = model.numbers({0, 3})}));
  EXPECT_FALSE(model.takes(KernelMatrix{.rows = WeightId{99}}));
}

TEST(KernelRules, DegreesAreWhatTheFunctionCanTake) {
  Model model;
  const auto with = [&](KernelFunction function, double degree) {
    return model.takes(KernelMatrix{.function = function, .degree = degree, .rows = model.numbers({1, 3})});
  };
  EXPECT_TRUE(with(KernelFunction::kIntegerPolynomial, 0));
  EXPECT_FALSE(with(KernelFunction::kIntegerPolynomial, -1));
  EXPECT_FALSE(with(KernelFunction::kIntegerPolynomial, 2.5));
  EXPECT_FALSE(with(KernelFunction::kIntegerPolynomial, 1e300));
  EXPECT_TRUE(with(KernelFunction::kMatern, std::numeric_limits<double>::infinity()));
  EXPECT_FALSE(with(KernelFunction::kMatern, 0));
  EXPECT_FALSE(with(KernelFunction::kMatern, std::numeric_limits<double>::quiet_NaN()));
}

TEST(KernelRules, SupportVectorsOfTheClassesAreThoseOfTheKernel) {
  Model model;
  const auto with = [&](std::vector<std::int64_t> counts) {
    const auto classes = static_cast<std::int64_t>(counts.size());
    return model.takes(PairDecisions{.counts = std::move(counts),
                                     .coefficients = model.numbers({classes - 1, 3}),
                                     .intercept = model.numbers({classes * (classes - 1) / 2})});
  };
  EXPECT_TRUE(with({1, 2}));
  EXPECT_TRUE(with({3, 0}));
  EXPECT_FALSE(with({1, 1}));
  EXPECT_FALSE(with({4, -1}));
  EXPECT_FALSE(with({std::numeric_limits<std::int64_t>::max(), 4}));
}

TEST(KernelRules, PairsAreThoseOfTheClasses) {
  Model model;  // three columns: the pairs of three classes
  EXPECT_TRUE(model.takes(PairWinner{3}));
  EXPECT_FALSE(model.takes(PairWinner{2}));
  EXPECT_FALSE(model.takes(PairWinner{-2}));
  EXPECT_FALSE(model.takes(PairWinner{std::numeric_limits<std::int64_t>::max()}));
  EXPECT_FALSE(model.takes(PairProbabilities{3, model.numbers({3}), model.numbers({2})}));
}

TEST(KernelRules, VotesNameNoMoreClassesThanThereAre) {
  Model model;
  const ValueId votes = *model.builder.add(PairWinner{3}, {model.x});
  const auto labels = [&](std::int64_t count) {
    return model.builder.weight(
        "labels", tensor::Tensor::of({count}, std::vector<std::int64_t>(static_cast<std::size_t>(count))));
  };
  EXPECT_TRUE(model.builder.add(TakeLabels{labels(3)}, {votes}));
  EXPECT_FALSE(model.builder.add(TakeLabels{labels(2)}, {votes}));
}

TEST(KernelRules, SketchesStayWithinTheirComponents) {
  Model model;
  const auto with = [&](std::int64_t position, std::int64_t components) {
    const auto index =
        model.builder.weight("index", tensor::Tensor::of({1, 3}, std::vector<std::int64_t>{0, 0, position}));
    return model.takes(CountSketch{components, index, model.numbers({1, 3})});
  };
  EXPECT_TRUE(with(1, 2));
  EXPECT_FALSE(with(2, 2));
  EXPECT_FALSE(with(-1, 2));
  EXPECT_FALSE(with(0, 0));
  EXPECT_FALSE(with(0, std::numeric_limits<std::int64_t>::max()));
}

TEST(KernelRules, CategoriesHaveATableEach) {
  Model model;
  const auto with = [&](std::vector<std::int64_t> counts) {
    return model.takes(CategoricalLikelihood{std::move(counts), model.numbers({6, 2}), model.numbers({2})});
  };
  EXPECT_TRUE(with({1, 2, 3}));
  EXPECT_FALSE(with({1, 2, 4}));
  EXPECT_FALSE(with({6}));
  EXPECT_FALSE(with({-1, 4, 3}));
}

TEST(NumericRules, KnotsAscend) {
  Model model;
  const auto with = [&](std::vector<double> knots) {
    const auto count = static_cast<std::int64_t>(knots.size());
    const auto x = model.builder.weight("x", tensor::Tensor::of({count}, std::move(knots)));
    return model.takes(Interpolate{.x = x, .y = model.numbers({count})});
  };
  EXPECT_TRUE(with({0, 1}));
  EXPECT_FALSE(with({}));
  EXPECT_FALSE(with({1, 1}));
  EXPECT_FALSE(with({1, 0}));
  EXPECT_FALSE(with({0, std::numeric_limits<double>::quiet_NaN()}));
}

}  // namespace
}  // namespace wherry::program
