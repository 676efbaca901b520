#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "base/text.h"
#include "protocol/request.h"
#include "protocol/test_schema.h"

namespace wherry::protocol {
namespace {

using tensor::CellKind;

// Reads a request for `schema`; fails the test on an error.
Request accepted(const Schema& schema, std::string_view body, const RequestLimits& limits = {}) {
  Request request;
  const auto read = read_v2(body, schema, limits, request);
  EXPECT_TRUE(read) << body << ": " << (read ? "" : read.error().message);
  return request;
}

base::Error refused(const Schema& schema, std::string_view body, const RequestLimits& limits = {}) {
  Request request;
  const auto read = read_v2(body, schema, limits, request);
  EXPECT_FALSE(read) << body;
  return read ? base::Error() : read.error();
}

std::string matrix_body(std::string_view shape, std::string_view datatype, std::string_view data) {
  return base::cat(R"({"inputs":[{"name":"input","shape":)", shape, R"(,"datatype":")", datatype,
                   R"(","data":)", data, "}]}");
}

std::string column(std::string_view name, std::string_view shape, std::string_view datatype,
                   std::string_view data) {
  return base::cat(R"({"name":")", name, R"(","shape":)", shape, R"(,"datatype":")", datatype, R"(","data":)",
                   data, "}");
}

// One row for mixed_schema(), with `extra` inputs behind it.
std::string mixed_body(std::string_view extra = "") {
  return base::cat(R"({"inputs":[)", column("amount", "[1]", "FP64", "[2.5]"), ",",
                   column("country", "[1]", "BYTES", R"(["DE"])"), ",",
                   column("known", "[1]", "BOOL", "[true]"), ",", column("age", "[1,1]", "INT64", "[[42]]"),
                   ",", column("code", "[1]", "BYTES", R"(["x"])"), extra, "]}");
}

TEST(V2Request, FlatAndNestedDataGiveTheSameTable) {
  const Schema schema = matrix_schema(3);
  const auto flat = accepted(schema, matrix_body("[2,3]", "FP64", "[1,2,3,4,5,6.5]")).table;
  const auto nested = accepted(schema, matrix_body("[2,3]", "FP64", "[[1,2,3],[4,5,6.5]]")).table;
  EXPECT_EQ(flat.numbers, nested.numbers);
  EXPECT_EQ(flat.rows, 2U);
  EXPECT_EQ(flat.numbers, (std::vector<double>{1, 2, 3, 4, 5, 6.5}));
  EXPECT_TRUE(flat.is_numeric());
}

TEST(V2Request, TheOrderOfMembersDoesNotMatter) {
  const Schema schema = matrix_schema(2);
  const auto table = accepted(
      schema,
      R"({"inputs":[{"data":[[1,2]],"parameters":{"content_type":"np"},"datatype":"FP64","shape":[1,2],"name":"x"}],"id":"7"})");
  EXPECT_EQ(table.table.numbers, (std::vector<double>{1, 2}));
  EXPECT_EQ(table.id, "7");
}

TEST(V2Request, TheIdIsKeptAndItsAbsenceToo) {
  EXPECT_EQ(accepted(matrix_schema(1),
                     R"({"id":"é\u0041\"","inputs":[{"name":"x","shape":[1],"datatype":"FP64","data":[1]}]})")
                .id,
            "éA\"");
  EXPECT_EQ(accepted(matrix_schema(1), matrix_body("[1]", "FP64", "[1]")).id, std::nullopt);
}

TEST(V2Request, ColumnsAreMatchedByNameInAnyOrder) {
  const Schema schema = mixed_schema();
  const std::string body = base::cat(R"({"inputs":[)", column("code", "[2]", "INT32", "[5,6]"), ",",
                                     column("age", "[2,1]", "INT16", "[[1],[2]]"), ",",
                                     column("country", "[2]", "BYTES", R"(["", null])"), ",",
                                     column("known", "[2,1]", "BOOL", "[true,false]"), ",",
                                     column("amount", "[2]", "FP64", "[null,3]"), "]}");
  const Request request = accepted(schema, body);
  const auto& table = request.table;
  ASSERT_EQ(table.rows, 2U);
  EXPECT_TRUE(std::isnan(table.numbers[0]));
  EXPECT_EQ(table.kind(0), CellKind::kNumber) << "a missing number is NaN";
  EXPECT_EQ(table.kind(1), CellKind::kText);
  EXPECT_EQ(table.texts[1], "");
  EXPECT_EQ(table.kind(7), CellKind::kMissing) << "a missing text is missing";
  EXPECT_EQ(table.numbers[2], 1);
  EXPECT_EQ(table.numbers[3], 1);
  EXPECT_EQ(table.numbers[4], 5);
  EXPECT_EQ(table.numbers[6], 3);
  EXPECT_TRUE(std::isnan(table.numbers[5])) << "the column never looked at";
}

