#include <bit>
#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <string>

#include "engine/trees_arrange.h"

namespace wherry::engine {
namespace {

using ::testing::ElementsAre;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr float kInf32 = std::numeric_limits<float>::infinity();

// --- thresholds
// -------------------------------------------------------------------------------------------------

// The float32 values at which a wrong rounding of `threshold` would show.
std::vector<float> neighbours(double threshold) {
  const auto nearest = static_cast<float>(threshold);
  const float below = std::nextafter(nearest, -kInf32);
  const float above = std::nextafter(nearest, kInf32);
  return {nearest,
          below,
          above,
          std::nextafter(below, -kInf32),
          std::nextafter(above, kInf32),
          0.0F,
          -0.0F,
          std::numeric_limits<float>::denorm_min(),
          -std::numeric_limits<float>::denorm_min(),
          std::numeric_limits<float>::max(),
          std::numeric_limits<float>::lowest(),
          kInf32,
          -kInf32,
          std::numeric_limits<float>::quiet_NaN()};
}

void expect_same_decisions(double threshold) {
  const float rounded = threshold_float32(threshold);
  for (const float x : neighbours(threshold))
    ASSERT_EQ(x <= rounded, static_cast<double>(x) <= threshold) << x << " against " << threshold;
}

TEST(ThresholdFloat32, DecidesAsTheDoubleDoesAtTheEdgesOfTheFormats) {
  for (const double magnitude : {0.0,
                                 5e-324,
                                 1e-310,
                                 0x1p-1022,
                                 0x1p-150,
                                 0x1.8p-150,
                                 0x1p-149,
                                 0x1p-148,
                                 0x1.fffffcp-127,
                                 0x1p-126,
                                 1e-20,
                                 0.1,
                                 0.5,
                                 1.0,
                                 1.0 + 0x1p-24,
                                 1.0 + 0x1p-52,
                                 16777217.0,
                                 0x1.fffffep127,
                                 0x1.fffffe8p127,
                                 0x1.ffffffp127,
                                 0x1p128,
                                 1e300,
                                 std::numeric_limits<double>::max(),
                                 kInf}) {
    for (const double threshold : {magnitude, -magnitude}) {
      expect_same_decisions(threshold);
      if (std::isfinite(threshold)) {
        expect_same_decisions(std::nextafter(threshold, kInf));
        expect_same_decisions(std::nextafter(threshold, -kInf));
      }
    }
  }
}

TEST(ThresholdFloat32, DecidesAsTheDoubleDoesForRandomBits) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 200000; ++i) {
    const auto threshold = std::bit_cast<double>(random());
    if (!std::isnan(threshold)) expect_same_decisions(threshold);
    const auto float_bits = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (!std::isnan(float_bits)) expect_same_decisions(static_cast<double>(float_bits));
  }
}

// --- a literal reading of the contract in program/ops.h
// -----------------------------------------------------------

struct Ensemble {
  bool is_float32 = false;
  bool sums_float32 = false;
  program::CategoryRule rule = program::CategoryRule::kUint8;
  std::size_t outputs = 1;
  double divisor = 1;
  std::size_t width = 1;
  std::size_t features = 1;
  std::vector<std::int32_t> roots, target, feature, left, right, category;
  std::vector<double> threshold, values, base;
  std::vector<std::uint8_t> default_left;
  std::vector<std::uint32_t> cat_left, cat_known;
  std::size_t words = 0;

  TreeArrays arrays() const {
    return {is_float32, sums_float32, rule,     outputs,   divisor,      roots,  target,
            feature,    threshold,    left,     right,     default_left, values, width,
            base,       category,     cat_left, cat_known, words};
  }
  std::int32_t add_leaf(const std::vector<double>& row) {
    const auto number = static_cast<std::int32_t>(values.size() / width);
    values.insert(values.end(), row.begin(), row.end());
    return add(-1, 0, number, 0);
  }
  std::int32_t add(std::int32_t f, double t, std::int32_t l, std::int32_t r) {
    feature.push_back(f);
    threshold.push_back(t);
    left.push_back(l);
    right.push_back(r);
    default_left.push_back(0);
    category.push_back(-1);
    return static_cast<std::int32_t>(feature.size()) - 1;
  }
};

