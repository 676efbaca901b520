// The binary tensor data extension in both directions.
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>

#include "base/text.h"
#include "protocol/response.h"
#include "protocol/test_schema.h"

namespace wherry::protocol {
namespace {

using tensor::CellKind;
using namespace std::string_literals;

template <class T>
std::string raw(std::initializer_list<T> values) {
  std::string bytes;
  for (const T value : values) bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  return bytes;
}

std::string text(std::string_view value) {
  return raw<std::uint32_t>({static_cast<std::uint32_t>(value.size())}) + std::string(value);
}

std::string binary_input(std::string_view name, std::string_view shape, std::string_view datatype,
                         std::size_t size) {
  return base::cat(R"({"name":")", name, R"(","shape":)", shape, R"(,"datatype":")", datatype,
                   R"(","parameters":{"binary_data_size":)", size, "}}");
}

struct Sent {
  std::string json, binary;
};
Sent matrix(std::string_view shape, std::string_view datatype, std::string binary) {
  return {base::cat(R"({"inputs":[)", binary_input("input", shape, datatype, binary.size()), "]}"),
          std::move(binary)};
}

base::Status read(const Sent& sent, const Schema& schema, Request& request, std::string& body) {
  body = sent.json + sent.binary;
  return read_v2_binary(body, sent.json.size(), schema, {}, request);
}

std::vector<double> numbers(const Sent& sent, std::size_t width = 1) {
  Request request;
  std::string body;
  const auto status = read(sent, matrix_schema(width), request, body);
  EXPECT_TRUE(status) << (status ? "" : status.error().message);
  return request.table.numbers;
}

base::Error refused(const Sent& sent, const Schema& schema = matrix_schema(1)) {
  Request request;
  std::string body;
  const auto status = read(sent, schema, request, body);
  EXPECT_FALSE(status) << sent.json;
  return status ? base::Error() : status.error();
}

TEST(V2Binary, EveryNumericDatatypeIsRead) {
  EXPECT_EQ(numbers(matrix("[2]", "FP64", raw<double>({0.1, -5}))), (std::vector<double>{0.1, -5}));
  EXPECT_EQ(numbers(matrix("[2]", "FP32", raw<float>({0.1F, 3}))),
            (std::vector<double>{static_cast<double>(0.1F), 3}));
  EXPECT_EQ(numbers(matrix("[2]", "INT8", raw<std::int8_t>({-128, 127}))), (std::vector<double>{-128, 127}));
  EXPECT_EQ(numbers(matrix("[2]", "INT16", raw<std::int16_t>({-32768, 5}))),
            (std::vector<double>{-32768, 5}));
  EXPECT_EQ(numbers(matrix("[1]", "INT32", raw<std::int32_t>({-2147483647}))),
            (std::vector<double>{-2147483647}));
  EXPECT_EQ(numbers(matrix("[1]", "INT64", raw<std::int64_t>({-9007199254740993}))),
            (std::vector<double>{-9007199254740992}));
  EXPECT_EQ(numbers(matrix("[1]", "UINT8", raw<std::uint8_t>({255}))), (std::vector<double>{255}));
  EXPECT_EQ(numbers(matrix("[1]", "UINT16", raw<std::uint16_t>({65535}))), (std::vector<double>{65535}));
  EXPECT_EQ(numbers(matrix("[1]", "UINT32", raw<std::uint32_t>({4294967295}))),
            (std::vector<double>{4294967295}));
  EXPECT_EQ(numbers(matrix("[1]", "UINT64", raw<std::uint64_t>({~std::uint64_t{0}}))),
            (std::vector<double>{18446744073709551616.0}));
  EXPECT_EQ(numbers(matrix("[3]", "BOOL", "\1\0\1"s)), (std::vector<double>{1, 0, 1}));
}

// All 65536 values would be the same code; these are the kinds of IEEE 754 binary16.
TEST(V2Binary, Fp16IsReadExactly) {
  const auto got = numbers(
      matrix("[9]", "FP16",
             raw<std::uint16_t>({0x0000, 0x8000, 0x0001, 0x83ff, 0x0400, 0x3555, 0x7bff, 0xfc00, 0x7e01})));
  EXPECT_EQ(got[0], 0);
  EXPECT_FALSE(std::signbit(got[0]));
  EXPECT_TRUE(std::signbit(got[1]));
  EXPECT_EQ(got[2], 0x1p-24);
  EXPECT_EQ(got[3], -1023 * 0x1p-24);
  EXPECT_EQ(got[4], 0x1p-14);
  EXPECT_EQ(got[5], 0.333251953125);
  EXPECT_EQ(got[6], 65504);
  EXPECT_EQ(got[7], -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(got[8]));
}

TEST(V2Binary, Bf16IsTheUpperHalfOfAFloat) {
  const auto got = numbers(matrix("[4]", "BF16", raw<std::uint16_t>({0x3f80, 0xc049, 0x0001, 0x7f80})));
  EXPECT_EQ(got[0], 1);
  EXPECT_EQ(got[1], -3.140625);
  EXPECT_EQ(got[2], static_cast<double>(0x1p-133F));
  EXPECT_TRUE(std::isinf(got[3]));
}

