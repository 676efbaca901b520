#include "base/numbers.h"

#include <cmath>
#include <gtest/gtest.h>

namespace wherry::base {
namespace {

TEST(ParsePythonFloat, TakesWhatPythonTakes) {
  EXPECT_EQ(parse_python_float("1.5"), 1.5);
  EXPECT_EQ(parse_python_float(" \t2.5\n"), 2.5);
  EXPECT_EQ(parse_python_float("1e3"), 1000.0);
  EXPECT_EQ(parse_python_float("+.5"), 0.5);
  EXPECT_EQ(parse_python_float("5."), 5.0);
  EXPECT_EQ(parse_python_float("1_000"), 1000.0);
  EXPECT_EQ(parse_python_float("\u0663"), 3.0);
  EXPECT_EQ(parse_python_float("\u3000\U0001D7D7"), 9.0);
  EXPECT_TRUE(std::signbit(*parse_python_float("-0")));
}

TEST(ParsePythonFloat, TooLargeIsInfiniteAndTooSmallIsZero) {
  EXPECT_EQ(parse_python_float("-1e999"), -INFINITY);
  EXPECT_EQ(parse_python_float("1e-999"), 0.0);
}

TEST(ParsePythonFloat, NamesOfSpecialValues) {
  EXPECT_TRUE(std::isnan(*parse_python_float("-NaN")));
  EXPECT_EQ(parse_python_float("Infinity"), INFINITY);
  EXPECT_EQ(parse_python_float("-inf"), -INFINITY);
}

TEST(ParsePythonFloat, RefusesWhatPythonRefuses) {
  for (const char* text : {"", " ", "abc", "0x10", "1__0", "_1", "1_", "1 2", "1e", "e5", ".", "+-1",
                           "nan(1)", "1,5", "--1", "\xE2\x82"})
    EXPECT_EQ(parse_python_float(text), std::nullopt) << text;
}

TEST(PythonRepr, IsThatOfPython) {
  EXPECT_EQ(python_repr(1), "1.0");
  EXPECT_EQ(python_repr(-0.0), "-0.0");
  EXPECT_EQ(python_repr(100000), "100000.0");
  EXPECT_EQ(python_repr(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(python_repr(1e16), "1e+16");
  EXPECT_EQ(python_repr(0.0001), "0.0001");
  EXPECT_EQ(python_repr(1.5e-07), "1.5e-07");
  EXPECT_EQ(python_repr(-INFINITY), "-inf");
}

}  // namespace
}  // namespace wherry::base
