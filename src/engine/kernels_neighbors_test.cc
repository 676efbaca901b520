// Neighbours, clusters, densities and imputation from neighbours.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "engine/neighbor_heap.h"
#include "engine/testing.h"

namespace wherry::engine {
namespace {

using namespace testing;
using program::MetricKind;
using tensor::Tensor;

using Numbers = std::vector<double>;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Five places on a line, two of them twice.
const Numbers kLine = {0, 1, 1, 2, 2};

program::NearestRows nearest(Model& model, std::int64_t count, program::NeighborChoice choice) {
  program::NearestRows op{.choice = choice, .count = count, .width = 1};
  op.rows = model.weight(Tensor::of({5, 1}, kLine));
  return op;
}

program::SpatialTree line_tree(Model& model) {
  const auto list = [&](std::vector<std::int64_t> values) {
    const auto size = static_cast<std::int64_t>(values.size());
    return model.weight(Tensor::of({size}, std::move(values)));
  };
  program::SpatialTree tree;
  tree.order = list({0, 1, 2, 3, 4});
  tree.first = list({0, 0, 2});
  tree.last = list({5, 2, 5});
  tree.leaf = list({0, 1, 1});
  tree.radius = model.numbers({1, 0.5, 0.5});
  tree.bounds = model.weight(Tensor::of({2, 3, 1}, Numbers{0, 0, 1, 2, 1, 2}));
  return tree;
}

TEST(Neighbors, AHeapKeepsTheFirstOfEquallyNearRows) {
  Model model(1);
  const auto near = model.add(nearest(model, 1, program::NeighborChoice::kHeap), {model.matrix()});
  EXPECT_EQ(Answer(model, near, {{2.0}, {0.75}}).numbers(), (Numbers{0, 3, 0.25, 1}));
}

TEST(Neighbors, ATreeStartsWithTheNearerChild) {
  Model model(1);
  program::NearestRows op = nearest(model, 1, program::NeighborChoice::kTree);
  op.tree = line_tree(model);
  const auto near = model.add(op, {model.matrix()});
  // From 1.5 the right child is nearer, so that row 2 comes before row 1, which is as far.
  EXPECT_EQ(Answer(model, near, {{1.5}, {-3.0}}).numbers(), (Numbers{0.5, 2, 3, 0}));
}

TEST(Neighbors, PartitionsFindTheNearest) {
  Model model(1);
  const auto near = model.add(nearest(model, 3, program::NeighborChoice::kPartition), {model.matrix()});
  EXPECT_EQ(Answer(model, near, {{0.0}}).numbers(), (Numbers{0, 1, 1, 0, 1, 2}));
}

TEST(Neighbors, ARadiusIncludesItsEdge) {
  Model model(1);
  program::RowsWithin op{.radius = 1, .width = 1};
  op.rows = model.weight(Tensor::of({5, 1}, kLine));
  const Numbers table = Answer(model, model.add(op, {model.matrix()}), {{0.0}}).numbers();
  ASSERT_EQ(table.size(), 5u);
  EXPECT_EQ((Numbers{table[0], table[1], table[2]}), (Numbers{0, 1, 1}));
  EXPECT_TRUE(std::isnan(table[3]) && std::isnan(table[4]));
}

TEST(Neighbors, ExpandedDistancesNeverGoBelowZero) {
  Model model(2);
  program::Distances op{.metric = {.expanded = true},
                        .rows = model.weight(Tensor::of({1, 2}, Numbers{0.1, 1e8}))};
  EXPECT_EQ(Answer(model, model.add(op, {model.matrix()}), {{0.1, 1e8}}).numbers(), Numbers{0});
}

TEST(Neighbors, RowsAtDistanceZeroOutvoteAllOthers) {
  Model model(1);
  const auto near = model.add(nearest(model, 4, program::NeighborChoice::kHeap), {model.matrix()});
  program::NeighborVotes op{.weights = program::NeighborWeights::kDistance, .classes = 2};
  op.labels = model.weight(Tensor::of({5}, std::vector<std::int32_t>{1, 0, 0, 1, 1}));
  EXPECT_EQ(Answer(model, model.add(op, {near}), {{0.0}}).numbers(), (Numbers{0, 1}));
}

TEST(Neighbors, ARowWithoutNeighborsIsRefused) {
  Model model(1);
  program::RowsWithin within{.radius = 1, .width = 1};
  within.rows = model.weight(Tensor::of({5, 1}, kLine));
  program::NeighborVotes op{
      .form = program::NeighborForm::kTable, .outliers = program::OutlierVote::kRefuse, .classes = 2};
  op.labels = model.weight(Tensor::of({5}, std::vector<std::int32_t>{1, 0, 0, 1, 1}));
  const auto votes = model.add(op, {model.add(within, {model.matrix()})});
  EXPECT_EQ(Answer(model, votes, {{1.0}, {9.0}}).error().id, "engine.no_neighbors");
}

TEST(Neighbors, PositionsWhichNameNoRowAreNoNeighbors) {
  Model model(2);  // a list of one neighbour made by hand: distance, position
  program::NeighborMean op{.empty = -1, .targets = model.weight(Tensor::of({2, 1}, Numbers{5, 7}))};
  const auto mean = model.add(op, {model.matrix()});
  EXPECT_EQ(Answer(model, mean, {{0.5, 1.0}, {0.5, 2.0}, {0.5, -1.0}, {0.5, kNan}}).numbers(),
            (Numbers{7, -1, -1, -1}));
}

TEST(Neighbors, NumpysPartitionPutsTheSmallestInFront) {
  const Numbers values = {5, 1, 4, 1, 3, kNan, 0, 2, 6, 1};
  std::vector<std::size_t> order = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  partition_positions(values.data(), order.data(), values.size(), 4);
  std::ranges::sort(order.begin(), order.begin() + 5);
  EXPECT_EQ(std::vector(order.begin(), order.begin() + 5), (std::vector<std::size_t>{1, 3, 6, 7, 9}));
}

TEST(Neighbors, MissingCellsBecomeTheMeanOfTheNearestRowsThatHaveThem) {
  Model model(2);
  program::NeighborImpute op{.missing = kNan, .count = 1};
  op.rows = model.weight(Tensor::of({3, 2}, Numbers{0, 10, 4, 20, 5, 0}));
  op.absent = model.weight(Tensor::of({3, 2}, std::vector<std::uint8_t>{0, 0, 0, 0, 0, 1}));
  const auto filled = model.add(op, {model.matrix()});
  EXPECT_EQ(Answer(model, filled, {{5.0, kNan}, {kNan, kNan}}).numbers(), (Numbers{5, 20, 3, 15}));
}

TEST(Neighbors, TheDensityOfOneRowIsItsKernel) {
  Model model(1);
  program::KernelDensities op{
      .total = 5, .rows = model.weight(Tensor::of({5, 1}, kLine)), .tree = line_tree(model)};
  op.kernel = program::DensityKernel::kTophat;
  op.bandwidth = 0.5;
  // One of five rows within a length of 1.
  EXPECT_NEAR(Answer(model, model.add(op, {model.matrix()}), {{0.25}}).numbers()[0], std::log(0.2), 1e-12);
}

TEST(Neighbors, AWalkThroughCentersEndsAtALabel) {
  Model model(1);
  program::CenterTree op{.labels = 3};
  const auto list = [&](std::vector<std::int64_t> values) {
    return model.weight(Tensor::of({5}, std::move(values)));
  };
  op.centers = model.weight(Tensor::of({5, 1}, Numbers{0, -1, 2, 1, 4}));
  op.left = list({1, -1, 3, -1, -1});
  op.right = list({2, -1, 4, -1, -1});
  op.label = list({-1, 0, -1, 1, 2});
  const auto index = model.add(op, {model.matrix()});
  const auto labels = model.add(program::TakeLabels{model.numbers({10, 20, 30})}, {index});
  EXPECT_EQ(Answer(model, labels, {{-5.0}, {1.0}, {9.0}}).numbers(), (Numbers{10, 20, 30}));
}

TEST(Neighbors, AGaussianOfOneComponentIsTheNormalDensity) {
  Model model(1);
  program::GaussianLogDensity op;
  op.means = model.weight(Tensor::of({1, 1}, Numbers{2}));
  op.factors = model.weight(Tensor::of({1, 1, 1}, Numbers{0.5}));
  op.log_determinants = model.numbers({std::log(0.5)});
  op.offsets = model.weight(Tensor::of({1, 1}, Numbers{0}));
  const auto total = model.add(program::LogSumExp{}, {model.add(op, {model.matrix()})});
  EXPECT_NEAR(Answer(model, total, {{4.0}}).numbers()[0], -0.5 - std::log(2 * std::sqrt(2 * M_PI)), 1e-15);
}

}  // namespace
}  // namespace wherry::engine