TEST(V2Binary, ANaNIsANumber) {
  Request request;
  std::string body;
  ASSERT_TRUE(read(matrix("[1]", "FP32", raw<float>({std::nanf("")})), matrix_schema(1), request, body));
  EXPECT_TRUE(std::isnan(request.table.numbers[0]));
  EXPECT_TRUE(request.table.is_numeric());
}

TEST(V2Binary, JsonAndBinaryInputsMayBeMixedInAnyOrder) {
  const Schema schema = mixed_schema();
  const std::string country = text("DE") + text("") + text("a\0\xc3\xa9"s);
  const std::string age = raw<std::int32_t>({1, 2, 3});
  const Sent sent{base::cat(R"({"inputs":[)", binary_input("country", "[3]", "BYTES", country.size()),
                            R"(,{"name":"amount","shape":[3],"datatype":"FP64","data":[1,2,3]},)",
                            binary_input("age", "[3,1]", "INT32", age.size()), ",",
                            binary_input("known", "[3]", "BOOL", 3),
                            R"(,{"name":"code","shape":[3],"datatype":"BYTES","data":["x","y","z"]}]})"),
                  country + age + "\1\0\1"s};
  Request request;
  std::string body;
  const auto status = read(sent, schema, request, body);
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(request.table.texts[1], "DE");
  EXPECT_EQ(request.table.texts[7], "");
  EXPECT_EQ(request.table.texts[13], "a\0\xc3\xa9"s);
  EXPECT_EQ(request.table.numbers[6], 2);
  EXPECT_EQ(request.table.numbers[9], 2);
  EXPECT_EQ(request.table.numbers[14], 1);
  EXPECT_EQ(request.table.texts[16], "z");
}

TEST(V2Binary, ATensorOfNoRowsNeedsNoBytes) {
  EXPECT_TRUE(numbers(matrix("[0,2]", "FP32", ""), 2).empty());
}

TEST(V2Binary, SizesWhichDoNotAgreeAreRefused) {
  const std::string two = raw<float>({1, 2});
  EXPECT_EQ(refused(matrix("[3]", "FP32", two)).message,
            "input 'input' has 8 bytes; its shape [3] of FP32 needs 12");
  EXPECT_EQ(refused(matrix("[1]", "FP32", two)).id, "protocol.bad_binary");
  EXPECT_EQ(refused(matrix("[2]", "FP64", two)).id, "protocol.bad_binary");
  Sent trailing = matrix("[2]", "FP32", two);
  trailing.binary += "x";
  EXPECT_EQ(refused(trailing).message, "1 bytes follow the last input");
  Sent cut = matrix("[2]", "FP32", two);
  cut.binary.pop_back();
  EXPECT_EQ(refused(cut).message,
            "input 'input' has \"binary_data_size\" 8, but 7 bytes are left behind the JSON");
  EXPECT_EQ(
      refused(
          {R"({"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1],"parameters":{"binary_data_size":4}}]})",
           "abcd"})
          .id,
      "protocol.bad_binary");
  EXPECT_EQ(refused(matrix("[1099511627776]", "FP32", two)).id, "protocol.bad_binary");
}

TEST(V2Binary, BytesElementsAreCheckedForTheirLengths) {
  const Schema schema = test_schema({{"t", program::ColumnType::kText}}, true);
  const auto bytes = [&](std::string_view shape, std::string binary) {
    return refused(
        {base::cat(R"({"inputs":[)", binary_input("t", shape, "BYTES", binary.size()), "]}"), binary},
        schema);
  };
  EXPECT_EQ(bytes("[1]", "\3\0\0\0ab"s).message,
            "element 0 of input 't' says it has 3 bytes, but 2 are left");
  EXPECT_EQ(bytes("[1]", "\xff\xff\xff\xff"s).id, "protocol.bad_binary");
  EXPECT_EQ(bytes("[2]", text("abcdef")).id, "protocol.bad_binary");
  EXPECT_EQ(bytes("[1]", text("a") + text("b")).id, "protocol.bad_binary");
  EXPECT_EQ(bytes("[1]", "\1\0"s).id, "protocol.bad_binary");
  EXPECT_EQ(bytes("[1]", text("\xc3\x28")).id, "protocol.bad_utf8");
}

TEST(V2Binary, ABoolIsZeroOrOne) {
  EXPECT_EQ(refused(matrix("[2]", "BOOL", "\1\2"s)).message,
            "element 1 of input 'input' is 2, which is no BOOL");
}

TEST(V2Binary, BinaryDataNeedsTheHeader) {
  Request request;
  const auto status = read_v2(matrix("[1]", "FP32", "").json, matrix_schema(1), {}, request);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().id, "protocol.bad_binary");
}