bool goes_left(const Ensemble& e, std::int32_t node, double x) {
  if (e.is_float32) x = static_cast<float>(x);
  const bool as_nan = (e.default_left[node] & 1) != 0;
  if (std::isnan(x)) return as_nan;
  const std::int32_t category = e.category[node];
  if (category < 0 && (e.default_left[node] & 2) != 0 && std::abs(x) <= 1.0000000180025095e-35) return as_nan;
  if (category < 0) return x <= e.threshold[node];
  const double truncated = std::trunc(x);
  std::size_t u = truncated >= 0 && truncated < 2147483648.0 ? static_cast<std::size_t>(truncated) : 0;
  const auto has = [&](const std::vector<std::uint32_t>& sets) {
    return u < e.words * 32 && (sets[category * e.words + u / 32] >> (u % 32) & 1) != 0;
  };
  const bool is_known = truncated >= 0 && truncated < 2147483648.0;
  if (e.rule == program::CategoryRule::kMembersLeft) return is_known && has(e.cat_left);
  if (e.rule == program::CategoryRule::kMembersRight) return !(is_known && x >= 0 && has(e.cat_left));
  if (x < 0) return as_nan;
  u &= 255;
  if (has(e.cat_left)) return true;
  return has(e.cat_known) ? false : as_nan;
}

std::vector<double> literal(const Ensemble& e, const std::vector<double>& in, std::size_t rows,
                            const std::vector<double>* start = nullptr) {
  std::vector<double> out;
  for (std::size_t i = 0; i < rows; ++i) {
    std::vector<double> sum = e.base;
    if (start != nullptr) sum.assign(start->begin() + i * e.outputs, start->begin() + (i + 1) * e.outputs);
    for (std::size_t t = 0; t < e.roots.size(); ++t) {
      std::int32_t node = e.roots[t];
      while (e.feature[node] >= 0)
        node = goes_left(e, node, in[i * e.features + e.feature[node]]) ? e.left[node] : e.right[node];
      for (std::size_t c = 0; c < e.width; ++c) {
        const double value = e.values[static_cast<std::size_t>(e.left[node]) * e.width + c];
        double& to = sum[e.target[t] + c];
        to = e.sums_float32 ? static_cast<float>(to) + static_cast<float>(value) : to + value;
      }
    }
    for (double& value : sum)
      if (e.divisor != 1) value /= e.divisor;
    out.insert(out.end(), sum.begin(), sum.end());
  }
  return out;
}

// Bit for bit; NaNs are all the same.
void expect_identical(const std::vector<double>& got, const std::vector<double>& expected,
                      const std::string& what) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(got[i]) && std::isnan(expected[i])) continue;
    ASSERT_EQ(std::bit_cast<std::uint64_t>(got[i]), std::bit_cast<std::uint64_t>(expected[i]))
        << what << ": element " << i << ": " << got[i] << ", expected " << expected[i];
  }
}

std::vector<double> run(const PackedTrees& packed, const Ensemble& e, const std::vector<double>& in,
                        std::size_t rows, const std::vector<double>* start = nullptr) {
  Buffers buffers;
  std::vector<double> out(rows * e.outputs, -99);
  packed.run(in.data(), rows, e.features, start == nullptr ? nullptr : start->data(), out.data(), buffers);
  return out;
}

PackedTrees pack(const Ensemble& e) {
  auto packed = PackedTrees::pack(e.arrays());
  if (!packed) ADD_FAILURE() << base::describe(packed.error());
  return std::move(*packed);
}

// --- random ensembles
// ---------------------------------------------------------------------------------------------

struct Kind {
  bool is_float32;
  bool has_nan;
  bool has_categories;
  std::size_t width;
  std::size_t features;
  program::CategoryRule rule = program::CategoryRule::kUint8;
  bool sums_float32 = false;
  bool zero_is_missing = false;
  std::size_t deepest = 12;
};

class Maker {
 public:
  Maker(const Kind& kind, std::uint64_t seed) : kind_(kind), random_(seed) {}

