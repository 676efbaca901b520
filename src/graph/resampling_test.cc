#include "graph/resampling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wherry::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;

TEST(NearestPixels, AreThoseUnderTheMiddlesOfHalfPixelGrids) {
  EXPECT_THAT(nearest_pixels(4, 2), ElementsAre(1, 3));
  EXPECT_THAT(nearest_pixels(2, 4), ElementsAre(0, 0, 1, 1));
}

TEST(NearestPixels, OfAlignedGridsKeepBothEnds) {
  EXPECT_THAT(nearest_pixels(5, 3, {.aligned = true, .half = false}), ElementsAre(0, 2, 4));
}

TEST(CubicWeights, OfTheSameLengthAreTheIdentity) {
  EXPECT_THAT(cubic_weights(3, 3), ElementsAre(1, 0, 0, 0, 1, 0, 0, 0, 1));
}

TEST(CubicWeights, OfHalfPixelGridsAddUpToOneThoughPixelsLackAtTheEdge) {
  const auto weights = cubic_weights(3, 7);
  for (std::size_t row = 0; row < 7; ++row)
    EXPECT_THAT(weights[3 * row] + weights[3 * row + 1] + weights[3 * row + 2], FloatEq(1)) << row;
}

TEST(CubicWeights, OfOtherGridsGiveTheEdgeWhatLacks) {
  // Place 1/2 of one pixel: all four taps are on it.
  EXPECT_THAT(cubic_weights(1, 2, {.aligned = false, .half = false}), ElementsAre(FloatEq(1), FloatEq(1)));
}

}  // namespace
}  // namespace wherry::graph