TEST(V2Binary, TheHeaderIsANumberWithinTheBody) {
  EXPECT_EQ(inference_header_length("10", 10), 10U);
  EXPECT_EQ(inference_header_length("0", 10), 0U);
  for (const std::string_view bad : {"11", "-1", "", "abc", "1 ", "99999999999999999999"}) {
    const auto size = inference_header_length(bad, 10);
    ASSERT_FALSE(size) << bad;
    EXPECT_EQ(size.error().id, "protocol.bad_binary");
  }
}

TEST(V2Binary, ABareBodyIsTheOnlyInput) {
  Request request;
  ASSERT_TRUE(read_v2_binary(raw<double>({1, 2, 3, 4}), 0, matrix_schema(2), {}, request));
  EXPECT_EQ(request.table.rows, 2U);
  EXPECT_EQ(request.table.numbers, (std::vector<double>{1, 2, 3, 4}));
  EXPECT_TRUE(request.binary_outputs);
  const Schema words = test_schema({{"t", program::ColumnType::kText}}, true);
  ASSERT_TRUE(read_v2_binary("a whole text", 0, words, {}, request));
  EXPECT_EQ(request.table.texts[0], "a whole text");
  EXPECT_FALSE(read_v2_binary(raw<float>({1}), 0, matrix_schema(2), {}, request));
  EXPECT_FALSE(read_v2_binary(raw<double>({1}), 0, mixed_schema(), {}, request));
  EXPECT_FALSE(read_v2_binary("\xc3\x28", 0, words, {}, request));
}

struct Answered {
  std::string json, binary;
};

Answered answer(std::string_view outputs) {
  const Schema schema = matrix_schema(2);
  const double values[] = {0.25, 0.75, 1, 0};
  const std::string_view names[] = {"a", "bc"};
  const std::string labels[] = {"c0", "c1"};
  const tensor::ResultView proba{.axes = 2, .lengths = {2, 2}, .data = values};
  const tensor::ResultView predict{
      .dtype = tensor::DType::kString, .axes = 1, .lengths = {2}, .texts = names};
  const tensor::NamedResult results[] = {{"predict", {&predict, 1}, {}},
                                         {"predict_proba", {&proba, 1}, labels}};
  Request request;
  const std::string body =
      base::cat(R"({"inputs":[{"name":"x","shape":[2,2],"datatype":"FP64","data":[1,2,3,4]}])", outputs, "}");
  const auto status = read_v2(body, schema, {}, request);
  EXPECT_TRUE(status) << (status ? "" : status.error().message);
  std::string out = "before ";
  const std::size_t json_size = write_v2_answer({"m", "1", request.id}, schema, request, results, out);
  out.erase(0, 7);
  return json_size == 0 ? Answered{out, ""} : Answered{out.substr(0, json_size), out.substr(json_size)};
}

TEST(V2Binary, EachOutputIsAnsweredAsItAsksFor) {
  const Answered got =
      answer(R"(,"outputs":[{"name":"predict_proba","parameters":{"binary_data":true}},{"name":"predict"}])");
  EXPECT_EQ(
      got.json,
      R"({"model_name":"m","model_version":"1","outputs":[{"name":"predict_proba","datatype":"FP64","shape":[2,2],"parameters":{"binary_data_size":32}},{"name":"predict","datatype":"BYTES","shape":[2],"data":["a","bc"]}]})");
  EXPECT_EQ(got.binary, raw<double>({0.25, 0.75, 1, 0}));
}

TEST(V2Binary, TheRequestSaysHowOutputsGoOutWhichDoNot) {
  const Answered all = answer(R"(,"parameters":{"binary_data_output":true})");
  EXPECT_EQ(all.binary, text("a") + text("bc") + raw<double>({0.25, 0.75, 1, 0}));
  const Answered one = answer(
      R"(,"outputs":[{"name":"predict","parameters":{"binary_data":false}},{"name":"predict_proba"}],"parameters":{"binary_data_output":true})");
  EXPECT_EQ(one.binary, raw<double>({0.25, 0.75, 1, 0}));
  EXPECT_TRUE(answer(R"(,"parameters":{"binary_data_output":false})").binary.empty());
}

TEST(V2Binary, ClassificationGivesTheBestClassesOfEachRow) {
  const Answered got = answer(R"(,"outputs":[{"name":"predict_proba","parameters":{"classification":1}}])");
  EXPECT_EQ(
      got.json,
      R"({"model_name":"m","model_version":"1","outputs":[{"name":"predict_proba","datatype":"BYTES","shape":[2,1],"data":["0.75:1:c1","1.0:0:c0"]}]})");
  const Answered binary =
      answer(R"(,"outputs":[{"name":"predict_proba","parameters":{"classification":5,"binary_data":true}}])");
  EXPECT_EQ(binary.binary, text("0.75:1:c1") + text("0.25:0:c0") + text("1.0:0:c0") + text("0.0:1:c1"));
}

TEST(V2Binary, AnUnchosenAnswerIsTheJsonOfAllOutputs) {
  const Answered got = answer("");
  EXPECT_TRUE(got.binary.empty());
  EXPECT_NE(got.json.find(R"("data":["a","bc"])"), std::string::npos);
}

}  // namespace
}  // namespace wherry::protocol
