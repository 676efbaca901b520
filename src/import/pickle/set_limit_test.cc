#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "import/pickle/error_ids.h"
#include "import/pickle/limits.h"

namespace wherry::pickle {
namespace {

TEST(SetLimit, TakesUnitsOf1024) {
  Limits limits;
  ASSERT_TRUE(set_limit(limits, "decompressed", "2G"));
  EXPECT_EQ(limits.decompressed_bytes, std::uint64_t{2} << 30);
  ASSERT_TRUE(set_limit(limits, "objects", "7"));
  EXPECT_EQ(limits.objects, 7U);
}

TEST(SetLimit, KnowsTheLimitBehindEveryErrorId) {
  for (const base::ErrorId& row : kErrorIds) {
    constexpr std::string_view kPrefix = "pickle.limit_";
    if (!row.id.starts_with(kPrefix)) continue;
    Limits limits;
    EXPECT_TRUE(set_limit(limits, row.id.substr(kPrefix.size()), "1")) << row.id;
  }
}

TEST(SetLimit, NamesTheNearestOfAMisspeltOne) {
  Limits limits;
  EXPECT_THAT(set_limit(limits, "object", "1").error().hint, testing::HasSubstr("objects"));
}

TEST(SetLimit, RefusesWhatIsNotANumber) {
  Limits limits;
  for (const char* value : {"", "-1", "x", "1T", "99999999999999999999", "G"})
    EXPECT_EQ(set_limit(limits, "objects", value).error().id, "pickle.bad_limit") << value;
}

TEST(SetLimit, RefusesMoreNestingThanTheReaderCanKeep) {
  Limits limits;
  EXPECT_FALSE(set_limit(limits, "depth", "65000"));
}

}  // namespace
}  // namespace wherry::pickle
