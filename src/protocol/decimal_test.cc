#include "protocol/decimal.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <gtest/gtest.h>
#include <random>
#include <string>

namespace wherry::protocol {
namespace {

template <class T>
std::string written(T value) {
  char buffer[kLongestDecimal];
  return {buffer, write_shortest(value, buffer)};
}

// What std::to_chars writes; integers below 10^15 with all their digits.
template <class T>
std::string expected(T value) {
  char buffer[64];
  const bool integer = std::abs(value) < static_cast<T>(1e15) && value == std::trunc(value);
  std::string text(buffer, integer
                               ? std::to_chars(buffer, buffer + 64, value, std::chars_format::fixed, 0).ptr
                               : std::to_chars(buffer, buffer + 64, value).ptr);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

constexpr double kDoubles[] = {0.0,
                               -0.0,
                               1.0,
                               0.1,
                               0.3,
                               1e-5,
                               1.5e-5,
                               0.0001,
                               0.00012,
                               0.001,
                               0.0012,
                               9.5e-10,
                               1e15,
                               1e16,
                               1e22,
                               1e23,
                               1e300,
                               5e-324,
                               1e-310,
                               0.5,
                               0.25,
                               0x1p-60,
                               2.5e-16,
                               1e100,
                               0x1p70,
                               0x1p-1022,
                               9007199254740993.0,
                               123456789012345678.0,
                               999999999999999.9,
                               999999999999999.0,
                               0.1 + 0.2,
                               1.0 / 3,
                               2.0 / 3,
                               4.35,
                               0.000244140625,
                               1.7976931348623157e308,
                               2.2250738585072014e-308,
                               5.8888888888888e-7,
                               -17.25};

TEST(Decimal, DoublesAreWrittenAsTheLibraryDoes) {
  for (const double value : kDoubles) EXPECT_EQ(written(value), expected(value));
}

TEST(Decimal, RandomDoublesAreWrittenAsTheLibraryDoes) {
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> unit(0, 1);
  for (int i = 0; i < 200'000; ++i) {
    const double any = std::bit_cast<double>(random());
    const double small = unit(random);
    const double rounded = std::round(small * 1e6) / 1e4;
    for (const double value :
         {any, small, -small * 1000, rounded, 1 - small, std::ldexp(1.0, i % 2000 - 1000)})
      if (std::isfinite(value)) {
        ASSERT_EQ(written(value), expected(value));
      }
  }
}

TEST(Decimal, RandomFloatsAreWrittenAsTheLibraryDoes) {
  std::mt19937 random(12);
  for (int i = 0; i < 300'000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    const auto round = static_cast<float>(random() % 100'000) / 1000.0F;
    if (std::isfinite(value)) {
      ASSERT_EQ(written(value), expected(value));
    }
    ASSERT_EQ(written(round), expected(round));
  }
}

TEST(Decimal, PowersOfTwoAreWrittenAsTheLibraryDoes) {
  for (int exponent = -1074; exponent < 1024; ++exponent) {
    ASSERT_EQ(written(std::ldexp(1.0, exponent)), expected(std::ldexp(1.0, exponent)));
    if (std::abs(exponent) < 127) {
      ASSERT_EQ(written(std::ldexp(1.0F, exponent)), expected(std::ldexp(1.0F, exponent)));
    }
  }
}

double library(std::uint64_t digits, std::int64_t exponent) {
  return std::strtod((std::to_string(digits) + "e" + std::to_string(exponent)).c_str(), nullptr);
}

TEST(Decimal, RandomDecimalsAreRoundedAsTheLibraryDoes) {
  std::mt19937_64 random(13);
  int decided = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t digits = random() >> random() % 64;
    const auto exponent = static_cast<std::int64_t>(random() % 700) - 370;
    for (const std::int64_t power : {exponent, exponent % 25}) {
      const auto value = decimal_to_double(digits, power);
      if (!value) continue;
      ++decided;
      ASSERT_EQ(*value, library(digits, power)) << digits << "e" << power;
    }
  }
  EXPECT_GT(decided, 300'000);
}

// Halfway between two doubles, and just beside it.
TEST(Decimal, TiesAreRoundedToEven) {
  std::mt19937_64 random(14);
  for (int i = 0; i < 50'000; ++i) {
    const std::uint64_t half = (std::uint64_t{1} << 53 | random() >> 11) * 2 + 1;
    for (const std::uint64_t digits : {half - 1, half, half + 1})
      for (const int shift : {0, 1, 5}) {
        const auto value = decimal_to_double(digits << shift, 0);
        if (value) {
          ASSERT_EQ(*value, library(digits << shift, 0)) << digits;
        }
      }
  }
  EXPECT_EQ(decimal_to_double(9007199254740993, 0), 9007199254740992.0);
}

TEST(Decimal, WhatIsWrittenReadsBack) {
  std::mt19937_64 random(15);
  for (int i = 0; i < 100'000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (std::isfinite(value)) {
      ASSERT_EQ(std::strtod(written(value).c_str(), nullptr), value);
    }
  }
}

TEST(Decimal, BeyondTheRangeNothingIsDecided) {
  EXPECT_EQ(decimal_to_double(1, 309), std::nullopt);
  EXPECT_EQ(decimal_to_double(2, 308), std::nullopt);
  EXPECT_EQ(decimal_to_double(1, -320), std::nullopt);
  EXPECT_EQ(decimal_to_double(0, 999), 0.0);
}

}  // namespace
}  // namespace wherry::protocol
