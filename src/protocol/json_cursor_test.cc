#include "protocol/json_cursor.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <gtest/gtest.h>
#include <random>

#include "base/text.h"
#include "text/json.h"

namespace wherry::protocol {
namespace {

base::Result<double> number_in(std::string_view text, bool nan_tokens = false) {
  std::string arena;
  JsonCursor cursor(text, {.nan_tokens = nan_tokens}, arena);
  JsonNumber number;
  if (!cursor.number(number) || !cursor.finish()) return cursor.error();
  return number.value;
}

bool is_json(std::string_view text, std::size_t depth = 100) {
  std::string arena;
  JsonCursor cursor(text, {.depth = depth}, arena);
  return cursor.skip_value() && cursor.finish();
}

std::string string_in(std::string_view text) {
  std::string arena;
  JsonCursor cursor(text, {}, arena);
  std::string_view out;
  if (!cursor.string(out) || !cursor.finish()) return "error: " + cursor.status().error().message;
  return std::string(out);
}

// 2 000 random bit patterns and the cases which naive readers round wrongly, each in several notations.
TEST(JsonCursor, NumbersAreRoundedAsStrtodDoes) {
  std::vector<std::string> texts{"0.1",
                                 "1e22",
                                 "1e23",
                                 "9007199254740993",
                                 "9007199254740993.0",
                                 "9007199254740992.5",
                                 "2.2250738585072011e-308",
                                 "2.2250738585072014e-308",
                                 "4.9406564584124654e-324",
                                 "2.4703282292062327e-324",
                                 "2.4703282292062328e-324",
                                 "1e-400",
                                 "1.7976931348623157e308",
                                 "179769313486231580793728971405301e276",
                                 "0.500000000000000166533453693773481063544750213623046875",
                                 "8.41e21",
                                 "7.2057594037927933e16",
                                 "123456789012345678901234567890",
                                 "0.000000000000000000000000000000000000001",
                                 "1.00000000000000011102230246251565404236316680908203125",
                                 "1.00000000000000011102230246251565404236316680908203124",
                                 "6631.236846766476",
                                 "18446744073709551615",
                                 "18446744073709551616",
                                 "99999999999999999999",
                                 "0.00000000000000000001e20"};
  std::mt19937_64 random(7);
  for (int i = 0; i < 2000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    char buffer[64];
    texts.emplace_back(buffer, std::to_chars(buffer, buffer + 64, value).ptr);
    std::snprintf(buffer, sizeof buffer, "%.17e", value);
    texts.emplace_back(buffer);
    std::snprintf(buffer, sizeof buffer, "%.3f", std::fmod(value, 1e6));
    texts.emplace_back(buffer);
  }
  for (const std::string& text : texts) {
    const auto read = number_in(text);
    ASSERT_TRUE(read) << text << ": " << read.error().message;
    EXPECT_EQ(std::bit_cast<std::uint64_t>(*read),
              std::bit_cast<std::uint64_t>(std::strtod(text.c_str(), nullptr)))
        << text;
  }
}

TEST(JsonCursor, TheIntegerMinusZeroIsZeroAndTheDoubleIsNot) {
  EXPECT_FALSE(std::signbit(*number_in("-0")));
  EXPECT_TRUE(std::signbit(*number_in("-0.0")));
}

TEST(JsonCursor, NumbersBeyondTheRangeOfADoubleAreRefused) {
  EXPECT_EQ(number_in("1e400").error().id, "protocol.number_range");
  EXPECT_EQ(number_in("-1" + std::string(400, '0')).error().id, "protocol.number_range");
}

TEST(JsonCursor, NotationsWhichJsonDoesNotHaveAreRefused) {
  for (const std::string_view text : {"+1", ".5", "5.", "01", "-", "1e", "1e+", "0x10", "--1", "1.e5", "-.5",
                                      "1_000", "NaN", "Infinity", "-Infinity", "nan", "Inf"})
    EXPECT_FALSE(number_in(text)) << text;
}

TEST(JsonCursor, PythonsTokensAreReadWhereTheyAreAllowed) {
  EXPECT_TRUE(std::isnan(*number_in("NaN", true)));
  EXPECT_EQ(*number_in("-Infinity", true), -HUGE_VAL);
  EXPECT_EQ(*number_in("Infinity", true), HUGE_VAL);
  EXPECT_FALSE(number_in("-NaN", true));
}

TEST(JsonCursor, EscapesBecomeUtf8) {
  EXPECT_EQ(string_in(R"("a\"\\\/\b\f\n\r\t\u00e9\u20ac\ud83d\ude00z")"), "a\"\\/\b\f\n\r\té€😀z");
  EXPECT_EQ(string_in(R"("\u0000")"), std::string(1, '\0'));
}

TEST(JsonCursor, BrokenStringsAreRefused) {
  for (const std::string_view text : {R"("\ud83d")", R"("\ude00")", R"("\ud83dx")", R"("\ud83d\u0041")",
                                      R"("\x41")", R"("\u12g4")", R"("abc)", "\"a\nb\"", R"("\)", R"("\u12)"})
    EXPECT_TRUE(string_in(text).starts_with("error")) << text;
}

TEST(JsonCursor, TakesExactlyWhatTheJsonLibraryTakes) {
  const std::string_view documents[] = {"{}",
                                        "[]",
                                        "[1,2]",
                                        "[1,]",
                                        "[,1]",
                                        "{\"a\":1}",
                                        "{\"a\":1,}",
                                        "{\"a\"}",
                                        "{a:1}",
                                        "{\"a\":1 \"b\":2}",
                                        "[1 2]",
                                        "null",
                                        "nul",
                                        "nulll",
                                        "true",
                                        "tru",
                                        "[true,false,null]",
                                        "",
                                        " ",
                                        "1 2",
                                        "[[[]]]",
                                        "[[]",
                                        "]",
                                        "{\"a\":[1,{\"b\":null}]}",
                                        "\"x\"",
                                        "[\"\\u00e9\"]",
                                        "{\"a\":1,\"a\":2}",
                                        "[1]x",
                                        "\xef\xbb\xbf[]",
                                        "[1e5,-0.0,0]",
                                        "[00]",
                                        "[1.0.0]",
                                        "{\"a\":}",
                                        "{:1}",
                                        "[}",
                                        "{]"};
  for (const std::string_view document : documents)
    EXPECT_EQ(is_json(document), text::parse_json(document, "x").has_value()) << document;
}

TEST(JsonCursor, NestingBeyondTheLimitIsRefused) {
  EXPECT_TRUE(is_json(std::string(100, '[') + std::string(100, ']')));
  EXPECT_FALSE(is_json(std::string(101, '[') + std::string(101, ']')));
  std::string arena;
  const std::string bomb(1'000'000, '[');
  JsonCursor cursor(bomb, {}, arena);
  EXPECT_FALSE(cursor.skip_value());
  EXPECT_EQ(cursor.status().error().id, "protocol.limit");
  EXPECT_EQ(base::http_status(cursor.status().error().code), 413);
}

TEST(JsonCursor, ErrorsNameLineAndColumn) {
  std::string arena;
  JsonCursor cursor("{\"a\": 1,\n \"b\" 2}", {}, arena);
  EXPECT_FALSE(cursor.skip_value());
  EXPECT_EQ(cursor.status().error().message,
            "the body is not valid JSON: a colon is expected at line 2, column 6");
}

TEST(JsonCursor, SkippedValuesCanBeReadAfterwards) {
  std::string arena;
  JsonCursor cursor(R"(["a\tb", "c\td"])", {}, arena);
  ASSERT_TRUE(cursor.begin_array());
  ASSERT_TRUE(cursor.next_element());
  const auto mark = cursor.mark();
  ASSERT_TRUE(cursor.skip_value());
  ASSERT_TRUE(cursor.next_element());
  std::string_view second, first;
  ASSERT_TRUE(cursor.string(second));
  const auto end = cursor.mark();
  cursor.seek(mark);
  ASSERT_TRUE(cursor.string(first));
  cursor.seek(end);
  EXPECT_FALSE(cursor.next_element());
  EXPECT_TRUE(cursor.finish());
  EXPECT_EQ(first, "a\tb");
  EXPECT_EQ(second, "c\td");
}

// A list as plain_numbers() and number() together read it.
std::vector<double> list_in(std::string text, bool& ok, int& plain) {
  text += std::string(40, ' ');
  std::string arena;
  JsonCursor cursor(text, {}, arena);
  std::vector<double> values;
  ok = cursor.begin_array();
  while (cursor.next_element()) {
    double some[3];
    bool ended = false;
    const std::size_t count = cursor.plain_numbers(some, 1, 3, ended);
    values.insert(values.end(), some, some + count);
    plain += static_cast<int>(count);
    if (ended) continue;
    JsonNumber number;
    if (!cursor.number(number)) break;
    values.push_back(number.value);
  }
  ok = !cursor.failed() && cursor.finish();
  return values;
}

// Numbers of all lengths and places of the point, signs, exponents and blanks: as strtod reads each.
TEST(JsonCursor, PlainNumbersAreReadAsAllOthers) {
  std::mt19937_64 random(21);
  int plain = 0;
  for (int list = 0; list < 3000; ++list) {
    std::string text = "[";
    std::vector<double> expected;
    for (int i = 0; i < 12; ++i) {
      std::string number = random() % 3 == 0 ? "-" : "";
      const std::size_t whole = 1 + random() % 10;
      for (std::size_t k = 0; k < whole; ++k) number += static_cast<char>('0' + random() % 10);
      if (number[number.size() - whole] == '0') number[number.size() - whole] = whole == 1 ? '0' : '7';
      const std::size_t fraction = random() % 9;
      if (fraction != 0) number += '.';
      for (std::size_t k = 0; k < fraction; ++k) number += static_cast<char>('0' + random() % 10);
      if (random() % 20 == 0) number += "e-3";
      expected.push_back(number == "-0" ? 0.0 : std::strtod(number.c_str(), nullptr));
      text +=
          (i == 0 ? "" : ",") + std::string(random() % 3, ' ') + number + std::string(random() % 9 == 0, ' ');
    }
    bool ok = false;
    const auto values = list_in(text + "]", ok, plain);
    ASSERT_TRUE(ok) << text;
    ASSERT_EQ(values.size(), expected.size()) << text;
    for (std::size_t i = 0; i < values.size(); ++i)
      ASSERT_EQ(std::bit_cast<std::uint64_t>(values[i]), std::bit_cast<std::uint64_t>(expected[i])) << text;
  }
  EXPECT_GT(plain, 8000);
}

TEST(JsonCursor, NothingBrokenIsAPlainNumber) {
  for (const char* text : {"[01,2,3]", "[-,2,3]", "[1.,2,3]", "[.5,2,3]", "[1..2,3]", "[1.2.3,4]", "[--1,2]",
                           "[+1,2]", "[1,,2]", "[1,2,]", "[1 2,3]", "[1,2", "[1,2,3}", "[00,1]", "[-01.5,1]",
                           "[1.5e,2]", "[1:2,3]", "[1/2,3]", "[\xb1\x32,3]"}) {
    bool ok = true;
    int plain = 0;
    list_in(text, ok, plain);
    EXPECT_FALSE(ok) << text;
  }
}

}  // namespace
}  // namespace wherry::protocol
