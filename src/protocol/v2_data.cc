// Where the inputs of a V2 request go in the table, and what their elements mean.
#include <cmath>

#include "protocol/v2_reader.h"

namespace wherry::protocol {
namespace {

using Kind = JsonCursor::Kind;
using program::ColumnType;

constexpr std::size_t kMostIgnored = 100;  // names kept for a spelling suggestion

}  // namespace

bool V2Reader::begin_table(const V2Input& in, std::uint64_t rows) {
  // Every element is at least one digit and a comma, so an honest body is longer than its count: the table's
  // memory is in proportion to the body.
  if (in.count > body_.size())
    return fail("protocol.bad_shape",
                base::cat(label(in), " has fewer elements than its shape ", shape_text(in), " says"),
                "\"data\" holds as many elements as the product of \"shape\"");
  if (!adopt(check_cells(rows, schema_, limits_))) return false;
  request_.table.reset(rows, schema_.columns().size());
  return true;
}

bool V2Reader::check_column_type(const V2Input& in, std::uint32_t column) {
  const ColumnType type = schema_.columns()[column].type;
  const bool is_text = in.datatype->kind == DataKind::kBytes;
  const bool takes_text = type == ColumnType::kText || type == ColumnType::kRecord;
  if (type == ColumnType::kAny || is_text == takes_text) return true;
  return fail(
      "protocol.bad_datatype",
      base::cat(label(in), " has datatype ", in.datatype->name, ", but column ",
                base::quoted(schema_.columns()[column].name), is_text ? " takes numbers" : " takes text"),
      is_matrix_ ? "send one input per column" : base::cat("send it as ", datatype_of(type)));
}

bool V2Reader::place_column(const V2Input& in, std::uint32_t column, Destination& destination) {
  const bool is_column = in.axes == 1 || (in.axes == 2 && in.shape[1] == 1);
  if (!is_column)
    return fail(
        "protocol.bad_shape",
        base::cat(label(in), " has shape ", shape_text(in), "; a column has shape [rows] or [rows, 1]"),
        "send one input per column, or one matrix of all columns");
  const std::uint64_t rows = in.shape[0];
  if (given_columns_ == 0 && !begin_table(in, rows)) return false;
  if (rows != request_.table.rows)
    return fail("protocol.bad_shape",
                base::cat(label(in), " has ", rows, rows == 1 ? " row" : " rows", ", the inputs before it ",
                          request_.table.rows),
                "all inputs have the same number of rows");
  if (request_.scratch.seen[column] != 0)
    return fail("protocol.duplicate", base::cat(label(in), " is given twice"), "give every input once");
  if (!check_column_type(in, column)) return false;
  request_.scratch.seen[column] = 1;
  ++given_columns_;
  destination = {column, schema_.columns().size()};
  return true;
}

// Decides what an input is: a column of the model, or all of them.
bool V2Reader::place(const V2Input& in, Destination& destination) {
  const std::size_t columns = schema_.columns().size();
  const bool looks_like_matrix = in.axes == 2 && (in.shape[1] != 1 || columns == 1);
  if (is_matrix_)
    return fail("protocol.unknown_column",
                base::cat(label(in), " follows a matrix which holds all columns already"),
                "send either one matrix or one input per column");
  const auto column = given_columns_ < columns && schema_.columns()[given_columns_].name == *in.name
                          ? std::optional(static_cast<std::uint32_t>(given_columns_))
                          : schema_.column(*in.name);
  if (column && !(looks_like_matrix && in.shape[1] == columns)) return place_column(in, *column, destination);
  const bool may_be_matrix = read_inputs_ == 0 && (looks_like_matrix || (columns == 1 && in.axes == 1));
  if (!may_be_matrix && schema_.signature().ignores_extra) {
    if (request_.scratch.given.size() < kMostIgnored) request_.scratch.given.push_back(*in.name);
    destination.ignored = true;
    return true;
  }
  if (!may_be_matrix) {
    base::Error error = unknown_column(schema_, *in.name);
    error.message = base::cat("the model has no input ", base::quoted(*in.name));
    return cursor_.fail(std::move(error));
  }
  if (in.axes == 2 && in.shape[1] != columns)
    return fail("protocol.bad_shape",
                base::cat(label(in), " has shape ", shape_text(in), "; the model takes ", columns,
                          columns == 1 ? " column" : " columns"),
                base::cat("send shape [", in.shape[0], ", ", columns, "]"));
  is_matrix_ = true;
  for (std::uint32_t c = 0; c < columns; ++c)
    if (!check_column_type(in, c)) return false;
  destination = {0, 1};
  return begin_table(in, in.shape[0]);
}

bool V2Reader::data(const V2Input& in) {
  Destination destination;
  if (!place(in, destination)) return false;
  if (destination.ignored) return cursor_.skip_value();
  if (cursor_.peek() != Kind::kArray)
    return bad_form(base::cat("the data of ", label(in), " is not a list"), "send \"data\": [value, …]");
  nested_ = false;
  std::uint64_t next = 0;
  return elements(in, destination, 0, next);
}

// One list of the data: flat with all elements, or nested as the shape says, `axis` deep.
bool V2Reader::elements(const V2Input& in, const Destination& destination, std::size_t axis,
                        std::uint64_t& next) {
  if (!cursor_.begin_array()) return false;
  std::uint64_t length = 0;
  std::uint64_t wanted = axis == 0 ? in.count : in.shape[axis];
  while (cursor_.next_element()) {
    const bool is_list = cursor_.peek() == Kind::kArray;
    if (axis == 0 && length == 0) {
      nested_ = is_list;
      if (nested_) wanted = in.axes == 0 ? 0 : in.shape[0];
    }
    const bool holds_lists = nested_ && axis + 1 < in.axes;
    if (is_list != holds_lists)
      return fail(
          "protocol.bad_shape",
          base::cat("the data of ", label(in), " is nested otherwise than its shape ", shape_text(in)),
          "send \"data\" flat, or nested exactly as \"shape\" says");
    if (length++ == wanted) return wrong_count(in, "more");
    if (is_list) {
      if (!elements(in, destination, axis + 1, next)) return false;
    } else {
      if (!element(in, destination.first + static_cast<std::size_t>(next++) * destination.stride))
        return false;
    }
  }
  if (cursor_.failed()) return false;
  return length == wanted || wrong_count(in, "fewer");
}

bool V2Reader::wrong_count(const V2Input& in, std::string_view comparison) {
  return fail("protocol.bad_shape",
              base::cat("the data of ", label(in), " has ", comparison, " elements than its shape ",
                        shape_text(in), " says"),
              "\"data\" holds as many elements as the product of \"shape\"");
}

bool V2Reader::element(const V2Input& in, std::size_t cell) {
  const Kind kind = cursor_.peek();
  const DataKind data_kind = in.datatype->kind;
  double& value = request_.table.numbers[cell];
  const std::size_t columns = request_.table.columns;
  if (kind == Kind::kNull &&
      (data_kind == DataKind::kFloat64 || data_kind == DataKind::kFloat32 || data_kind == DataKind::kBytes)) {
    store_missing(schema_, cell / columns, static_cast<std::uint32_t>(cell % columns), request_);
    return cursor_.null();
  }
  if (data_kind == DataKind::kBytes && kind == Kind::kString) {
    std::string_view text;
    if (!cursor_.string(text)) return false;
    request_.table.set_text(cell, text);
    return true;
  }
  if (data_kind == DataKind::kBool && (kind == Kind::kTrue || kind == Kind::kFalse)) {
    bool truth = false;
    if (!cursor_.boolean(truth)) return false;
    value = truth ? 1 : 0;
    return true;
  }
  const bool is_numeric = data_kind != DataKind::kBytes && data_kind != DataKind::kBool;
  if (kind != Kind::kNumber || !is_numeric) return wrong_element(in, cell, kind);
  JsonNumber number;
  if (!cursor_.number(number)) return false;
  value = number.value;
  if (data_kind == DataKind::kFloat64) return true;
  if (data_kind != DataKind::kFloat32) return integer(in, number, cell);
  value = static_cast<double>(static_cast<float>(number.value));
  if (std::isfinite(value) || !std::isfinite(number.value)) return true;
  return fail("protocol.number_range",
              base::cat(place_of(in, cell), ": ", number.value, " is beyond the range of FP32"),
              "send it as FP64");
}

// Integers beyond 2^53 have become the nearest double already, as Python's float(x).
bool V2Reader::integer(const V2Input& in, const JsonNumber& number, std::size_t cell) {
  const Datatype& type = *in.datatype;
  if (!number.is_integer)
    return fail(
        "protocol.number_range",
        base::cat(place_of(in, cell), ": ", number.value, " is not an integer, as ", type.name, " needs"),
        "write integers without point and exponent, or send the input as FP64");
  const std::uint64_t most_negative = std::uint64_t{0} - static_cast<std::uint64_t>(type.low);
  const std::uint64_t most = number.is_negative ? most_negative : type.high;
  if (number.fits && number.magnitude <= most) return true;
  return fail("protocol.number_range",
              base::cat(place_of(in, cell), ": ", number.value, " is beyond the range of ", type.name),
              "send the input with a wider datatype");
}

bool V2Reader::wrong_element(const V2Input& in, std::size_t cell, Kind kind) {
  if (kind == Kind::kBad) return cursor_.fail_syntax("a value is expected");
  const std::string_view found = kind == Kind::kNumber   ? "a number"
                                 : kind == Kind::kString ? "text"
                                 : kind == Kind::kNull   ? "null"
                                 : kind == Kind::kObject ? "an object"
                                                         : "true or false";
  const DataKind wanted = in.datatype->kind;
  return fail(
      "protocol.wrong_type",
      base::cat(place_of(in, cell), ": ", found, " stands where datatype ", in.datatype->name, " needs ",
                wanted == DataKind::kBytes  ? "text"
                : wanted == DataKind::kBool ? "true or false"
                                            : "a number"),
      kind == Kind::kNull ? "only FP32, FP64 and BYTES have missing values"
                          : "send values of the datatype announced");
}

}  // namespace wherry::protocol
