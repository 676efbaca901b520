#include <gtest/gtest.h>

#include "runtime/session.h"
#include "runtime/testing.h"

namespace wherry::runtime {
namespace {

using testing::field;
using testing::number;

std::string text_info(std::string_view name, int type) {
  const std::string shape = field(1, field(2, "n"));
  return field(1, name) + field(2, field(1, number(1, type) + field(2, shape)));
}
std::string text_attribute(std::string_view name, std::string_view value) {
  return field(1, name) + field(4, value) + std::string("\xa0\x01\x03");
}
std::string number_attribute(std::string_view name, int value) {
  return field(1, name) + number(3, value) + std::string("\xa0\x01\x02");
}

// text [n] → TextReplace → TextHash64 → int64 [n]
std::string cleaner(std::string_view pattern) {
  const std::string replace = field(1, "text") + field(2, "clean") + field(4, "TextReplace") +
                              field(5, text_attribute("pattern", pattern)) +
                              field(5, text_attribute("rewrite", "")) + field(5, number_attribute("all", 1)) +
                              field(7, "ai.wherry");
  const std::string hash = field(1, "clean") + field(2, "bucket") + field(4, "TextHash64") +
                           field(5, number_attribute("buckets", 100)) + field(7, "ai.wherry");
  const std::string graph = field(2, "g") + field(11, text_info("text", 8)) +
                            field(12, text_info("clean", 8)) + field(12, text_info("bucket", 7));
  std::string body;
  for (const std::string& node : {replace, hash}) {
    body += std::string(1, '\x0a');
    body += static_cast<char>((node.size() & 0x7f) | 0x80);
    body += static_cast<char>(node.size() >> 7);
    body += node;
  }
  body += graph;
  std::string model = number(1, 8) + std::string(1, '\x3a') + static_cast<char>((body.size() & 0x7f) | 0x80) +
                      static_cast<char>(body.size() >> 7) + body;
  return model + field(8, number(2, 17)) + field(8, field(1, "ai.wherry") + number(2, 1));
}

base::Result<std::unique_ptr<const Session>> load(const std::string& proto) {
  return Session::create({base::as_bytes(proto), {"text"}, {"clean", "bucket"}, {}});
}

tensor::ResultView view_of(std::span<const std::string_view> texts) {
  tensor::ResultView view;
  view.dtype = tensor::DType::kString;
  view.axes = 1;
  view.lengths[0] = static_cast<std::int64_t>(texts.size());
  view.texts = texts;
  return view;
}

TEST(TextOperators, RunInsideAGraphOfOnnxRuntime) {
  if (!testing::has_library()) GTEST_SKIP() << "no ONNX Runtime here";
  const auto session = load(cleaner("[!,]"));
  ASSERT_TRUE(session) << base::describe(session.error());
  const std::vector<std::string_view> texts{"a!b,c", "", "漢!"};
  const tensor::ResultView view = view_of(texts);
  Answers answers;
  const base::Status ran = (*session)->run(std::span(&view, 1), answers);
  ASSERT_TRUE(ran) << base::describe(ran.error());
  EXPECT_EQ(answers.views()[0].texts[0], "abc");
  EXPECT_EQ(answers.views()[0].texts[1], "");
  EXPECT_EQ(answers.views()[0].texts[2], "漢");
  EXPECT_EQ(answers.views()[1].as<std::int64_t>()[0], 2640714258260161385 % 100);  // of "abc", below 2^62
}

TEST(TextOperators, NoTextsGiveNoResults) {
  if (!testing::has_library()) GTEST_SKIP() << "no ONNX Runtime here";
  const auto session = load(cleaner("x"));
  ASSERT_TRUE(session);
  const tensor::ResultView view = view_of({});
  Answers answers;
  ASSERT_TRUE((*session)->run(std::span(&view, 1), answers));
  EXPECT_EQ(answers.views()[1].size(), 0U);
}

TEST(TextOperators, ABadPatternIsAnErrorWhenTheModelIsLoaded) {
  if (!testing::has_library()) GTEST_SKIP() << "no ONNX Runtime here";
  const auto session = load(cleaner("(?i)x"));
  ASSERT_FALSE(session);
  EXPECT_NE(session.error().message.find("(?i)x"), std::string::npos) << session.error().message;
}

TEST(TextOperators, ATextWhichCannotBeReadFailsTheRunAndSaysWhy) {
  if (!testing::has_library()) GTEST_SKIP() << "no ONNX Runtime here";
  const auto session = load(cleaner("x"));
  ASSERT_TRUE(session);
  const std::vector<std::string_view> texts{"\xff"};
  const tensor::ResultView view = view_of(texts);
  Answers answers;
  const base::Status ran = (*session)->run(std::span(&view, 1), answers);
  ASSERT_FALSE(ran);
  EXPECT_NE(ran.error().message.find("UTF-8"), std::string::npos) << ran.error().message;
}

}  // namespace
}  // namespace wherry::runtime
