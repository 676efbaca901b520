#include <cmath>
#include <gtest/gtest.h>

#include "base/text.h"
#include "protocol/request.h"
#include "protocol/test_schema.h"

namespace wherry::protocol {
namespace {

using tensor::CellKind;

Request accepted(const Schema& schema, std::string_view body) {
  Request request;
  const auto read = read_invocations(body, schema, {}, request);
  EXPECT_TRUE(read) << body << ": " << (read ? "" : read.error().message);
  return request;
}
base::Error refused(const Schema& schema, std::string_view body) {
  Request request;
  const auto read = read_invocations(body, schema, {}, request);
  EXPECT_FALSE(read) << body;
  return read ? base::Error() : read.error();
}
Request rows(const Schema& schema, std::string_view body) {
  Request request;
  const auto read = read_rows(body, schema, {.nan_tokens = true}, request);
  EXPECT_TRUE(read) << body << ": " << (read ? "" : read.error().message);
  return request;
}

// One row of mixed_schema in a comparable form; "-" where missing.
std::string row_text(const tensor::Table& table, std::size_t row) {
  std::string text;
  for (std::size_t c = 0; c < table.columns; ++c) {
    const std::size_t cell = row * table.columns + c;
    text += c == 0 ? "" : " ";
    if (table.kind(cell) == CellKind::kText)
      text += base::quoted(table.texts[cell]);
    else if (table.kind(cell) == CellKind::kMissing)
      text += "-";
    else
      text += std::isnan(table.numbers[cell]) ? "nan" : base::cat(table.numbers[cell]);
  }
  return text;
}

constexpr std::string_view kRow = "2.5 'DE' 1 42 'x' nan";

TEST(Invocations, TheFourJsonFormsGiveTheSameRow) {
  const Schema schema = mixed_schema();
  const std::string_view bodies[] = {
      R"({"dataframe_split":{"columns":["age","amount","code","country","known"],"index":[7],"data":[[42,2.5,"x","DE",true]]}})",
      R"({"dataframe_split":{"data":[[42,2.5,"x","DE",true]],"columns":["age","amount","code","country","known"]}})",
      R"({"dataframe_records":[{"country":"DE","amount":2.5,"known":true,"code":"x","age":42}]})",
      R"({"instances":[{"country":"DE","amount":2.5,"known":true,"code":"x","age":42}]})",
      R"({"inputs":{"country":["DE"],"amount":[2.5],"known":[true],"code":["x"],"age":[42]}})"};
  for (const std::string_view body : bodies)
    EXPECT_EQ(row_text(accepted(schema, body).table, 0), kRow) << body;
  EXPECT_EQ(row_text(accepted(schema, R"({"instances":[[2.5,"DE",true,42,"x",null]]})").table, 0),
            "2.5 'DE' 1 42 'x' -");
  EXPECT_EQ(row_text(accepted(schema, R"({"inputs":[[2.5,"DE",true,42,"x",null]]})").table, 0),
            "2.5 'DE' 1 42 'x' -");
}

TEST(Invocations, ExactlyOneFormIsNeeded) {
  const Schema schema = matrix_schema(1);
  EXPECT_EQ(refused(schema, R"({"instances":[[1]],"inputs":[[1]]})").message,
            "the body has both 'instances' and 'inputs'");
  EXPECT_EQ(refused(schema, R"({"params":{}})").message, "the body holds no rows");
  EXPECT_EQ(refused(schema, R"({"instancse":[[1]]})").hint, "did you mean 'instances'?");
  EXPECT_EQ(refused(schema, R"({"instances":[[1]],"instances":[[1]]})").id, "protocol.bad_form");
  EXPECT_EQ(refused(schema, "[[1]]").id, "protocol.bad_form");
}

TEST(Invocations, ParamsChooseTheOutput) {
  const Schema schema = matrix_schema(1);
  EXPECT_EQ(accepted(schema, R"({"instances":[[1]],"params":{"predict_method":"predict_proba"}})").output,
            1U);
  EXPECT_EQ(accepted(schema, R"({"parameters":{"x":1,"method":"predict"},"instances":[[1]]})").output, 0U);
  EXPECT_EQ(accepted(schema, R"({"instances":[[1]]})").output, std::nullopt);
  EXPECT_EQ(refused(schema, R"({"instances":[[1]],"params":{"predict_method":"fit"}})").id,
            "protocol.unknown_output");
}

TEST(Invocations, AMissingColumnIsNamedWithTheNearestGivenOne) {
  EXPECT_EQ(refused(mixed_schema(),
                    R"({"dataframe_split":{"columns":["amout","country","known","age","code"],"data":[]}})")
                .message,
            "column 'amount' is missing; the nearest given name is 'amout'");
  EXPECT_EQ(refused(mixed_schema(),
                    R"({"dataframe_records":[{"amout":1,"country":"DE","known":true,"age":1,"code":1}]})")
                .message,
            "row 0: column 'amount' is missing; the nearest given name is 'amout'");
}

TEST(Invocations, ExtraColumnsAreRefusedOrIgnoredAsTheModelDoes) {
  const std::string_view body =
      R"({"dataframe_records":[{"amount":2.5,"other":[1,{}],"country":"DE","known":true,"age":42,"code":"x"}]})";
  EXPECT_EQ(refused(mixed_schema(false), body).id, "protocol.unknown_column");
  EXPECT_EQ(row_text(accepted(mixed_schema(true), body).table, 0), kRow);
  const std::string_view split =
      R"({"dataframe_split":{"columns":["amount","other","country","known","age","code"],"data":[[2.5,"z","DE",true,42,"x"]]}})";
  EXPECT_EQ(refused(mixed_schema(false), split).id, "protocol.unknown_column");
  EXPECT_EQ(row_text(accepted(mixed_schema(true), split).table, 0), kRow);
}

TEST(Invocations, CellsOfTheWrongTypeAreNamedByRowAndColumn) {
  const Schema schema = mixed_schema();
  const auto error = [&](std::string_view row) {
    return refused(schema, base::cat(R"({"instances":[[1,"DE",true,1,1,""],)", row, "]}")).message;
  };
  EXPECT_EQ(error(R"(["12","DE",true,1,1,""])"),
            "row 1, column 'amount': the text '12' stands where the model takes a number");
  EXPECT_EQ(error(R"([1,5,true,1,1,""])"),
            "row 1, column 'country': the number 5 stands where the model takes text");
  EXPECT_EQ(error(R"([1,true,true,1,1,""])"),
            "row 1, column 'country': true stands where the model takes text");
  EXPECT_EQ(error(R"([1,"DE","yes",1,1,""])"),
            "row 1, column 'known': the text 'yes' stands where the model takes true or false");
  EXPECT_EQ(error(R"([1,"DE",true,[1],1,""])"),
            "row 1, column 'age': a list stands where the model takes an integer");
  EXPECT_EQ(error(R"([1,"DE",true,1,1])"), "row 1 has 5 values, but there are 6 columns");
  EXPECT_EQ(error(R"([1,"DE",true,1,1,"",7])"), "row 1 has more than 6 values, but there are 6 columns");
  EXPECT_EQ(error(R"("x")"), "row 1 is a value, which is not a row of this form");
  EXPECT_EQ(error(R"({"amount":1})"), "row 1 is an object, which is not a row of this form");
}

TEST(Invocations, NullIsMissingAndBoolsAreNumbers) {
  const Request request = accepted(
      mixed_schema(), R"({"instances":[[null,null,null,null,null,null],[true,"",false,1e2,true,"t"]]})");
  const auto& table = request.table;
  EXPECT_EQ(row_text(table, 0), "nan - nan nan - -");
  EXPECT_EQ(row_text(table, 1), "1 '' 0 100 1 't'");
}

TEST(Invocations, HugeIntegersBecomeTheNearestDouble) {
  const Request request =
      accepted(matrix_schema(2), R"({"instances":[[9007199254740993,123456789012345678901234567890]]})");
  const auto& table = request.table;
  EXPECT_EQ(table.numbers[0], 9007199254740992.0);
  EXPECT_EQ(table.numbers[1], 123456789012345678901234567890.0);
}

TEST(Invocations, AModelWithoutNamesTakesColumnsInTheOrderGiven) {
  const Schema schema = matrix_schema(2);
  EXPECT_EQ(accepted(schema, R"({"dataframe_split":{"columns":["b","a"],"data":[[1,2]]}})").table.numbers,
            (std::vector<double>{1, 2}));
  EXPECT_EQ(accepted(schema, R"({"dataframe_split":{"columns":[0,1],"data":[[1,2]]}})").table.numbers,
            (std::vector<double>{1, 2}));
  EXPECT_EQ(accepted(schema, R"({"dataframe_split":{"data":[[1,2]]}})").table.numbers,
            (std::vector<double>{1, 2}));
  EXPECT_EQ(accepted(schema, R"({"dataframe_records":[{"b":1,"a":2},{"a":4,"b":3}]})").table.numbers,
            (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(accepted(schema, R"({"inputs":{"x1":[2],"x0":[1]}})").table.numbers, (std::vector<double>{1, 2}));
  EXPECT_EQ(refused(schema, R"({"dataframe_split":{"columns":["b"],"data":[[1]]}})").id,
            "protocol.row_width");
  EXPECT_EQ(refused(schema, R"({"dataframe_records":[{"b":1,"a":2},{"a":4,"c":3}]})").id,
            "protocol.unknown_column");
  EXPECT_EQ(refused(schema, R"({"dataframe_records":[{"b":1,"a":2},{"a":4}]})").id,
            "protocol.missing_column");
}

TEST(Invocations, RepeatedNamesAreRefused) {
  const Schema schema = mixed_schema(true);
  EXPECT_EQ(refused(schema, R"({"dataframe_split":{"columns":["amount","amount"],"data":[]}})").id,
            "protocol.duplicate");
  EXPECT_EQ(refused(schema, R"({"dataframe_records":[{"amount":1,"amount":2}]})").id, "protocol.duplicate");
  EXPECT_EQ(refused(schema, R"({"inputs":{"amount":[1],"amount":[2]}})").id, "protocol.duplicate");
  EXPECT_EQ(refused(schema, R"({"dataframe_split":{"data":[],"data":[]}})").id, "protocol.duplicate");
}

TEST(Invocations, ColumnsOfDifferentLengthsAreRefused) {
  const Schema schema = matrix_schema(2);
  EXPECT_EQ(refused(schema, R"({"inputs":{"x0":[1,2],"x1":[1]}})").id, "protocol.bad_shape");
  EXPECT_EQ(refused(schema, R"({"inputs":{"x0":[1],"x1":[1,2]}})").id, "protocol.bad_shape");
  EXPECT_EQ(refused(schema, R"({"inputs":{"x0":1,"x1":[1,2]}})").id, "protocol.bad_form");
}

TEST(Invocations, NoRowsAreFine) {
  EXPECT_EQ(accepted(matrix_schema(2), R"({"instances":[]})").table.rows, 0U);
  EXPECT_EQ(accepted(matrix_schema(2), R"({"inputs":{"x0":[],"x1":[]}})").table.rows, 0U);
}

TEST(Invocations, LimitsHold) {
  Request request;
  const Schema schema = matrix_schema(2);
  for (const std::string_view body :
       {R"({"instances":[[1,2],[3,4],[5,6]]})", R"({"inputs":{"x0":[1,2,3],"x1":[1,2,3]}})"}) {
    const auto read = read_invocations(body, schema, {.cells = 5}, request);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, base::Code::kLimit);
  }
  EXPECT_EQ(refused(schema, "{\"instances\":" + std::string(100, '[')).id, "protocol.wrong_type");
  EXPECT_EQ(refused(mixed_schema(true), "{\"instances\":[{\"zz\":" + std::string(100, '[')).id,
            "protocol.limit");
}

TEST(Invocations, TruncationAtEveryOffsetIsAnError) {
  const Schema schema = mixed_schema();
  const std::string body =
      R"({"dataframe_split":{"columns":["amount","country","known","age","code"],"data":[[2.5,"D\u00c9",true,42,"x"]]}})";
  Request request;
  for (std::size_t length = 0; length < body.size(); ++length)
    EXPECT_FALSE(read_invocations(body.substr(0, length), schema, {}, request)) << length;
  EXPECT_TRUE(read_invocations(body, schema, {}, request));
}

TEST(FriendlyRows, EveryFormOfPredictIsTaken) {
  const Schema schema = mixed_schema();
  const std::string_view bodies[] = {
      R"({"columns":["age","amount","code","country","known"],"rows":[[42,2.5,"x","DE",true]]})",
      R"({"rows":[[42,2.5,"x","DE",true]],"columns":["age","amount","code","country","known"]})",
      R"([{"country":"DE","amount":2.5,"known":true,"code":"x","age":42}])",
      R"({"rows":[{"country":"DE","amount":2.5,"known":true,"code":"x","age":42}]})",
      R"([[2.5,"DE",true,42,"x",NaN]])",
      R"({"columns":null,"rows":[[2.5,"DE",true,42,"x",NaN]]})",
      R"({"dataframe_records":[{"country":"DE","amount":2.5,"known":true,"code":"x","age":42}]})",
      R"({"inputs":[{"name":"amount","shape":[1],"datatype":"FP64","data":[2.5]},{"name":"country","shape":[1],"datatype":"BYTES","data":["DE"]},
          {"name":"known","shape":[1],"datatype":"BOOL","data":[true]},{"name":"age","shape":[1],"datatype":"INT8","data":[42]},
          {"name":"code","shape":[1],"datatype":"BYTES","data":["x"]}]})"};
  for (const std::string_view body : bodies) EXPECT_EQ(row_text(rows(schema, body).table, 0), kRow) << body;
}

TEST(FriendlyRows, AModelOfOneColumnTakesScalars) {
  const Schema texts = test_schema({{"t", program::ColumnType::kText}}, false);
  EXPECT_EQ(rows(texts, R"(["good","bad"])").table.texts[1], "bad");
  EXPECT_EQ(rows(texts, R"({"columns":null,"rows":["good"]})").table.texts[0], "good");
  Request request;
  EXPECT_EQ(read_rows("[1,2]", matrix_schema(2), {}, request).error().id, "protocol.bad_form");
}

TEST(FriendlyRows, PythonsNanIsNotNoneInATextColumn) {
  const Request request = rows(mixed_schema(), R"([[Infinity,NaN,NaN,-Infinity,NaN,null]])");
  const auto& table = request.table;
  EXPECT_EQ(table.numbers[0], HUGE_VAL);
  EXPECT_EQ(table.kind(1), CellKind::kNumber);
  EXPECT_EQ(table.kind(5), CellKind::kMissing);
}

TEST(FriendlyRows, UnknownMembersAreRefused) {
  Request request;
  EXPECT_EQ(read_rows(R"({"rows":[[1]],"colums":["a"]})", matrix_schema(1), {}, request).error().hint,
            "did you mean 'columns'?");
  EXPECT_EQ(read_rows("", matrix_schema(1), {}, request).error().id, "protocol.bad_json");
}

TEST(Cells, FollowTheRulesOfRequests) {
  const Schema schema = mixed_schema();
  const std::vector<std::string> columns{"code", "amount", "country", "known", "age"};
  const std::vector<std::vector<tensor::CellValue>> cells{
      {std::string("x"), 2.5, std::string("DE"), 1.0, 42.0}};
  Request request;
  ASSERT_TRUE(read_cells(columns, cells, schema, request));
  EXPECT_EQ(row_text(request.table, 0), kRow);
  const std::vector<std::vector<tensor::CellValue>> wrong{
      {std::string("x"), std::string("y"), std::string("DE"), 1.0, 42.0}};
  EXPECT_EQ(read_cells(columns, wrong, schema, request).error().id, "protocol.wrong_type");
  EXPECT_EQ(read_cells({}, cells, schema, request).error().id, "protocol.row_width");
}

TEST(MediaTypes, JsonAndCsvInUtf8) {
  EXPECT_EQ(media_type("application/json"), MediaType::kJson);
  EXPECT_EQ(media_type("Application/JSON; charset=UTF-8"), MediaType::kJson);
  EXPECT_EQ(media_type(""), MediaType::kJson);
  EXPECT_EQ(media_type("text/csv;charset=\"utf-8\""), MediaType::kCsv);
  EXPECT_EQ(media_type("text/csv; charset=latin-1"), std::nullopt);
  EXPECT_EQ(media_type("application/x-www-form-urlencoded"), std::nullopt);
}

}  // namespace
}  // namespace wherry::protocol
