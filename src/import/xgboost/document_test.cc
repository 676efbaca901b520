#include "import/xgboost/document.h"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wherry::xgboost {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsNan;

const Value::Numbers& numbers(const Value& document, std::string_view key) {
  static const Value::Numbers kNone;
  const Value* member = document.find(key);
  const auto* found = member == nullptr ? nullptr : member->as<Value::Numbers>();
  EXPECT_NE(found, nullptr) << key;
  return found == nullptr ? kNone : *found;
}

std::string ubj_error(const std::string& bytes) {
  const auto document = read_ubj(base::as_bytes(bytes));
  return document ? "" : document.error().id + ": " + document.error().message;
}

std::string json_error(std::string_view text) {
  const auto document = read_json(text);
  return document ? "" : document.error().id + ": " + document.error().message;
}

TEST(ReadJson, RoundsNumbersWithAPointToFloat32AndKeepsIntegers) {
  const auto document = read_json(R"({"a":[0.1,1E-45,16777217,-2],"b":[true,false]})");
  ASSERT_TRUE(document);
  EXPECT_THAT(numbers(*document, "a"),
              ElementsAre(static_cast<double>(0.1F), static_cast<double>(1e-45F), 16777217, -2));
  EXPECT_THAT(numbers(*document, "b"), ElementsAre(1, 0));
}

TEST(ReadJson, TakesTheTokensForNotANumberAndInfinity) {
  const auto document = read_json(R"({"a":[NaN,Infinity,-Infinity]})");
  ASSERT_TRUE(document);
  EXPECT_THAT(numbers(*document, "a"), ElementsAre(IsNan(), INFINITY, -INFINITY));
}

TEST(ReadJson, DecodesEscapesToUtf8) {
  const auto document = read_json(R"({"a":"\n\u00fc\ud835\udcb3\"\/"})");
  ASSERT_TRUE(document);
  EXPECT_EQ(*document->find("a")->as<std::string>(), "\n\u00fc\U0001d4b3\"/");
}

TEST(ReadJson, LeavesOutWhatPredictionDoesNotNeed) {
  const auto document = read_json(R"({"sum_hessian":[1,2],"Config":{"a":1},"b":2})");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->find("sum_hessian"), nullptr);
  EXPECT_EQ(document->find("Config"), nullptr);
  EXPECT_NE(document->find("b"), nullptr);
}

TEST(ReadJson, RefusesWhatIsNoJsonNamingTheOffset) {
  EXPECT_THAT(json_error(R"({"a":[1,2}})"), HasSubstr("xgboost.json_syntax: offset 9"));
  EXPECT_THAT(json_error(R"({"a" 1})"), HasSubstr("colon"));
  EXPECT_THAT(json_error(R"({"a":1)"), HasSubstr("brace"));
  EXPECT_THAT(json_error(R"({"a":1} x)"), HasSubstr("after the end"));
  EXPECT_THAT(json_error(R"({"a":"\ud835"})"), HasSubstr("half a character"));
  EXPECT_THAT(json_error(R"({"a":[1e99]})"), HasSubstr("float32"));
  EXPECT_THAT(json_error(R"({"a":[99999999999999999999]})"), HasSubstr("not a number"));
  EXPECT_THAT(json_error(R"({"a":"b)"), HasSubstr("without end"));
}

TEST(ReadJson, BoundsTheDepth) {
  EXPECT_THAT(json_error(std::string(100'000, '[')), HasSubstr("xgboost.limit"));
  EXPECT_EQ(json_error(std::string(20, '[') + std::string(20, ']')), "");
}

TEST(ReadUbj, ReadsTypedArraysOfEverySize) {
  const auto document =
      read_ubj(base::as_bytes("{"
                              "i\x01"
                              "a[$i#i\x02\xff\x01"
                              "i\x01"
                              "b[$l#L\0\0\0\0\0\0\0\x01\0\0\1\0"
                              "i\x01"
                              "c[$d#U\x01\x3f\x80\0\0"
                              "i\x01"
                              "d[#i\x02I\x01\0T"
                              "i\x01"
                              "e[D\x3f\xf8\0\0\0\0\0\0]"
                              "}"s));
  ASSERT_TRUE(document) << document.error().message;
  EXPECT_THAT(numbers(*document, "a"), ElementsAre(-1, 1));
  EXPECT_THAT(numbers(*document, "b"), ElementsAre(256));
  EXPECT_THAT(numbers(*document, "c"), ElementsAre(1));
  EXPECT_THAT(numbers(*document, "d"), ElementsAre(256, 1));
  EXPECT_THAT(numbers(*document, "e"), ElementsAre(1.5));
}

TEST(ReadUbj, RefusesLengthsBeyondTheEnd) {
  EXPECT_THAT(ubj_error("{i\x01"
                        "a[$d#L\x7f\xff\xff\xff\xff\xff\xff\xff"s),
              HasSubstr("xgboost.ubj_syntax"));
  EXPECT_THAT(ubj_error("{i\x01"
                        "a[$d#i\x02\0\0\0\0"s),
              HasSubstr("2 numbers where 4 bytes are left"));
  EXPECT_THAT(ubj_error("{i\x01"
                        "aSi\xff"s),
              HasSubstr("a length of -1"));
  EXPECT_THAT(ubj_error("{L\x7f\xff\xff\xff\xff\xff\xff\xff"s), HasSubstr("a key of"));
}

TEST(ReadUbj, RefusesArraysOfValuesWithoutBytes) {
  EXPECT_THAT(ubj_error("{i\x01"
                        "a[$Z#l\x7f\xff\xff\xff}"s),
              HasSubstr("something else than numbers"));
}

TEST(ReadUbj, BoundsTheDepth) {
  EXPECT_THAT(ubj_error("{i\x01"
                        "a" +
                        std::string(100'000, '[')),
              HasSubstr("xgboost.limit"));
}

TEST(ReadUbj, BoundsTheNumberOfValues) {
  const std::string bytes =
      "{i\x01"
      "a[" +
      std::string(100, 'Z') + "]}";
  EXPECT_TRUE(read_ubj(base::as_bytes(bytes)));
  const auto document = read_ubj(base::as_bytes(bytes), {.depth = 8, .values = 50});
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().id, "xgboost.limit");
}

}  // namespace
}  // namespace wherry::xgboost
