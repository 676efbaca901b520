#include <cmath>
#include <limits>

#include "engine/testing.h"

namespace wherry::engine {
namespace {

using testing::Answer;
using testing::Model;
using Numbers = std::vector<double>;

using program::ValueId;

ValueId sparse_of(Model& model) {
  return model.add(program::ToSparse{}, {model.matrix()});
}

ValueId dense(Model& model, ValueId sparse) {
  return model.add(program::ToDense{}, {sparse});
}

TEST(Sparse, RowsComeBackAsTheyWere) {
  Model model(3);
  Answer answer(model, dense(model, sparse_of(model)), {{1.0, 0.0, -2.0}, {0.0, 0.0, 0.0}, {0.0, 4.0, 0.0}});
  EXPECT_EQ(answer.numbers(), (Numbers{1, 0, -2, 0, 0, 0, 0, 4, 0}));
}

TEST(Sparse, ColumnsAreSelectedAndRepeated) {
  Model model(3);
  const ValueId picked = model.add(program::SelectColumns{{2, 0, 2}}, {sparse_of(model)});
  Answer answer(model, dense(model, picked), {{1.0, 5.0, 3.0}, {0.0, 7.0, 9.0}});
  EXPECT_EQ(answer.numbers(), (Numbers{3, 1, 3, 9, 0, 9}));
}

TEST(Sparse, StandsBesideAMatrix) {
  Model model(2);
  const ValueId both = model.add(program::Concat{}, {sparse_of(model), model.matrix()});
  Answer answer(model, dense(model, both), {{1.0, 0.0}, {0.0, 2.0}});
  EXPECT_EQ(answer.numbers(), (Numbers{1, 0, 1, 0, 0, 2, 0, 2}));
}

TEST(Sparse, ElementsAreDividedByTheirColumns) {
  Model model(2);
  const ValueId divided =
      model.add(program::Columnwise{program::Arithmetic::kDivide, model.numbers({4, 0})}, {sparse_of(model)});
  Answer answer(model, dense(model, divided), {{1.0, 0.0}});
  EXPECT_EQ(answer.numbers(), (Numbers{0.25, 0}));
}

TEST(Sparse, SubtractionIsRefused) {
  program::ProgramBuilder builder(program::Signature{{{"a", program::ColumnType::kNumber}}, false, false});
  const auto matrix = builder.add(program::ToMatrix{}, {0});
  const auto sparse = builder.add(program::ToSparse{}, {*matrix});
  const auto one = builder.weight("one", tensor::Tensor::of<double>({1}, {1.0}));
  EXPECT_FALSE(builder.add(program::Columnwise{program::Arithmetic::kSubtract, one}, {*sparse}));
}

TEST(Sparse, ProductsEqualThoseOfTheMatrix) {
  for (const std::int64_t outputs : {1, 3}) {
    Model model(3);
    Numbers coefficients;
    for (std::int64_t i = 0; i < outputs * 3; ++i) coefficients.push_back(1.0 / static_cast<double>(i + 3));
    program::Linear op;
    op.coefficients = model.weight(tensor::Tensor::of({outputs, 3}, coefficients));
    op.intercept = model.numbers(Numbers(static_cast<std::size_t>(outputs), 0.1));
    const ValueId from_sparse = model.add(op, {sparse_of(model)});
    model.output("dense", {model.add(op, {model.matrix()})});
    Answer answer(model, from_sparse, {{0.3, 0.0, 0.7}, {0.0, 0.0, 0.0}, {1e300, -2.0, 5e-324}});
    EXPECT_EQ(answer.numbers(1), answer.numbers(0));
  }
}

TEST(Sparse, InfinityIsReportedWithRowAndColumn) {
  Model model({"a", "b"});
  const ValueId checked = model.add(program::CheckFinite{.estimator = "Ridge"}, {sparse_of(model)});
  Answer answer(model, dense(model, checked), {{1.0, 0.0}, {2.0, std::numeric_limits<double>::infinity()}});
  EXPECT_EQ(answer.error().id, "engine.not_finite");
  EXPECT_NE(answer.error().message.find("column 'b' of row 1"), std::string::npos);
}

TEST(Sparse, ManyBlocksGiveWhatOneGives) {
  Model model(2);
  testing::Rows rows;
  Numbers expected;
  for (int i = 0; i < 2000; ++i) {
    rows.push_back({static_cast<double>(i % 3), static_cast<double>(i)});
    expected.insert(expected.end(), {static_cast<double>(i % 3), static_cast<double>(i)});
  }
  Answer answer(model, dense(model, sparse_of(model)), rows);
  EXPECT_EQ(answer.numbers(), expected);
}

TEST(Sparse, IsNoOutput) {
  program::ProgramBuilder builder(program::Signature{{{"a", program::ColumnType::kNumber}}, false, false});
  const auto matrix = builder.add(program::ToMatrix{}, {0});
  const auto sparse = builder.add(program::ToSparse{}, {*matrix});
  EXPECT_FALSE(builder.output({.name = "transform", .values = {*sparse}}));
}

}  // namespace
}  // namespace wherry::engine