  Ensemble make() {
    Ensemble e{.is_float32 = kind_.is_float32,
               .sums_float32 = kind_.sums_float32,
               .rule = kind_.rule,
               .width = kind_.width,
               .features = kind_.features};
    e.outputs = kind_.width + below(3);
    e.divisor = below(2) == 0 ? 1.0 : static_cast<double>(1 + below(7));
    for (std::size_t k = 0; k < e.outputs; ++k) e.base.push_back(normal());
    if (kind_.has_categories) {
      e.words = 1 + below(8);
      for (std::size_t i = 0; i < 4 * e.words; ++i) {
        e.cat_left.push_back(static_cast<std::uint32_t>(random_()));
        e.cat_known.push_back(static_cast<std::uint32_t>(random_()));
      }
    }
    const std::size_t trees = 1 + below(20);
    for (std::size_t t = 0; t < trees; ++t) {
      e.target.push_back(static_cast<std::int32_t>(below(e.outputs - e.width + 1)));
      e.roots.push_back(grow(e, below(4) == 0 ? 0 : 1 + below(kind_.deepest)));
    }
    if (!kind_.has_categories) e.category.clear();
    return e;
  }

  std::vector<double> rows(std::size_t count) {
    std::vector<double> in(count * kind_.features);
    for (double& x : in) x = value(kind_.has_nan && below(6) == 0);
    return in;
  }

  double normal() {
    const double x = std::normal_distribution<double>()(random_);
    return kind_.sums_float32 ? static_cast<float>(x) : x;
  }
  std::size_t below(std::size_t bound) { return random_() % bound; }

 private:
  // Few distinct values, so that rows often meet thresholds exactly.
  double value(bool is_nan) {
    constexpr double kValues[] = {0.0,  -0.0,   1.0,   -1.0,  0.1,        0.30000000000000004,
                                  0.3,  5e-324, kInf,  -kInf, 16777217.0, 1e-46,
                                  1e39, -1e39,  0.1F,  3.0,   7.5,        31.0,
                                  40.0, 255.0,  256.0, 300.0, -0.5};
    if (is_nan) return std::numeric_limits<double>::quiet_NaN();
    return kValues[below(std::size(kValues))];
  }

  std::int32_t grow(Ensemble& e, std::size_t depth) {
    if (depth == 0 || below(8) == 0) {
      std::vector<double> row(e.width);
      for (double& x : row) x = below(5) == 0 ? 1.0 : normal();
      return e.add_leaf(row);
    }
    const std::int32_t node = e.add(static_cast<std::int32_t>(below(e.features)), value(false), 0, 0);
    e.default_left[node] = static_cast<std::uint8_t>(below(kind_.zero_is_missing ? 4 : 2));
    if (kind_.has_categories && below(2) == 0) e.category[node] = static_cast<std::int32_t>(below(4));
    // One side is often a leaf, so that depths differ.
    const std::int32_t left = grow(e, below(3) == 0 ? 0 : depth - 1);
    const std::int32_t right = grow(e, below(3) == 0 ? 0 : depth - 1);
    e.left[node] = left;
    e.right[node] = right;
    return node;
  }

  Kind kind_;
  std::mt19937_64 random_;
};

class PackedTreesOfKind : public ::testing::TestWithParam<Kind> {};

TEST_P(PackedTreesOfKind, AreTheContractToTheLastBitForOneToFiftyRows) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Maker maker(GetParam(), seed);
    const Ensemble e = maker.make();
    const PackedTrees packed = pack(e);
    for (const std::size_t rows : {std::size_t{1}, 2 + seed % 7, 9 + seed % 42}) {
      const std::vector<double> in = maker.rows(rows);
      expect_identical(run(packed, e, in, rows), literal(e, in, rows),
                       "seed " + std::to_string(seed) + ", " + std::to_string(rows) + " rows");
    }
  }
}

TEST_P(PackedTreesOfKind, AreTheSameOnceArranged) {
  for (std::uint64_t seed = 200; seed < 230; ++seed) {
    Maker maker(GetParam(), seed);
    const Ensemble e = maker.make();
    const auto storage = arrange(e.arrays());
    ASSERT_TRUE(storage);
    const TreeArrays arrays = storage->arrays(e.arrays());
    ASSERT_TRUE(arranged_spans(arrays));
    auto packed = PackedTrees::pack(arrays);
    ASSERT_TRUE(packed);
    const std::vector<double> in = maker.rows(19);
    expect_identical(run(*packed, e, in, 19), literal(e, in, 19), std::to_string(seed));
  }
}

