// Programs made to read outside of their arrays: each part that does not fit is refused.
#include <cmath>
#include <functional>
#include <gtest/gtest.h>

#include "program/program.h"

namespace wherry::program {
namespace {

using tensor::Tensor;

class Search : public testing::Test {
 protected:
  Search() : builder_(signature()) { x_ = *builder_.add(ToMatrix{}, {ProgramBuilder::kInput}); }

  static Signature signature() {
    Signature out;
    out.columns.push_back({"x", ColumnType::kNumber, true});
    return out;
  }

  WeightId list(std::vector<std::int64_t> values) {
    const auto size = static_cast<std::int64_t>(values.size());
    return builder_.weight("list", Tensor::of({size}, std::move(values)));
  }
  WeightId numbers(tensor::Shape shape, std::vector<double> values) {
    return builder_.weight("numbers", Tensor::of(std::move(shape), std::move(values)));
  }

  NearestRows search() {
    NearestRows op{.choice = NeighborChoice::kTree, .count = 2, .width = 1};
    op.rows = numbers({3, 1}, {0, 1, 2});
    op.tree.order = list({0, 1, 2});
    op.tree.first = list({0, 0, 1});
    op.tree.last = list({3, 1, 3});
    op.tree.leaf = list({0, 1, 1});
    op.tree.radius = numbers({3}, {1, 0, 1});
    op.tree.bounds = numbers({2, 3, 1}, {0, 0, 1, 2, 0, 2});
    return op;
  }

  bool refuses(Op op) {
    const auto added = builder_.add(std::move(op), {x_});
    return !added && added.error().id == "program.invalid";
  }

  ProgramBuilder builder_;
  ValueId x_ = 0;
};

TEST_F(Search, OfAProperTreeIsAccepted) {
  EXPECT_FALSE(refuses(search()));
}

TEST_F(Search, ForMoreNeighborsThanRowsIsRefused) {
  NearestRows op = search();
  op.count = 4;
  EXPECT_TRUE(refuses(op));
}

TEST_F(Search, ForNoNeighborsIsRefused) {
  NearestRows op = search();
  op.count = 0;
  EXPECT_TRUE(refuses(op));
}

TEST_F(Search, InATreeWhoseOrderNamesNoRowIsRefused) {
  NearestRows op = search();
  op.tree.order = list({0, 1, 3});
  EXPECT_TRUE(refuses(op));
}

TEST_F(Search, InATreeWithoutTheChildrenOfANodeIsRefused) {
  NearestRows op = search();
  op.tree.leaf = list({0, 1, 0});
  EXPECT_TRUE(refuses(op));
}

TEST_F(Search, InATreeWhoseLeavesShareRowsIsRefused) {
  NearestRows op = search();
  op.tree.last = list({3, 2, 3});
  EXPECT_TRUE(refuses(op));
}

TEST_F(Search, InATreeWithBoundsOfAnotherWidthIsRefused) {
  NearestRows op = search();
  op.tree.bounds = numbers({2, 3, 2}, std::vector<double>(12));
  EXPECT_TRUE(refuses(op));
}

TEST_F(Search, WithAMetricKdTreesDoNotHaveIsRefused) {
  NearestRows op = search();
  op.metric.kind = MetricKind::kCanberra;
  EXPECT_TRUE(refuses(op));
}

TEST_F(Search, WithoutTheInverseCovarianceIsRefused) {
  NearestRows op = search();
  op.choice = NeighborChoice::kHeap;
  op.metric.kind = MetricKind::kMahalanobis;
  EXPECT_TRUE(refuses(op));
}

TEST_F(Search, WithARadiusThatIsNoNumberIsRefused) {
  RowsWithin op{.radius = std::nan(""), .width = 1, .rows = numbers({3, 1}, {0, 1, 2})};
  EXPECT_TRUE(refuses(op));
}

TEST_F(Search, VotesForAClassThatDoesNotExistAreRefused) {
  const ValueId near = *builder_.add(search(), {x_});
  NeighborVotes op{.classes = 2};
  op.labels = builder_.weight("labels", Tensor::of({3}, std::vector<std::int32_t>{0, 1, 2}));
  EXPECT_FALSE(builder_.add(op, {near}));
}

TEST_F(Search, ACenterTreeWithACycleIsRefused) {
  CenterTree op{.labels = 1};
  op.centers = numbers({3, 1}, {0, 1, 2});
  op.left = list({1, 0, -1});
  op.right = list({2, 2, -1});
  op.label = list({0, 0, 0});
  EXPECT_TRUE(refuses(op));
}

TEST_F(Search, APoolWithoutColumnsIsRefused) {
  EXPECT_TRUE(refuses(PoolColumns{.groups = {1}}));
}

}  // namespace
}  // namespace wherry::program
