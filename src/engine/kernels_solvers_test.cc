#include <gtest/gtest.h>

#include "engine/testing.h"

namespace wherry::engine {
namespace {

using program::SparseCoding;
using testing::Answer;
using testing::Model;

// Three atoms of two values, the third between the others.
std::vector<double> code(program::SparseCode op, std::vector<tensor::CellValue> row) {
  Model model(2);
  op.dictionary = model.weight(tensor::Tensor::of({3, 2}, std::vector<double>{1, 0, 0, 1, 0.6, 0.8}));
  const auto out = model.add(op, {model.matrix()});
  return Answer(model, out, {std::move(row)}).numbers();
}

TEST(SparseCode, MovesProductsTowardsZero) {
  const auto out = code({.method = SparseCoding::kThreshold, .regularization = 1}, {3.0, -0.5});
  EXPECT_EQ(out, (std::vector<double>{2, -0.0, 3.0 * 0.6 - 0.5 * 0.8 - 1}));
}

TEST(SparseCode, PursuesTheAtomThatIsTheRow) {
  const auto out = code({.method = SparseCoding::kOmp, .max_iterations = 1}, {3.0, 4.0});
  EXPECT_EQ(out[0], 0);
  EXPECT_EQ(out[1], 0);
  EXPECT_NEAR(out[2], 5, 1e-14);
}

TEST(SparseCode, FindsTheSameLassoByAnglesAndByCoordinates) {
  const auto angles =
      code({.method = SparseCoding::kLassoLars, .regularization = 0.1, .max_iterations = 1000}, {3.0, 1.0});
  const auto coordinates = code({.method = SparseCoding::kLassoCoordinates,
                                 .regularization = 0.1,
                                 .tolerance = 1e-14,
                                 .max_iterations = 100000,
                                 .screening = true},
                                {3.0, 1.0});
  for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(angles[k], coordinates[k], 1e-6) << k;
}

TEST(SparseCode, AnswersZeroForARowOfZeros) {
  for (const auto method : {SparseCoding::kThreshold, SparseCoding::kOmp, SparseCoding::kLars,
                            SparseCoding::kLassoLars, SparseCoding::kLassoCoordinates}) {
    const auto out = code({.method = method, .regularization = 0.1, .max_iterations = 2}, {0.0, 0.0});
    EXPECT_EQ(out, (std::vector<double>{0, 0, 0}));
  }
}

TEST(SparseCode, RefusesMoreAtomsThanThereAre) {
  program::ProgramBuilder builder({.columns = {{.name = "x"}}});
  const auto x = builder.add(program::ToMatrix{}, {0});
  program::SparseCode op{.method = SparseCoding::kOmp, .max_iterations = 2};
  op.dictionary = builder.weight("d", tensor::Tensor::of({1, 1}, std::vector<double>{1}));
  EXPECT_FALSE(builder.add(op, {*x}));
}

TEST(Factorize, FindsTheFactorOfARowMadeOfOneComponent) {
  Model model(2);
  program::Factorize op{.tolerance = 1e-12, .max_iterations = 1000};
  op.components = model.weight(tensor::Tensor::of({2, 2}, std::vector<double>{1, 2, 3, 1}));
  const auto out = model.add(op, {model.matrix()});
  const auto values = Answer(model, out, {{2.0, 4.0}}).numbers();
  EXPECT_NEAR(values[0], 2, 1e-9);
  EXPECT_NEAR(values[1], 0, 1e-9);
}

TEST(Factorize, RefusesIterationsWithoutEnd) {
  program::ProgramBuilder builder({.columns = {{.name = "x"}}});
  const auto x = builder.add(program::ToMatrix{}, {0});
  program::Factorize op{.max_iterations = std::int64_t{1} << 40};
  op.components = builder.weight("c", tensor::Tensor::of({1, 1}, std::vector<double>{1}));
  EXPECT_FALSE(builder.add(op, {*x}));
}

TEST(TopicMixture, IsThePriorForADocumentWithoutWords) {
  Model model(2);
  program::TopicMixture op{.prior = 0.25, .tolerance = 1e-3, .max_iterations = 100};
  op.topics = model.weight(tensor::Tensor::of({2, 2}, std::vector<double>{0.1, 0.2, 0.3, 0.4}));
  const auto out = model.add(op, {model.matrix()});
  EXPECT_EQ(Answer(model, out, {{0.0, 0.0}}).numbers(), (std::vector<double>{0.25, 0.25}));
}

}  // namespace
}  // namespace wherry::engine