TEST(V2Request, BytesMayHoldAnyText) {
  const Schema schema = test_schema({{"t", program::ColumnType::kText}}, true);
  const Request request = accepted(
      schema, R"({"inputs":[{"name":"t","shape":[3],"datatype":"BYTES","data":["a\u0000b","","日本"]}]})");
  const auto& table = request.table;
  EXPECT_EQ(table.texts[0], std::string_view("a\0b", 3));
  EXPECT_EQ(table.texts[1], "");
  EXPECT_EQ(table.texts[2], "日本");
}

TEST(V2Request, AMatrixOfBytesServesAModelOfTexts) {
  const Schema schema =
      test_schema({{"a", program::ColumnType::kText}, {"b", program::ColumnType::kText}}, false);
  const Request request = accepted(schema, matrix_body("[1,2]", "BYTES", R"([["x","y"]])"));
  const auto& table = request.table;
  EXPECT_EQ(table.texts[1], "y");
}

TEST(V2Request, OutputsAreListedInTheOrderAskedFor) {
  const auto request =
      accepted(matrix_schema(1),
               R"({"outputs":[{"name":"multi_1"},{"name":"predict","parameters":{"binary_data":false}}],
      "inputs":[{"name":"x","shape":[1],"datatype":"FP64","data":[1]}]})");
  EXPECT_EQ(request.tensors, (std::vector<std::uint32_t>{3, 0}));
  EXPECT_TRUE(accepted(matrix_schema(1), matrix_body("[1]", "FP64", "[1]")).tensors.empty());
}

TEST(V2Request, UnknownAndRepeatedOutputsAreRefused) {
  const std::string input = R"("inputs":[{"name":"x","shape":[1],"datatype":"FP64","data":[1]}])";
  const Schema schema = matrix_schema(1);
  EXPECT_EQ(refused(schema, base::cat(R"({"outputs":[{"name":"p"}],)", input, "}")).id,
            "protocol.unknown_output");
  EXPECT_EQ(
      refused(schema, base::cat(R"({"outputs":[{"name":"predict"},{"name":"predict"}],)", input, "}")).id,
      "protocol.duplicate");
}

struct DatatypeRow {
  std::string_view name;
  std::string_view lowest, highest, too_low, too_high;
};

class V2Integers : public testing::TestWithParam<DatatypeRow> {};

TEST_P(V2Integers, AreTakenToTheEndsOfTheirRangeAndNotBeyond) {
  const auto& [name, lowest, highest, too_low, too_high] = GetParam();
  const Schema schema = matrix_schema(1);
  const Request request =
      accepted(schema, matrix_body("[2]", name, base::cat("[", lowest, ",", highest, "]")));
  const auto& table = request.table;
  EXPECT_EQ(table.numbers[0], std::strtod(std::string(lowest).c_str(), nullptr));
  EXPECT_EQ(table.numbers[1], std::strtod(std::string(highest).c_str(), nullptr));
  EXPECT_EQ(refused(schema, matrix_body("[1]", name, base::cat("[", too_low, "]"))).id,
            "protocol.number_range");
  EXPECT_EQ(refused(schema, matrix_body("[1]", name, base::cat("[", too_high, "]"))).id,
            "protocol.number_range");
  EXPECT_EQ(refused(schema, matrix_body("[1]", name, "[1.5]")).id, "protocol.number_range");
  EXPECT_EQ(refused(schema, matrix_body("[1]", name, "[true]")).id, "protocol.wrong_type");
  EXPECT_EQ(refused(schema, matrix_body("[1]", name, "[null]")).id, "protocol.wrong_type");
  EXPECT_EQ(refused(schema, matrix_body("[1]", name, "[\"1\"]")).id, "protocol.wrong_type");
}

