#include "protocol/v1_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wherry::protocol {
namespace {

using ::testing::HasSubstr;

TEST(StructuredEvents, AreKnownByTheirContentType) {
  EXPECT_TRUE(is_structured_event("application/cloudevents+json; charset=utf-8"));
  EXPECT_TRUE(is_structured_event("Application/CloudEvents+JSON"));
  EXPECT_FALSE(is_structured_event("application/json"));
  EXPECT_FALSE(is_structured_event("application/cloudevents-batch+json"));
}

TEST(StructuredEvents, HoldTheRequestAsJsonOrBase64) {
  const auto plain = read_structured_event(
      R"({"data":{"instances":[[1, 2]]},"specversion":"1.0","id":"7","source":"s","type":"t","x":[1]})");
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(plain->data, R"({"instances":[[1, 2]]})");
  EXPECT_EQ(plain->id, "7");
  const auto encoded =
      read_structured_event(R"({"specversion":"1.0","id":"7","source":"s","type":"t","data_base64":"e30="})");
  ASSERT_TRUE(encoded);
  EXPECT_EQ(encoded->data, "{}");
}

TEST(StructuredEvents, AreRefusedWithoutTheirRequiredAttributes) {
  const auto error = [](std::string_view body) {
    const auto event = read_structured_event(body);
    return event ? "it was read" : event.error().message;
  };
  EXPECT_THAT(error(R"({"id":"7","source":"s","type":"t","data":{}})"), HasSubstr("specversion"));
  EXPECT_THAT(error(R"({"specversion":"0.3","id":"7","source":"s","type":"t","data":{}})"), HasSubstr("0.3"));
  EXPECT_THAT(error(R"({"specversion":"1.0","source":"s","type":"t","data":{}})"), HasSubstr("\"id\""));
  EXPECT_THAT(error(R"({"specversion":"1.0","id":"","source":"s","type":"t","data":{}})"),
              HasSubstr("empty"));
  EXPECT_THAT(error(R"({"specversion":"1.0","id":"7","source":"s","type":"t"})"), HasSubstr("no \"data\""));
  EXPECT_THAT(error(R"({"specversion":"1.0","id":7,"source":"s","type":"t","data":{}})"),
              HasSubstr("not text"));
  EXPECT_THAT(error("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(error("{"), HasSubstr("not valid JSON"));
}

TEST(StructuredEvents, AnswerWithKServesTypeAndSource) {
  EXPECT_EQ(write_structured_event("a1", "m", R"({"predictions":[1]})"),
            R"({"specversion":"1.0","id":"a1","source":"io.kserve.inference.m",)"
            R"("type":"io.kserve.inference.response","datacontenttype":"application/json",)"
            R"("data":{"predictions":[1]}})");
}

}  // namespace
}  // namespace wherry::protocol
