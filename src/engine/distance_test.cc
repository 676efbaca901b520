// Distances by matrix products: the order and the rounding of their sums.
#include "engine/distance.h"

#include <cmath>
#include <gtest/gtest.h>

namespace wherry::engine {
namespace {

using program::MetricKind;
using Numbers = std::vector<double>;

Numbers sines(std::size_t count, double start) {
  Numbers out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(std::sin(start + 3.7 * static_cast<double>(i)));
  return out;
}

Numbers to_all(const StoredRows& rows, const Numbers& x) {
  Numbers out(rows.count());
  rows.reduced(x.data(), 0, rows.count(), out.data());
  return out;
}

TEST(LaneDots, AreFusedSumsInTheOrderOfColumns) {
  const std::size_t width = 19;
  const Numbers x = sines(width, 0.1);
  const Numbers lanes = sines(width * kDotLanes, 0.7);
  double sums[kDotLanes];
  lane_dots()(x.data(), lanes.data(), width, sums);
  for (std::size_t l = 0; l < kDotLanes; ++l) {
    Numbers y;
    for (std::size_t j = 0; j < width; ++j) y.push_back(lanes[j * kDotLanes + l]);
    EXPECT_EQ(sums[l], fused_dot(x.data(), y.data(), width));
  }
}

TEST(EinsumSquares, AddsEveryOtherColumnAndEightFromTheLast) {
  const Numbers x = {0.1, 0.7, 1.3};
  EXPECT_EQ(einsum_squares(x.data(), 3), (0.1 * 0.1 + 1.3 * 1.3) + 0.7 * 0.7);
  const Numbers y = sines(8, 0.3);
  double even = 0;
  double odd = 0;
  for (std::size_t k = 8; k-- > 0;) (k % 2 == 0 ? even : odd) += y[k] * y[k];
  EXPECT_EQ(einsum_squares(y.data(), 8), even + odd);
}

TEST(StoredRows, OfTheSameRowAreAtNoDistanceWhateverSumsTheNorms) {
  for (const auto norms : {StoredRows::Norms::kBlas, StoredRows::Norms::kEinsum}) {
    const StoredRows rows(Distance(MetricKind::kEuclidean, 2, {}), true, norms, {0.5, 0.25, 1.5}, 3);
    EXPECT_EQ(to_all(rows, {0.5, 0.25, 1.5}), Numbers{0});
  }
}

TEST(StoredRows, WhoseInfinitiesCancelAreAtADistanceOfNan) {
  const StoredRows rows(Distance(MetricKind::kEuclidean, 2, {}), true, StoredRows::Norms::kEinsum, {2, 0}, 2);
  EXPECT_TRUE(std::isnan(to_all(rows, {1e308, 0})[0]));
}

TEST(StoredRows, OfCosinesAreOneMinusTheFusedProductOfUnitRows) {
  const StoredRows rows(Distance(MetricKind::kCosine, 2, {}), false, StoredRows::Norms::kEinsum,
                        {3, 0, -4, 0, 0, 5, 0, 0}, 2);
  EXPECT_EQ(to_all(rows, {1, 0}), (Numbers{0, 2, 1, 1}));
}

}  // namespace
}  // namespace wherry::engine
