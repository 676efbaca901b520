#include "engine/row_sum.h"

#include <gtest/gtest.h>
#include <vector>

namespace wherry::engine {
namespace {

// Recorded with numpy 2.4.6: X.sum(axis=1) of a contiguous X with rows 1.0 / (arange(k) + 3.0).
struct Recorded {
  std::size_t count;
  double sum;
};
constexpr Recorded kRecorded[] = {
    {1, 0x1.5555555555555p-2},    {7, 0x1.5437437437437p+0},   {8, 0x1.6dd0dd0dd0dd0p+0},
    {9, 0x1.8516ae822df44p+0},    {15, 0x1.f086839d9dc95p+0},  {16, 0x1.febf672bd6ad0p+0},
    {17, 0x1.061c554513c25p+1},   {100, 0x1.da81ad52b9b72p+1}, {127, 0x1.f86f612293752p+1},
    {128, 0x1.f96b70e38f84dp+1},  {129, 0x1.fa65941081d6fp+1}, {136, 0x1.0084843685eebp+2},
    {137, 0x1.00fa630fd8cf6p+2},  {200, 0x1.18d447c879105p+2}, {255, 0x1.283504d2ee7e2p+2},
    {256, 0x1.287485d0f2762p+2},  {257, 0x1.28b3c80a467a2p+2}, {1000, 0x1.7f32ac6b16780p+2},
    {5000, 0x1.e612fc141c75cp+2},
};

TEST(RowSum, IsNumpysToTheLastBit) {
  for (const Recorded& recorded : kRecorded) {
    std::vector<double> values;
    for (std::size_t i = 0; i < recorded.count; ++i) values.push_back(1.0 / (static_cast<double>(i) + 3.0));
    EXPECT_EQ(row_sum(values.data(), values.size()), recorded.sum) << recorded.count;
  }
}

TEST(RowSum, OfNothingIsZero) {
  EXPECT_EQ(row_sum(nullptr, 0), 0.0);
}

}  // namespace
}  // namespace wherry::engine
