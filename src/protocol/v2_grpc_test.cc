#include "protocol/v2_grpc.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <gtest/gtest.h>

#include "protobuf/wire.h"

#include "base/text.h"
#include "protocol/test_schema.h"

namespace wherry::protocol {
namespace {

using protobuf::Writer;
using namespace std::string_literals;
using Fill = std::function<void(Writer&, std::string&)>;

std::string message(const Fill& fill) {
  std::string out;
  Writer writer(out);
  fill(writer, out);
  return out;
}

// InferInputTensor; `contents` fills its InferTensorContents.
std::string input(std::string_view name, std::string_view datatype, std::initializer_list<std::int64_t> shape,
                  const Fill& contents = nullptr) {
  return message([&](Writer& writer, std::string& out) {
    writer.bytes(1, name);
    writer.bytes(2, datatype);
    const std::size_t mark = writer.begin(3);
    for (const std::int64_t length : shape) writer.raw_varint(static_cast<std::uint64_t>(length));
    writer.end(mark);
    if (contents) writer.bytes(5, message(contents));
    (void)out;
  });
}

std::string request_of(std::initializer_list<std::string> inputs,
                       std::initializer_list<std::string> raws = {}, const Fill& more = nullptr) {
  return message([&](Writer& writer, std::string& out) {
    writer.bytes(1, "m");
    if (more) more(writer, out);
    for (const std::string& one : inputs) writer.bytes(5, one);
    for (const std::string& raw : raws) writer.bytes(7, raw);
  });
}

std::string int_parameter(std::string_view name, std::int64_t value) {
  return message([&](Writer& writer, std::string&) {
    writer.bytes(1, name);
    writer.bytes(2, message([&](Writer& inner, std::string&) { inner.int64(2, value); }));
  });
}

Fill packed(std::uint32_t field, std::initializer_list<std::uint64_t> values) {
  return [=](Writer& writer, std::string&) {
    const std::size_t mark = writer.begin(field);
    for (const std::uint64_t value : values) writer.raw_varint(value);
    writer.end(mark);
  };
}

Fill packed_floats(std::initializer_list<float> values) {
  return [=](Writer& writer, std::string& out) {
    const std::size_t mark = writer.begin(6);
    for (const float value : values) out.append(reinterpret_cast<const char*>(&value), sizeof value);
    writer.end(mark);
  };
}

Request accepted(const Schema& schema, const std::string& body) {
  Request request;
  const auto status = read_infer_request(body, schema, {}, request);
  EXPECT_TRUE(status) << (status ? "" : status.error().message);
  return request;
}

base::Error refused(const Schema& schema, const std::string& body) {
  Request request;
  const auto status = read_infer_request(body, schema, {}, request);
  EXPECT_FALSE(status);
  return status ? base::Error() : status.error();
}

constexpr std::uint64_t minus(std::uint64_t value) {
  return 0 - value;
}

TEST(GrpcRequest, EveryDatatypeIsTakenFromItsContents) {
  const Schema schema = matrix_schema(1);
  const auto numbers = [&](std::string_view datatype, const Fill& contents) {
    const std::string body = request_of({input("x", datatype, {2}, contents)});
    return accepted(schema, body).table.numbers;
  };
  EXPECT_EQ(numbers("BOOL", packed(1, {1, 0})), (std::vector<double>{1, 0}));
  EXPECT_EQ(numbers("INT8", packed(2, {minus(128), 127})), (std::vector<double>{-128, 127}));
  EXPECT_EQ(numbers("INT16", packed(2, {minus(32768), 5})), (std::vector<double>{-32768, 5}));
  EXPECT_EQ(numbers("INT32", packed(2, {minus(1), 2147483647})), (std::vector<double>{-1, 2147483647}));
  EXPECT_EQ(numbers("INT64", packed(3, {minus(5), 7})), (std::vector<double>{-5, 7}));
  EXPECT_EQ(numbers("UINT8", packed(4, {255, 0})), (std::vector<double>{255, 0}));
  EXPECT_EQ(numbers("UINT16", packed(4, {65535, 1})), (std::vector<double>{65535, 1}));
  EXPECT_EQ(numbers("UINT32", packed(4, {4294967295, 1})), (std::vector<double>{4294967295, 1}));
  EXPECT_EQ(numbers("UINT64", packed(5, {minus(1), 1})), (std::vector<double>{18446744073709551615.0, 1}));
  EXPECT_EQ(numbers("FP32", packed_floats({0.1F, -2})), (std::vector<double>{static_cast<double>(0.1F), -2}));
  EXPECT_EQ(numbers("FP64",
                    [](Writer& writer, std::string&) {
                      writer.float64(7, 0.1);  // unpacked
                      writer.float64(7, 1e300);
                    }),
            (std::vector<double>{0.1, 1e300}));
}

TEST(GrpcRequest, IntegersBeyondTheirDatatypeAreRefusedNotWrapped) {
  const Schema schema = matrix_schema(1);
  EXPECT_EQ(refused(schema, request_of({input("x", "INT8", {1}, packed(2, {300}))})).message,
            "input 'x', row 0, column 'x0': 300 is beyond the range of INT8");
  EXPECT_EQ(refused(schema, request_of({input("x", "INT16", {1}, packed(2, {minus(32769)}))})).id,
            "protocol.number_range");
  EXPECT_EQ(refused(schema, request_of({input("x", "UINT8", {1}, packed(4, {256}))})).id,
            "protocol.number_range");
  EXPECT_EQ(refused(schema, request_of({input("x", "UINT16", {1}, packed(4, {65536}))})).id,
            "protocol.number_range");
}

TEST(GrpcRequest, ContentsOfAnotherDatatypeAreRefused) {
  const Schema schema = matrix_schema(1);
  EXPECT_EQ(refused(schema, request_of({input("x", "INT64", {1}, packed(2, {1}))})).message,
            "input 'x' has datatype INT64 but int_contents");
  EXPECT_EQ(refused(schema, request_of({input("x", "FP16", {1}, packed(4, {1}))})).id,
            "protocol.bad_datatype");
  EXPECT_EQ(refused(schema, request_of({input("x", "FP32", {1}, packed(6, {1}))})).id, "protobuf.malformed");
}

TEST(GrpcRequest, TheNumberOfElementsMustBeTheShapes) {
  const Schema schema = matrix_schema(1);
  EXPECT_EQ(refused(schema, request_of({input("x", "INT64", {3}, packed(3, {1, 2}))})).id,
            "protocol.bad_shape");
  EXPECT_EQ(refused(schema, request_of({input("x", "INT64", {1}, packed(3, {1, 2}))})).id,
            "protocol.bad_shape");
  EXPECT_EQ(refused(schema, request_of({input("x", "INT64", {1})})).id, "protocol.bad_shape");
  EXPECT_EQ(refused(schema, request_of({input("x", "INT64", {-1}, packed(3, {1}))})).message,
            "the shape of input 'x' holds -1, which is not a length");
  EXPECT_EQ(refused(schema, request_of({input("x", "INT64", {1ll << 40, 1ll << 40}, packed(3, {1}))})).id,
            "protocol.bad_shape");
  EXPECT_EQ(accepted(schema, request_of({input("x", "INT64", {0})})).table.rows, 0U);
}

TEST(GrpcRequest, RawContentsAreReadAsBinaryTensors) {
  const std::string body =
      request_of({input("amount", "FP16", {1}), input("country", "BYTES", {1}), input("known", "BOOL", {1}),
                  input("age", "INT32", {1, 1}), input("code", "BYTES", {1})},
                 {"\x00\x3c"s, "\2\0\0\0DE"s, "\1"s, "\5\0\0\0"s, "\3\0\0\0a\0b"s});
  const Request request = accepted(mixed_schema(), body);
  EXPECT_EQ(request.table.numbers[0], 1);
  EXPECT_EQ(request.table.texts[1], "DE");
  EXPECT_EQ(request.table.numbers[3], 5);
  EXPECT_EQ(request.table.texts[4], "a\0b"s);
}

TEST(GrpcRequest, RawAndTypedContentsExcludeEachOther) {
  const Schema schema = mixed_schema();
  EXPECT_EQ(
      refused(schema, request_of({input("amount", "INT64", {1}, packed(3, {1}))}, {"12345678"s})).message,
      "input 'amount' has contents, but the request has raw_input_contents");
  EXPECT_EQ(refused(schema, request_of({input("amount", "INT64", {1})}, {"12345678"s, "x"s})).message,
            "the request has 1 inputs, but 2 raw_input_contents");
}

TEST(GrpcRequest, TextsOfTypedContentsAreBorrowedAndChecked) {
  const Schema schema = test_schema({{"t", program::ColumnType::kText}}, true);
  const auto texts = [](std::string_view first) {
    return [first](Writer& writer, std::string&) {
      writer.bytes(8, first);
      writer.bytes(8, "");
    };
  };
  const std::string body = request_of({input("t", "BYTES", {2}, texts("a\0b"s))});
  const Request request = accepted(schema, body);
  EXPECT_EQ(request.table.texts[0], "a\0b"s);
  EXPECT_EQ(request.table.texts[1], "");
  EXPECT_EQ(refused(schema, request_of({input("t", "BYTES", {2}, texts("\xff"))})).id, "protocol.bad_utf8");
}

TEST(GrpcRequest, IdOutputsAndParametersAreRead) {
  const std::string body =
      request_of({input("x", "INT64", {1}, packed(3, {1}))}, {}, [](Writer& writer, std::string&) {
        writer.bytes(2, "1");
        writer.bytes(3, "id-7");
        writer.bytes(4, int_parameter("timeout", 2500));
        writer.bytes(4, int_parameter("priority", 1));
        writer.bytes(6, message([](Writer& output, std::string&) {
                       output.bytes(1, "predict_proba");
                       output.bytes(2, int_parameter("classification", 2));
                     }));
      });
  const Request request = accepted(matrix_schema(1), body);
  EXPECT_EQ(request.id, "id-7");
  EXPECT_EQ(request.timeout_us, 2500U);
  EXPECT_EQ(request.priority, 1U);
  EXPECT_EQ(request.tensors, (std::vector<std::uint32_t>{1}));
  EXPECT_EQ(request.forms.at(0).classes, 2U);
  const auto target = infer_target(body);
  ASSERT_TRUE(target);
  EXPECT_EQ(target->model_name, "m");
  EXPECT_EQ(target->model_version, "1");
  EXPECT_EQ(refused(matrix_schema(1), request_of({}, {},
                                                 [](Writer& writer, std::string&) {
                                                   writer.bytes(4, int_parameter("sequence_id", 1));
                                                 }))
                .id,
            "protocol.bad_parameter");
}

TEST(GrpcRequest, TruncationAtEveryOffsetIsAnErrorOrAShorterRequest) {
  const std::string body = request_of({input("x", "FP32", {2}, packed_floats({1, 2}))});
  std::size_t accepted_count = 0;
  for (std::size_t length = 0; length < body.size(); ++length) {
    Request request;
    accepted_count +=
        read_infer_request(body.substr(0, length), matrix_schema(1), {}, request).has_value() ? 1 : 0;
  }
  EXPECT_EQ(accepted_count, 0U);
}

TEST(GrpcResponse, OutputsAreRawAndInTheOrderAskedFor) {
  const Schema schema = matrix_schema(2);
  const double values[] = {0.25, 0.75};
  const std::string_view names[] = {"a"};
  const tensor::ResultView proba{.axes = 2, .lengths = {1, 2}, .data = values};
  const tensor::ResultView predict{
      .dtype = tensor::DType::kString, .axes = 1, .lengths = {1}, .texts = names};
  const tensor::NamedResult results[] = {{"predict", {&predict, 1}, {}}, {"predict_proba", {&proba, 1}, {}}};
  Request request;
  request.tensors = {1, 0};
  request.forms.resize(2);
  std::string out;
  write_infer_response({"m", "1", "7"}, schema, request, results, false, out);
  const std::string expected = message([&](Writer& writer, std::string&) {
    writer.bytes(1, "m");
    writer.bytes(2, "1");
    writer.bytes(3, "7");
    writer.bytes(5, input("predict_proba", "FP64", {1, 2}));
    writer.bytes(5, input("predict", "BYTES", {1}));
    writer.bytes(6, {reinterpret_cast<const char*>(values), sizeof values});
    writer.bytes(6, "\1\0\0\0a"s);
  });
  EXPECT_EQ(out, expected);
}

}  // namespace
}  // namespace wherry::protocol
