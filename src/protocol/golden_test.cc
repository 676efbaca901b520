#include "protocol/golden.h"

#include <cmath>
#include <gtest/gtest.h>

#include "base/text.h"

namespace wherry::protocol {
namespace {

constexpr std::string_view kHead =
    "{\"golden\": 1, \"framework\": \"scikit-learn\", \"version\": \"1.9.1\", \"source\": \"framework\"}\n";

base::Result<Golden> read(std::string_view lines) {
  return read_golden(base::cat(kHead, lines), "golden.jsonl");
}

TEST(Golden, ReadsEveryKindOfCellAndOutput) {
  const auto golden = read(
      R"({"columns": ["a", "b", "c"], "row": [NaN, "x", null], "outputs": {"predict": 9007199254740993, "predict_proba": [0.25, 1], "multi": [["a"], [true, -Infinity]]}})"
      "\n\n"
      R"({"columns": null, "row": [1, true], "outputs": {"predict": "é"}})");
  ASSERT_TRUE(golden) << golden.error().message;
  EXPECT_EQ(golden->source, GoldenSource::kFramework);
  EXPECT_EQ(golden->framework_version, "1.9.1");
  ASSERT_EQ(golden->examples.size(), 2U);
  const GoldenExample& first = golden->examples[0];
  EXPECT_EQ(first.line, 2U);
  EXPECT_EQ(first.columns.size(), 3U);
  EXPECT_TRUE(std::isnan(std::get<double>(first.row[0])));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(first.row[2]));
  EXPECT_EQ(first.outputs[0].depth, 0);
  EXPECT_EQ(first.outputs[0].parts[0][0], GoldenValue(std::int64_t{9007199254740993}));
  EXPECT_EQ(first.outputs[1].depth, 1);
  EXPECT_EQ(first.outputs[1].parts[0][1], GoldenValue(std::int64_t{1}));
  EXPECT_EQ(first.outputs[2].depth, 2);
  EXPECT_EQ(first.outputs[2].parts[1][0], GoldenValue(true));
  EXPECT_EQ(golden->examples[1].line, 4U);
  EXPECT_EQ(std::get<double>(golden->examples[1].row[1]), 1);
}

TEST(Golden, SurvivesWritingAndReading) {
  const std::string content = base::cat(
      kHead,
      R"({"columns": ["a"], "row": [0.1], "outputs": {"predict": ["x", null], "empty": [], "multi": [[1.0], [NaN, 2]]}})",
      "\n", R"({"columns": null, "row": [], "outputs": {"predict": -3}})", "\n");
  const auto golden = read_golden(content, "golden.jsonl");
  ASSERT_TRUE(golden) << golden.error().message;
  EXPECT_EQ(write_golden(*golden), content);
}

TEST(Golden, ErrorsNameFileAndLine) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"{\"row\": [1], \"outputs\": {\"predict\": 1}",
       "golden.jsonl, line 2: the line is not valid JSON: a comma or '}' is expected at line 2, column 39, "
       "where it ends"},
      {"\n[1]", "golden.jsonl, line 3: the line is not an object"},
      {"{\"row\": [1]}", "golden.jsonl, line 2: \"outputs\" is missing"},
      {"{\"outputs\": {\"predict\": 1}}", "golden.jsonl, line 2: \"row\" is missing"},
      {"{\"columns\": [\"a\", \"b\"], \"row\": [1], \"outputs\": {\"predict\": 1}}",
       "golden.jsonl, line 2: the row has 1 values, but there are 2 columns"},
      {"{\"row\": [[1]], \"outputs\": {\"predict\": 1}}",
       "golden.jsonl, line 2: a list or object stands where a single value is expected"},
      {"{\"row\": [1], \"outputs\": {\"predict\": [1, [2]]}}",
       "golden.jsonl, line 2: output 'predict' mixes values and lists"},
      {"{\"row\": [1], \"outputs\": {\"p\": 1, \"p\": 1}}",
       "golden.jsonl, line 2: output 'p' is given twice"},
      {"{\"rows\": [1], \"outputs\": {\"p\": 1}}", "golden.jsonl, line 2: unknown member 'rows'"}};
  for (const auto& [line, message] : cases) {
    const auto golden = read(line);
    ASSERT_FALSE(golden) << line;
    EXPECT_EQ(golden.error().message, message);
    EXPECT_EQ(golden.error().id, "protocol.bad_golden");
  }
}

TEST(Golden, TheFirstLineSaysWhoRecordedThem) {
  for (const std::string_view head :
       {"", "{}", "{\"golden\": 2, \"source\": \"framework\"}", "{\"golden\": 1}",
        "{\"golden\": 1, \"source\": \"me\"}", "{\"golden\": 1, \"source\": \"wherry\"} x", "\xff"})
    EXPECT_EQ(read_golden(head, "golden.jsonl").error().id, "protocol.bad_golden") << head;
  EXPECT_EQ(read_golden("{\"golden\": 1, \"source\": \"wherry\", \"recorded\": [1]}", "golden.jsonl")->source,
            GoldenSource::kWherry);
}

TEST(Golden, LimitsHold) {
  const std::string content =
      base::cat(kHead, "{\"row\": [1], \"outputs\": {\"p\": 1}}\n{\"row\": [1], \"outputs\": {\"p\": 1}}\n");
  EXPECT_FALSE(read_golden(content, "golden.jsonl", {.examples = 1}));
  EXPECT_FALSE(read_golden(content, "golden.jsonl", {.bytes = 20}));
  EXPECT_TRUE(read_golden(content, "golden.jsonl", {.examples = 2}));
}

}  // namespace
}  // namespace wherry::protocol