INSTANTIATE_TEST_SUITE_P(
    Rows, V2Integers,
    testing::Values(DatatypeRow{"INT8", "-128", "127", "-129", "300"},
                    DatatypeRow{"INT16", "-32768", "32767", "-32769", "32768"},
                    DatatypeRow{"INT32", "-2147483648", "2147483647", "-2147483649", "2147483648"},
                    DatatypeRow{"INT64", "-9223372036854775808", "9223372036854775807",
                                "-9223372036854775809", "9223372036854775808"},
                    DatatypeRow{"UINT8", "0", "255", "-1", "256"},
                    DatatypeRow{"UINT16", "0", "65535", "-1", "65536"},
                    DatatypeRow{"UINT32", "0", "4294967295", "-1", "4294967296"},
                    DatatypeRow{"UINT64", "0", "18446744073709551615", "-1", "18446744073709551616"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(V2Request, Fp32IsRoundedToFloatFirst) {
  const Schema schema = matrix_schema(1);
  EXPECT_EQ(accepted(schema, matrix_body("[1]", "FP32", "[0.1]")).table.numbers[0],
            static_cast<double>(0.1F));
  EXPECT_EQ(refused(schema, matrix_body("[1]", "FP32", "[1e39]")).id, "protocol.number_range");
}

TEST(V2Request, BoolTakesTrueAndFalseOnly) {
  const Schema schema = matrix_schema(1);
  EXPECT_EQ(accepted(schema, matrix_body("[2]", "BOOL", "[true,false]")).table.numbers,
            (std::vector<double>{1, 0}));
  EXPECT_EQ(refused(schema, matrix_body("[1]", "BOOL", "[1]")).id, "protocol.wrong_type");
  EXPECT_EQ(refused(schema, matrix_body("[1]", "BOOL", "[\"true\"]")).id, "protocol.wrong_type");
}

TEST(V2Request, HalfPrecisionCannotBeWrittenInJson) {
  const Schema schema = matrix_schema(1);
  for (const std::string_view datatype : {"FP16", "BF16"})
    EXPECT_EQ(refused(schema, matrix_body("[1]", datatype, "[1]")).message,
              base::cat("input 'input' has datatype ", datatype, ", which JSON cannot carry"));
  EXPECT_EQ(refused(schema, matrix_body("[1]", "DOUBLE", "[1]")).id, "protocol.bad_datatype");
  EXPECT_EQ(refused(schema, matrix_body("[1]", "fp64", "[1]")).id, "protocol.bad_datatype");
}

TEST(V2Request, ShapesWhichDoNotFitTheDataAreRefused) {
  const Schema schema = matrix_schema(2);
  const std::pair<std::string_view, std::string_view> cases[] = {{"[2,2]", "[1,2,3]"},
                                                                 {"[2,2]", "[1,2,3,4,5]"},
                                                                 {"[2,2]", "[[1,2],[3]]"},
                                                                 {"[2,2]", "[[1,2],[3,4],[5,6]]"},
                                                                 {"[2,2]", "[[1,2,3,4]]"},
                                                                 {"[2,2]", "[[[1,2],[3,4]]]"},
                                                                 {"[2,2]", "[1,[2,3],4]"},
                                                                 {"[2,2]", "[[1,2],3,4]"},
                                                                 {"[-1,2]", "[1,2]"},
                                                                 {"[1.0,2]", "[1,2]"},
                                                                 {"[\"1\",2]", "[1,2]"},
                                                                 {"[2]", "[1,2]"},
                                                                 {"[1,3]", "[1,2,3]"},
                                                                 {"[1,1,2]", "[1,2]"},
                                                                 {"[]", "[]"},
                                                                 {"2", "[1,2]"},
                                                                 {"[1,2,1,1,1,1,1,1,1]", "[1,2]"},
                                                                 {"[0,2]", "[1]"},
                                                                 {"[2,2]", "[]"}};
  for (const auto& [shape, data] : cases) {
    const base::Error error = refused(schema, matrix_body(shape, "FP64", data));
    EXPECT_TRUE(error.id == "protocol.bad_shape" || error.id == "protocol.unknown_column")
        << shape << " " << data << ": " << error.id;
    EXPECT_EQ(base::http_status(error.code), 400);
  }
}

TEST(V2Request, ProductsWhichOverflowAreRefusedWithoutAllocating) {
  const Schema schema = matrix_schema(2);
  EXPECT_EQ(refused(schema, matrix_body("[9223372036854775807,2]", "FP64", "[1]")).id, "protocol.bad_shape");
  EXPECT_EQ(refused(schema, matrix_body("[4294967296,4294967296]", "FP64", "[1]")).id, "protocol.bad_shape");
  EXPECT_EQ(refused(schema, matrix_body("[18446744073709551616,2]", "FP64", "[1]")).id, "protocol.bad_shape");
  EXPECT_EQ(refused(schema, matrix_body("[1000000000,2]", "FP64", "[1]")).id, "protocol.bad_shape");
}

TEST(V2Request, ATensorOfNoRowsIsFine) {
  const Request request = accepted(matrix_schema(2), matrix_body("[0,2]", "FP64", "[]"));
  const auto& table = request.table;
  EXPECT_EQ(table.rows, 0U);
  EXPECT_EQ(table.columns, 2U);
}

TEST(V2Request, MissingExtraAndRepeatedInputsAreRefused) {
  const Schema schema = mixed_schema();
  EXPECT_EQ(refused(schema, R"({"inputs":[]})").id, "protocol.missing_column");
  EXPECT_EQ(
      refused(schema, base::cat(R"({"inputs":[)", column("amount", "[1]", "FP64", "[1]"), "]}")).message,
      "column 'country' is missing");
  const base::Error extra = refused(schema, mixed_body("," + column("amuont", "[1]", "FP64", "[1]")));
  EXPECT_EQ(extra.id, "protocol.unknown_column");
  EXPECT_EQ(extra.hint, "did you mean 'amount'?");
  EXPECT_EQ(refused(schema, mixed_body("," + column("amount", "[1]", "FP64", "[1]"))).id,
            "protocol.duplicate");
  EXPECT_EQ(refused(matrix_schema(2), R"({"inputs":[{"name":"a","shape":[1,2],"datatype":"FP64","data":[1,2]},
      {"name":"b","shape":[1,2],"datatype":"FP64","data":[1,2]}]})")
                .id,
            "protocol.unknown_column");
}

TEST(V2Request, ExtraInputsAreIgnoredWhereTheModelDoes) {
  EXPECT_EQ(accepted(mixed_schema(true), mixed_body("," + column("other", "[1]", "FP64", "[1]"))).table.rows,
            1U);
}

TEST(V2Request, InputsOfDifferentLengthsAreRefused) {
  const base::Error error =
      refused(mixed_schema(), base::cat(R"({"inputs":[)", column("amount", "[2]", "FP64", "[1,2]"), ",",
                                        column("country", "[1]", "BYTES", "[\"DE\"]"), "]}"));
  EXPECT_EQ(error.message, "input 'country' has 1 row, the inputs before it 2");
}

TEST(V2Request, TextAndNumbersAreNotConverted) {
  const Schema schema = mixed_schema();
  EXPECT_EQ(
      refused(schema, base::cat(R"({"inputs":[)", column("amount", "[1]", "BYTES", "[\"1\"]"), "]}")).message,
      "input 'amount' has datatype BYTES, but column 'amount' takes numbers");
  EXPECT_EQ(refused(schema, base::cat(R"({"inputs":[)", column("country", "[1]", "FP64", "[1]"), "]}")).id,
            "protocol.bad_datatype");
  EXPECT_EQ(
      refused(schema, base::cat(R"({"inputs":[)", column("country", "[1]", "BYTES", "[1]"), "]}")).message,
      "input 'country', row 0, column 'country': a number stands where datatype BYTES needs text");
  EXPECT_EQ(refused(schema, matrix_body("[1,6]", "FP64", "[1,2,3,4,5,6]")).id, "protocol.bad_datatype");
}

TEST(V2Request, NanTokensNeedPermission) {
  const Schema schema = matrix_schema(1);
  EXPECT_EQ(refused(schema, matrix_body("[1]", "FP64", "[NaN]")).id, "protocol.bad_json");
  EXPECT_TRUE(std::isnan(
      accepted(schema, matrix_body("[1]", "FP64", "[NaN]"), {.nan_tokens = true}).table.numbers[0]));
}

TEST(V2Request, MembersOfOtherProtocolsAreIgnored) {
  EXPECT_EQ(
      accepted(
          matrix_schema(1),
          R"({"model_name":"m","x":[{"y":[1,"\u00e9"]}],"inputs":[{"name":"x","zz":{},"shape":[1],"datatype":"FP64","data":[1]}]})")
          .table.rows,
      1U);
}

constexpr std::string_view kOneInput = R"("inputs":[{"name":"x","shape":[1],"datatype":"FP64","data":[1]}])";

TEST(V2Request, PriorityAndTimeoutAreRead) {
  const Request request =
      accepted(matrix_schema(1),
               base::cat(R"({"parameters":{"priority":2,"timeout":1500,"mine":[{}]},)", kOneInput, "}"));
  EXPECT_EQ(request.priority, 2U);
  EXPECT_EQ(request.timeout_us, 1500U);
  EXPECT_EQ(accepted(matrix_schema(1), base::cat("{", kOneInput, "}")).timeout_us, 0U);
}

TEST(V2Request, ParametersWhichCannotBeHonouredAreRefused) {
  const Schema schema = matrix_schema(1);
  for (const std::string_view parameters :
       {R"({"triton_x":1})", R"({"sequence_id":1})", R"({"sequence_start":true})", R"({"timeout":-1})",
        R"({"timeout":"5"})", R"({"timeout":1.5})", R"({"priority":18446744073709551616})",
        R"({"binary_data_output":1})"})
    EXPECT_EQ(refused(schema, base::cat(R"({"parameters":)", parameters, ",", kOneInput, "}")).id,
              "protocol.bad_parameter")
        << parameters;
  for (const std::string_view parameters : {R"({"shared_memory_region":"r"})", R"({"binary_data":"yes"})",
                                            R"({"classification":-1})", R"({"classification":4294967296})"})
    EXPECT_EQ(refused(schema, base::cat(R"({"outputs":[{"name":"predict","parameters":)", parameters, "}],",
                                        kOneInput, "}"))
                  .id,
              "protocol.bad_parameter")
        << parameters;
}

TEST(V2Request, BodiesOfOtherFormsAreRefused) {
  const Schema schema = matrix_schema(1);
  for (const std::string_view body :
       {"[]", "3", "{}", R"({"inputs":{}})", R"({"inputs":[1]})", R"({"inputs":[{"name":"x"}]})",
        R"({"inputs":[],"inputs":[]})", R"({"id":5,"inputs":[]})", R"({"inputs":[{"name":1}]})",
        R"({"inputs":[{"name":"x","name":"x"}]})",
        R"({"inputs":[{"name":"x","shape":[1],"datatype":"FP64","data":5}]})",
        R"({"inputs":[],"outputs":{}})"}) {
    const base::Error error = refused(schema, body);
    EXPECT_EQ(error.code, base::Code::kInvalidInput) << body;
    EXPECT_TRUE(error.id.starts_with("protocol.")) << body;
    EXPECT_FALSE(error.hint.empty()) << body;
  }
}

TEST(V2Request, TruncationAtEveryOffsetIsAnError) {
  const Schema schema = mixed_schema();
  const std::string body = mixed_body();
  for (std::size_t length = 0; length < body.size(); ++length) {
    Request request;
    EXPECT_FALSE(read_v2(std::string_view(body).substr(0, length), schema, {}, request)) << length;
  }
  Request request;
  EXPECT_FALSE(read_v2(body + "x", schema, {}, request));
  EXPECT_TRUE(read_v2(body + " \n", schema, {}, request));
}

TEST(V2Request, LimitsHold) {
  const Schema schema = matrix_schema(2);
  EXPECT_EQ(refused(schema, matrix_body("[3,2]", "FP64", "[1,2,3,4,5,6]"), {.cells = 5}).id,
            "protocol.limit");
  EXPECT_EQ(base::http_status(refused(schema, std::string(200, '[')).code), 400);
  EXPECT_EQ(base::http_status(refused(schema, "{\"x\":" + std::string(200, '[')).code), 413);
}

TEST(V2Request, InvalidUtf8IsRefused) {
  EXPECT_EQ(refused(matrix_schema(1), "{\"id\":\"\xc3\x28\"}").id, "protocol.bad_utf8");
  EXPECT_EQ(refused(matrix_schema(1), "{\"id\":\"\xe2\x82").id, "protocol.bad_utf8");
}

TEST(V2Request, ARequestObjectCanBeUsedAgainAfterAnError) {
  const Schema schema = mixed_schema();
  Request request;
  EXPECT_FALSE(read_v2(base::cat(R"({"id":"x","inputs":[)", column("amount", "[2]", "FP64", "[1,2]"), "]}"),
                       schema, {}, request));
  ASSERT_TRUE(read_v2(mixed_body(), schema, {}, request));
  EXPECT_EQ(request.table.rows, 1U);
  EXPECT_EQ(request.id, std::nullopt);
}

}  // namespace
}  // namespace wherry::protocol
