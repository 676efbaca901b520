#include "protobuf/wire.h"

#include <gtest/gtest.h>
#include <limits>
#include <vector>

namespace wherry::protobuf {
namespace {

using namespace std::string_view_literals;

// The examples of protobuf.dev/programming-guides/encoding.
TEST(Wire, ReadsTheDocumentedExamples) {
  Reader number("\x08\x96\x01"sv);
  Field field;
  ASSERT_TRUE(number.next(field));
  EXPECT_EQ(field.key(), key(1, WireType::kVarint));
  EXPECT_EQ(field.value, 150U);
  EXPECT_FALSE(number.next(field));
  EXPECT_FALSE(number.failed());
  Reader text("\x12\x07testing"sv);
  ASSERT_TRUE(text.next(field));
  EXPECT_EQ(field.key(), key(2, WireType::kBytes));
  EXPECT_EQ(field.bytes, "testing");
}

TEST(Wire, WhatIsWrittenIsReadBack) {
  std::string out;
  Writer writer(out);
  writer.int64(1, -1);
  writer.float64(2, 0.1);
  writer.boolean(3, true);
  writer.text_unless_empty(4, "");
  writer.varint_unless_zero(5, 0);
  const std::size_t mark = writer.begin(6);
  writer.bytes(1, std::string(300, 'x'));
  writer.end(mark);
  Reader reader(out);
  Field field;
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.as_int64(), -1);
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.as_double(), 0.1);
  ASSERT_TRUE(reader.next(field));
  EXPECT_TRUE(field.as_bool());
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.number, 6U);
  Reader nested(field.bytes);
  ASSERT_TRUE(nested.next(field));
  EXPECT_EQ(field.bytes, std::string(300, 'x'));
  EXPECT_FALSE(reader.next(field));
  EXPECT_FALSE(reader.failed());
}

TEST(Wire, EveryCutMessageIsRefusedOrEndsAtAField) {
  std::string out;
  Writer writer(out);
  writer.varint(1, 300);
  writer.float64(2, 1.5);
  writer.bytes(3, "abc");
  const std::vector<std::size_t> ends{0, 3, 12, out.size()};
  for (std::size_t size = 0; size <= out.size(); ++size) {
    Reader reader(std::string_view(out).substr(0, size));
    Field field;
    while (reader.next(field)) {
    }
    const bool whole = std::find(ends.begin(), ends.end(), size) != ends.end();
    EXPECT_EQ(reader.failed(), !whole) << size;
  }
}

TEST(Wire, GroupsAndImpossibleTagsAreRefusedNamingTheOffset) {
  for (const std::string_view bad :
       {"\x0b\x0c"sv, "\x00"sv, "\x0f"sv, "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv,
        "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"sv}) {
    Reader reader(bad);
    Field field;
    EXPECT_FALSE(reader.next(field));
    const auto status = reader.status("the request");
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().id, "protobuf.malformed");
    EXPECT_NE(status.error().message.find("at byte 0"), std::string::npos);
  }
}

TEST(Wire, RepeatedNumbersComePackedOrOneByOne) {
  std::vector<std::uint64_t> got;
  const auto take = [&](std::uint64_t value) {
    got.push_back(value);
    return true;
  };
  EXPECT_TRUE(each_element({.type = WireType::kBytes, .bytes = "\x03\x8e\x02\x9e\xa7\x05"sv},
                           WireType::kVarint, take));
  EXPECT_TRUE(each_element({.type = WireType::kVarint, .value = 7}, WireType::kVarint, take));
  EXPECT_EQ(got, (std::vector<std::uint64_t>{3, 270, 86942, 7}));
  EXPECT_FALSE(each_element({.type = WireType::kBytes, .bytes = "\x80"sv}, WireType::kVarint, take));
  EXPECT_FALSE(each_element({.type = WireType::kBytes, .bytes = "abc"sv}, WireType::kFixed32, take));
  EXPECT_FALSE(each_element({.type = WireType::kFixed64}, WireType::kFixed32, take));
}

TEST(Wire, TheLargestNumberIsTenBytes) {
  std::string out;
  Writer(out).varint(1, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(out.size(), 11U);
  Reader reader(out);
  Field field;
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.value, std::numeric_limits<std::uint64_t>::max());
}

}  // namespace
}  // namespace wherry::protobuf