TEST_P(PackedTreesOfKind, StartFromAnotherMatrixInsteadOfTheBase) {
  for (std::uint64_t seed = 100; seed < 110; ++seed) {
    Maker maker(GetParam(), seed);
    const Ensemble e = maker.make();
    const std::size_t rows = 1 + seed % 19;
    const std::vector<double> in = maker.rows(rows);
    std::vector<double> start(rows * e.outputs);
    for (double& x : start) x = maker.normal();
    expect_identical(run(pack(e), e, in, rows, &start), literal(e, in, rows, &start), std::to_string(seed));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, PackedTreesOfKind,
    ::testing::Values(Kind{.is_float32 = true,
                           .has_nan = true,
                           .has_categories = false,
                           .width = 1,
                           .features = 5,
                           .deepest = 6},
                      Kind{.is_float32 = true,
                           .has_nan = true,
                           .has_categories = false,
                           .width = 1,
                           .features = 5,
                           .sums_float32 = true,
                           .deepest = 3},
                      Kind{.is_float32 = false,
                           .has_nan = true,
                           .has_categories = false,
                           .width = 1,
                           .features = 5,
                           .deepest = 4},
                      Kind{.is_float32 = false,
                           .has_nan = false,
                           .has_categories = false,
                           .width = 1,
                           .features = 7,
                           .deepest = 2},
                      Kind{true, true, false, 1, 5, program::CategoryRule::kUint8, true},
                      Kind{true, true, false, 3, 5, program::CategoryRule::kUint8, true},
                      Kind{true, true, true, 1, 5, program::CategoryRule::kMembersRight, true},
                      Kind{false, true, true, 1, 4, program::CategoryRule::kMembersLeft},
                      Kind{false, true, false, 1, 4, program::CategoryRule::kUint8, false, true},
                      Kind{true, true, true, 2, 4, program::CategoryRule::kMembersLeft, false, true},
                      Kind{true, false, false, 1, 5}, Kind{true, true, false, 1, 5},
                      Kind{true, true, false, 3, 2}, Kind{true, true, true, 1, 4},
                      Kind{false, false, false, 1, 6}, Kind{false, true, false, 1, 6},
                      Kind{false, true, false, 2, 3}, Kind{false, true, true, 1, 3},
                      Kind{false, false, true, 2, 3}, Kind{true, true, false, 1, 3000}),
    [](const auto& each) {
      const Kind& kind = each.param;
      return std::string(kind.is_float32 ? "Float32" : "Float64") + (kind.has_nan ? "Nan" : "") +
             (kind.has_categories ? "Categories" : "") + "Width" + std::to_string(kind.width) + "Features" +
             std::to_string(kind.features) + (kind.sums_float32 ? "Sum32" : "") +
             (kind.zero_is_missing ? "Zero" : "") + "Depth" + std::to_string(kind.deepest) + "Rule" +
             std::to_string(static_cast<int>(kind.rule));
    });

// --- shapes
// -------------------------------------------------------------------------------------------------------

TEST(PackedTrees, OfFloat32UseSmallNodesWhileFeaturesFit) {
  EXPECT_TRUE(pack(Maker({true, false, false, 1, 5}, 1).make()).uses_node8());
  EXPECT_FALSE(pack(Maker({false, false, false, 1, 5}, 1).make()).uses_node8());
  Ensemble wide{.is_float32 = true, .features = 3000};
  wide.base = {0};
  wide.target = {0};
  wide.roots = {wide.add(2999, 0.5, 1, 2)};
  wide.add_leaf({1});
  wide.add_leaf({2});
  EXPECT_FALSE(pack(wide).uses_node8());
}

// A complete tree of `depth` over two features, in depth-first order; leaves are numbered.
std::int32_t grow_complete(Ensemble& e, int depth, double low, double high) {
  if (depth == 0) return e.add_leaf({static_cast<double>(e.values.size())});
  const double middle = (low + high) / 2;
  const std::int32_t node = e.add(depth % 2, middle, 0, 0);
  e.left[node] = grow_complete(e, depth - 1, low, middle);
  e.right[node] = grow_complete(e, depth - 1, middle, high);
  return node;
}

Ensemble complete(int trees, int depth) {
  Ensemble e{.is_float32 = true, .features = 2};
  e.base = {0};
  for (int t = 0; t < trees; ++t) {
    e.target.push_back(0);
    e.roots.push_back(grow_complete(e, depth, 0, 1));
  }
  e.category.clear();
  return e;
}

void expect_contract_for(const Ensemble& e, std::initializer_list<std::size_t> row_counts) {
  const PackedTrees packed = pack(e);
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (const std::size_t rows : row_counts) {
    std::vector<double> in(rows * e.features);
    for (double& x : in) x = uniform(random);
    expect_identical(run(packed, e, in, rows), literal(e, in, rows), std::to_string(rows) + " rows");
  }
}

TEST(PackedTrees, LargerThanTheCachesFollowTheContract) {
  const Ensemble e = complete(3, 16);
  EXPECT_TRUE(pack(e).uses_node8());
  EXPECT_GT(pack(e).node_bytes(), std::size_t{2} << 20);
  expect_contract_for(e, {1, 2, 3, 7, 8, 13, 100});
}

TEST(PackedTrees, TooLargeForSmallNodesUseLargeOnes) {
  const Ensemble e = complete(1, 18);
  EXPECT_FALSE(pack(e).uses_node8());
  expect_contract_for(e, {1, 5, 17});
}

TEST(PackedTrees, AsDeepAsTheyHaveNodesFollowTheContract) {
  Ensemble e{.is_float32 = true, .features = 1};
  e.base = {0};
  e.target = {0};
  e.roots = {0};
  constexpr int kDepth = 3000;
  for (int d = 0; d < kDepth; ++d) {
    const std::int32_t node = e.add(0, static_cast<double>(d) / kDepth, 0, 0);
    e.left[node] = e.add_leaf({static_cast<double>(d)});
    e.right[node] = node + 2;
  }
  e.add_leaf({-1});
  expect_contract_for(e, {1, 8, 20});
}

TEST(PackedTrees, WithTheSameRootTwiceAddItTwice) {
  Ensemble e = complete(1, 3);
  e.roots.push_back(e.roots[0]);
  e.target.push_back(0);
  expect_contract_for(e, {1, 9});
}

TEST(PackedTrees, OfNoTreesAreTheBase) {
  Ensemble e{.outputs = 2, .divisor = 2};
  e.base = {1, 3};
  EXPECT_THAT(run(pack(e), e, {7, 8}, 2), ElementsAre(0.5, 1.5, 0.5, 1.5));
}

TEST(PackedTrees, OfASingleLeafNeedNoFeatures) {
  Ensemble e{.features = 0};
  e.base = {1};
  e.target = {0};
  e.roots = {e.add_leaf({4})};
  EXPECT_THAT(run(pack(e), e, {}, 3), ElementsAre(5, 5, 5));
}

TEST(PackedTrees, OfNoRowsWriteNothing) {
  const Ensemble e = complete(1, 2);
  EXPECT_TRUE(run(pack(e), e, {}, 0).empty());
}

TEST(PackedTrees, GiveEachRowTheSameWhateverStandsBesideIt) {
  Maker maker({true, true, false, 1, 5}, 77);
  const Ensemble e = maker.make();
  const PackedTrees packed = pack(e);
  const std::vector<double> in = maker.rows(37);
  const std::vector<double> together = run(packed, e, in, 37);
  for (std::size_t i = 0; i < 37; ++i) {
    const std::vector<double> row(in.begin() + i * 5, in.begin() + (i + 1) * 5);
    const std::vector<double> alone = run(packed, e, row, 1);
    expect_identical(alone, {together.begin() + i * e.outputs, together.begin() + (i + 1) * e.outputs},
                     "row");
  }
}

TEST(PackedTrees, RefuseANodeReachedInTwoWays) {
  Ensemble diamond{.features = 1};
  diamond.base = {0};
  diamond.target = {0};
  diamond.roots = {diamond.add(0, 0, 1, 1)};
  diamond.add_leaf({1});
  const auto packed = PackedTrees::pack(diamond.arrays());
  ASSERT_FALSE(packed);
  EXPECT_EQ(packed.error().id, "engine.tree_shape");
  EXPECT_EQ(packed.error().message, "tree 0: node 1 can be reached in more than one way");
}

TEST(PackedTrees, RefuseARootInsideAnotherTree) {
  Ensemble e = complete(1, 2);
  e.roots.push_back(1);
  e.target.push_back(0);
  EXPECT_FALSE(PackedTrees::pack(e.arrays()));
}

}  // namespace
}  // namespace wherry::engine
