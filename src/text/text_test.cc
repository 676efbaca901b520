#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "text/json.h"
#include "text/yaml.h"

namespace wherry::text {
namespace {

using testing::HasSubstr;

TEST(ParseJson, NamesLineAndColumnOfAMistake) {
  const auto parsed = parse_json("{\n  \"a\": ]\n}", "spec.json");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().id, "text.json_syntax");
  EXPECT_THAT(parsed.error().message, HasSubstr("spec.json"));
  EXPECT_THAT(parsed.error().message, HasSubstr("line 2, column 8"));
}

TEST(ParseJson, RefusesDeepNesting) {
  EXPECT_EQ(parse_json(std::string(100'000, '['), "x").error().code, base::Code::kLimit);
}

TEST(ParseJson, RefusesDocumentsOverTheLimit) {
  EXPECT_EQ(parse_json("[1,2,3]", "x", {.bytes = 3}).error().id, "text.json_limit");
}

TEST(ParseJson, NothingHidesBehindAZeroByte) {
  EXPECT_EQ(parse_json(std::string_view("[]\0x", 4), "x").error().id, "text.json_syntax");
  EXPECT_FALSE(parse_json(std::string_view("[]\0", 3), "x"));
}

TEST(WriteJson, ReplacesInvalidUtf8) {
  EXPECT_THAT(write_json(Json("a\xff")), HasSubstr("\xef\xbf\xbd"));
}

TEST(Find, GivesNothingForAnotherType) {
  const Json object = {{"a", 1}, {"b", "x"}};
  EXPECT_EQ(find_string(object, "a"), nullptr);
  EXPECT_EQ(*find_string(object, "b"), "x");
  EXPECT_EQ(find_integer(object, "a"), 1);
  EXPECT_EQ(find(Json(3), "a"), nullptr);
}

TEST(ParseYaml, ReadsScalarsByTheCoreSchema) {
  const auto parsed = parse_yaml("a: 1\nb: '1'\nc: true\nd: ~\ne: 1.5\nf: text\ng: [x, 2]\nh: 0123x\n", "x");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, Json({{"a", 1},
                           {"b", "1"},
                           {"c", true},
                           {"d", nullptr},
                           {"e", 1.5},
                           {"f", "text"},
                           {"g", {"x", 2}},
                           {"h", "0123x"}}));
}

TEST(ParseYaml, NamesLineAndColumnOfAMistake) {
  EXPECT_THAT(parse_yaml("a: b\n  c: d\n", "kubeconfig").error().message, HasSubstr("line 2"));
}

TEST(ParseYaml, BoundsWhatAliasesExpandTo) {
  std::string laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + below;
    for (int k = 0; k < 9; ++k) laughs += "," + below;
    laughs += "]\n";
  }
  EXPECT_EQ(parse_yaml(laughs, "x").error().id, "text.yaml_limit");
}

TEST(ParseYaml, RefusesDeepNesting) {
  EXPECT_FALSE(parse_yaml(std::string(10'000, '['), "x"));
}

class WriteYaml : public testing::TestWithParam<Json> {};

TEST_P(WriteYaml, IsReadBackAsTheSameValue) {
  const std::string written = write_yaml(GetParam());
  const auto parsed = parse_yaml(written, "written");
  ASSERT_TRUE(parsed) << written;
  EXPECT_EQ(*parsed, GetParam()) << written;
}

INSTANTIATE_TEST_SUITE_P(
    Values, WriteYaml,
    testing::Values(
        Json{{"a", {{"b", {1, 2, {{"c", "d"}, {"e", {{"f", Json::array()}}}}}}}}, {"empty", Json::object()}},
        Json{{"words", {"yes",  "no",   "on",    "null", "~",   "1",  "1.5", "0x10", "-",          "- x",
                        "a: b", "a #b", "",      " x",   "x ",  "*a", "&b",  "!c",   "@d",         "`e",
                        "%f",   "'g'",  "\"h\"", "true", "1e3", ".5", "=",   "<<",   "2026-11-23", "12:30:45",
                        "a\tb", "ü",    "-x",    "?x",   ":x",  "{",  "[",   ","}}},
        Json{{"script", "line one\n  two: x\n\nthree\n"},
             {"cut", "a\nb"},
             {"two", "a\n\n"},
             {"lead", "\na"},
             {"list", {"x\ny\n", {{"k", "v\nw"}}}}},
        Json{{"n", -3},
             {"big", 9007199254740993},
             {"f", 0.1},
             {"t", true},
             {"z", nullptr},
             {"a b", 1},
             {"1", 2},
             {"x/y", 3}},
        Json::array({Json::array({1, 2}), Json::array({Json::array({3})}),
                     Json{{"a", Json::array({Json{{"b", 1}, {"c", 2}}})}}})));

}  // namespace
}  // namespace wherry::text
