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
  const auto read = read_csv(body, schema, {}, request);
  EXPECT_TRUE(read) << body << ": " << (read ? "" : read.error().message);
  return request;
}
base::Error refused(const Schema& schema, std::string_view body) {
  Request request;
  const auto read = read_csv(body, schema, {}, request);
  EXPECT_FALSE(read) << body;
  return read ? base::Error() : read.error();
}

constexpr std::string_view kHeader = "amount,country,known,age,code\n";

TEST(Csv, QuotedFieldsHoldCommasQuotesAndLineEnds) {
  const Request request =
      accepted(mixed_schema(), base::cat(kHeader, "1.5,\"a, \"\"b\"\"\nc\",True,42,x\r\n2,,FALSE,,\"\"\n"));
  const auto& table = request.table;
  ASSERT_EQ(table.rows, 2U);
  EXPECT_EQ(table.texts[1], "a, \"b\"\nc");
  EXPECT_EQ(table.numbers[2], 1);
  EXPECT_EQ(table.kind(7), CellKind::kMissing);
  EXPECT_EQ(table.numbers[8], 0);
  EXPECT_TRUE(std::isnan(table.numbers[9]));
}

TEST(Csv, NumberColumnsTakeThePandasMarkers) {
  const Request request = accepted(matrix_schema(2), "x0,x1\nNA, 1e3 \n,+.5\nNaN,-inf\nNone,01\n<NA>,5.\n");
  const auto& numbers = request.table.numbers;
  for (const std::size_t row : {0, 1, 2, 3, 4}) EXPECT_TRUE(std::isnan(numbers[row * 2])) << row;
  EXPECT_EQ(numbers[1], 1000);
  EXPECT_EQ(numbers[3], 0.5);
  EXPECT_EQ(numbers[5], -HUGE_VAL);
  EXPECT_EQ(numbers[7], 1);
  EXPECT_EQ(numbers[9], 5);
}

TEST(Csv, NumbersAreCorrectlyRounded) {
  EXPECT_EQ(accepted(matrix_schema(1), "x0\n0.30000000000000004\n").table.numbers[0], 0.1 + 0.2);
  EXPECT_EQ(accepted(matrix_schema(1), "x0\n1e-400\n").table.numbers[0], 0);
  EXPECT_EQ(refused(matrix_schema(1), "x0\n1e400\n").id, "protocol.number_range");
}

TEST(Csv, NumericLookingTextStaysTextInATextColumn) {
  const Schema schema = test_schema({{"zip", program::ColumnType::kText}, {"n"}}, true);
  const Request request = accepted(schema, "n,zip\n1,01234\n2,NA\n");
  EXPECT_EQ(request.table.texts[0], "01234");
  EXPECT_EQ(request.table.texts[2], "NA");
}

TEST(Csv, AColumnOfUnknownTypeIsNumbersOnlyWhenAllFieldsAre) {
  const Schema schema = test_schema({{"c", program::ColumnType::kAny}}, true);
  const Request numbers = accepted(schema, "c\n1\nNA\n2.5\n");
  EXPECT_EQ(numbers.table.kind(0), CellKind::kNumber);
  EXPECT_EQ(numbers.table.kind(1), CellKind::kMissing);
  EXPECT_EQ(numbers.table.numbers[2], 2.5);
  const Request texts = accepted(schema, "c\n1\nx\n");
  EXPECT_EQ(texts.table.texts[0], "1");
  EXPECT_EQ(accepted(schema, "c\nTrue\nFalse\n").table.numbers[0], 1);
}

TEST(Csv, ColumnsAreMatchedByName) {
  const Request request = accepted(mixed_schema(), "age,code,country,known,amount\n1,2,DE,0,3\n");
  EXPECT_EQ(request.table.numbers[0], 3);
  EXPECT_EQ(request.table.texts[1], "DE");
  EXPECT_EQ(refused(mixed_schema(), "age,code,country,known,amuont\n").message,
            "column 'amount' is missing; the nearest given name is 'amuont'");
  EXPECT_EQ(refused(mixed_schema(), base::cat("extra,", kHeader)).id, "protocol.unknown_column");
  EXPECT_EQ(refused(mixed_schema(), base::cat(",", kHeader)).hint,
            "write the CSV without its index column (pandas: to_csv(index=False))");
}

TEST(Csv, AModelWithoutNamesNeedsNoHeader) {
  EXPECT_EQ(accepted(matrix_schema(2), "1.5,2\n3,4\n").table.numbers, (std::vector<double>{1.5, 2, 3, 4}));
  EXPECT_EQ(accepted(matrix_schema(2), "0,1\n3,4\n").table.numbers, (std::vector<double>{3, 4}))
      << "a pandas header";
  EXPECT_EQ(accepted(matrix_schema(2), "a,b\n3,4\n").table.numbers, (std::vector<double>{3, 4}));
  EXPECT_EQ(refused(mixed_schema(), "1,2,3,4,5\n").hint,
            "the first line of the CSV must hold the column names");
}

TEST(Csv, ByteOrderMarkBlankLinesAndAMissingLastLineEndAreFine) {
  EXPECT_EQ(accepted(matrix_schema(2), "\xef\xbb\xbfx0,x1\r\n\r\n1,2\r\n\n3,4").table.numbers,
            (std::vector<double>{1, 2, 3, 4}));
}

TEST(Csv, ErrorsNameTheLineOrTheCell) {
  const Schema schema = matrix_schema(2);
  EXPECT_EQ(refused(schema, "x0,x1\n1,2\n3\n").message, "line 3 of the CSV has 1 field, the header has 2");
  EXPECT_EQ(refused(schema, "x0,x1\n1,2,3\n").message, "line 2 of the CSV has 3 fields, the header has 2");
  EXPECT_EQ(refused(schema, "x0,x1\n1,abc\n").message,
            "row 0, column 'x1': the field 'abc' stands where the model takes a number");
  EXPECT_EQ(refused(schema, "x0,x1\n1,\"2\n").message, "line 2 of the CSV: a quoted field is not closed");
  EXPECT_EQ(refused(schema, "x0,x1\n1,\"2\"x\n").id, "protocol.bad_csv");
  EXPECT_EQ(refused(schema, "x0,x1\n1,2\"\n").id, "protocol.bad_csv");
  EXPECT_EQ(refused(schema, "x0,x1\r1,2\r").id, "protocol.bad_csv");
  EXPECT_EQ(refused(schema, "").id, "protocol.bad_csv");
  EXPECT_EQ(refused(schema, "x0,x1\n1,\xff\n").id, "protocol.bad_utf8");
}

TEST(Csv, LimitsHold) {
  Request request;
  EXPECT_EQ(read_csv("x0\n1\n2\n3\n", matrix_schema(1), {.cells = 2}, request).error().code,
            base::Code::kLimit);
}

}  // namespace
}  // namespace wherry::protocol
