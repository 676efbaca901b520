// The Open Inference Protocol's infer request (open_inference_rest.yaml, $inference_request).
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "base/text.h"
#include "protocol/datatypes.h"
#include "protocol/rows.h"

namespace wherry::protocol {
namespace {

using Kind = JsonCursor::Kind;
using program::ColumnType;

constexpr std::size_t kMostAxes = 8;
constexpr std::size_t kMostIgnored = 100;  // names kept for a spelling suggestion
constexpr std::uint64_t kMostElements = std::uint64_t{1} << 40;

// One element of "inputs" as read so far; `data` is where its data starts.
struct Input {
  std::optional<std::string_view> name;
  const Datatype* datatype = nullptr;
  std::array<std::uint64_t, kMostAxes> shape{};
  std::size_t axes = 0;
  bool has_shape = false;
  std::uint64_t count = 1;
  std::optional<JsonCursor::Mark> data;

  bool complete() const { return name && datatype != nullptr && has_shape; }
};

// Where the elements of an input go: element i to cell first + i × stride.
struct Destination {
  std::size_t first = 0;
  std::size_t stride = 1;
  bool ignored = false;  // not a column of the model, which does not mind
};

class Reader {
 public:
  Reader(std::string_view body, const Schema& schema, const RequestLimits& limits, Request& request)
      : cursor_(body, cursor_options(limits), request.scratch.arena),
        body_(body),
        schema_(schema),
        limits_(limits),
        request_(request) {}

  base::Status read();

 private:
  bool document();
  bool id();
  bool parameters(std::string_view place);
  bool inputs();
  bool input();
  bool input_member(std::string_view key, Input& in, bool& read_already);
  bool shape(Input& in);
  bool datatype(Input& in);
  bool place(const Input& in, Destination& destination);
  bool place_column(const Input& in, std::uint32_t column, Destination& destination);
  bool begin_table(const Input& in, std::uint64_t rows);
  bool check_column_type(const Input& in, std::uint32_t column);
  bool data(const Input& in);
  bool elements(const Input& in, const Destination& destination, std::size_t axis, std::uint64_t& next);
  bool element(const Input& in, std::size_t cell);
  bool integer(const Input& in, const JsonNumber& number, std::size_t cell);
  bool wrong_element(const Input& in, std::size_t cell, Kind kind);
  bool wrong_count(const Input& in, std::string_view comparison);
  bool all_given();
  bool outputs();
  bool output();

  bool fail(std::string_view id, std::string message, std::string hint) {
    return cursor_.fail(
        {base::Code::kInvalidInput, std::string(id), std::move(message), std::move(hint), {}});
  }
  bool bad_form(std::string message, std::string hint) {
    return fail("protocol.bad_form", std::move(message), std::move(hint));
  }
  bool member_twice(std::string_view key) {
    return fail("protocol.duplicate", base::cat("member ", base::quoted(key), " is given twice"),
                "give every member once");
  }
  bool adopt(const base::Status& status) { return status ? true : cursor_.fail(status.error()); }
  std::string label(const Input& in) const {
    return base::cat("input ", base::quoted(in.name.value_or("?")));
  }
  std::string place_of(const Input& in, std::size_t cell) const {
    const std::size_t columns = request_.table.columns;
    return base::cat(label(in), ", row ", cell / columns, ", column ",
                     base::quoted(schema_.columns()[cell % columns].name));
  }

  JsonCursor cursor_;
  std::string_view body_;
  const Schema& schema_;
  const RequestLimits& limits_;
  Request& request_;
  bool is_matrix_ = false;  // one input holds all columns
  bool nested_ = false;     // the data being read is a list of lists
  std::size_t read_inputs_ = 0;
  std::size_t given_columns_ = 0;
};

std::string shape_text(const Input& in) {
  std::string text = "[";
  for (std::size_t i = 0; i < in.axes; ++i) text += base::cat(i == 0 ? "" : ", ", in.shape[i]);
  return text + "]";
}

base::Status Reader::read() {
  TRY(start_request(body_, schema_, request_));
  if (document()) cursor_.finish();
  return cursor_.status();
}

constexpr std::string_view kFormHint =
    "send {\"inputs\": [{\"name\": …, \"shape\": […], \"datatype\": …, \"data\": […]}]}";

bool Reader::document() {
  if (cursor_.peek() == Kind::kBad) return cursor_.fail_syntax("a value is expected");
  if (cursor_.peek() != Kind::kObject)
    return bad_form("the body is not a JSON object", std::string(kFormHint));
  bool has_id = false, has_inputs = false, has_outputs = false, has_parameters = false;
  std::string_view key;
  if (!cursor_.begin_object()) return false;
  while (cursor_.next_member(key)) {
    bool* const seen = key == "inputs"       ? &has_inputs
                       : key == "outputs"    ? &has_outputs
                       : key == "id"         ? &has_id
                       : key == "parameters" ? &has_parameters
                                             : nullptr;
    if (seen == nullptr) {
      if (!cursor_.skip_value()) return false;
      continue;
    }
    if (*seen) return member_twice(key);
    *seen = true;
    const bool done = seen == &has_inputs    ? inputs()
                      : seen == &has_outputs ? outputs()
                      : seen == &has_id      ? id()
                                             : parameters("the request");
    if (!done) return false;
  }
  if (cursor_.failed()) return false;
  if (!has_inputs) return bad_form("member \"inputs\" is missing", std::string(kFormHint));
  return true;
}

bool Reader::id() {
  if (cursor_.peek() == Kind::kNull) return cursor_.null();
  if (cursor_.peek() != Kind::kString)
    return bad_form("\"id\" is not text", "send the id as text, or leave it out");
  std::string_view text;
  if (!cursor_.string(text)) return false;
  request_.id = text;
  return true;
}

// Parameters which would change what the bytes mean are refused; others are not ours.
bool Reader::parameters(std::string_view place) {
  if (cursor_.peek() == Kind::kNull) return cursor_.null();
  if (cursor_.peek() != Kind::kObject)
    return bad_form(base::cat("\"parameters\" of ", place, " is not an object"),
                    "send {\"name\": value} or leave it out");
  std::string_view key;
  if (!cursor_.begin_object()) return false;
  while (cursor_.next_member(key)) {
    const bool is_size = key == "binary_data_size" || key == "shared_memory_region";
    const bool is_switch = key == "binary_data" || key == "binary_data_output" || key == "classification";
    if (is_size || (is_switch && cursor_.peek() != Kind::kFalse))
      return fail("protocol.bad_datatype",
                  base::cat("parameter ", base::quoted(key), " of ", place, " is not supported"),
                  "send and receive tensors as JSON \"data\"");
    if (!cursor_.skip_value()) return false;
  }
  return !cursor_.failed();
}

bool Reader::inputs() {
  if (cursor_.peek() != Kind::kArray) return bad_form("\"inputs\" is not a list", std::string(kFormHint));
  if (!cursor_.begin_array()) return false;
  while (cursor_.next_element())
    if (!input()) return false;
  return !cursor_.failed() && all_given();
}

bool Reader::input() {
  if (cursor_.peek() != Kind::kObject)
    return bad_form(base::cat("input ", read_inputs_, " is not an object"), std::string(kFormHint));
  Input in;
  bool read_already = false;
  std::string_view key;
  if (!cursor_.begin_object()) return false;
  while (cursor_.next_member(key))
    if (!input_member(key, in, read_already)) return false;
  if (cursor_.failed()) return false;
  if (!in.complete() || !in.data) {
    const std::string_view missing = !in.name                 ? "name"
                                     : !in.has_shape          ? "shape"
                                     : in.datatype == nullptr ? "datatype"
                                                              : "data";
    return bad_form(base::cat("input ", in.name ? base::quoted(*in.name) : base::cat(read_inputs_),
                              " has no \"", missing, "\""),
                    std::string(kFormHint));
  }
  if (!read_already) {
    const JsonCursor::Mark end = cursor_.mark();
    cursor_.seek(*in.data);
    if (!data(in)) return false;
    cursor_.seek(end);
  }
  ++read_inputs_;
  return true;
}

bool Reader::input_member(std::string_view key, Input& in, bool& read_already) {
  if (key == "name") {
    if (in.name) return member_twice(key);
    std::string_view text;
    if (cursor_.peek() != Kind::kString)
      return bad_form(base::cat("the name of input ", read_inputs_, " is not text"), std::string(kFormHint));
    if (!cursor_.string(text)) return false;
    in.name = text;
    return true;
  }
  if (key == "shape") return in.has_shape ? member_twice(key) : shape(in);
  if (key == "datatype") return in.datatype != nullptr ? member_twice(key) : datatype(in);
  if (key == "data") {
    if (in.data) return member_twice(key);
    in.data = cursor_.mark();
    read_already = in.complete();
    return read_already ? data(in) : cursor_.skip_value();
  }
  if (key == "parameters") return parameters(label(in));
  return cursor_.skip_value();
}

bool Reader::shape(Input& in) {
  in.has_shape = true;
  if (cursor_.peek() != Kind::kArray)
    return fail("protocol.bad_shape", base::cat("the shape of ", label(in), " is not a list"),
                "send \"shape\": [rows, columns]");
  if (!cursor_.begin_array()) return false;
  while (cursor_.next_element()) {
    JsonNumber number;
    if (cursor_.peek() != Kind::kNumber)
      return fail("protocol.bad_shape",
                  base::cat("the shape of ", label(in), " holds something else than integers"),
                  "send \"shape\": [rows, columns]");
    if (!cursor_.number(number)) return false;
    const bool is_length = number.is_integer && number.fits && (!number.is_negative || number.magnitude == 0);
    if (!is_length || in.axes == kMostAxes)
      return fail(
          "protocol.bad_shape",
          in.axes == kMostAxes
              ? base::cat("the shape of ", label(in), " has more than ", kMostAxes, " lengths")
              : base::cat("the shape of ", label(in), " holds ", number.value, ", which is not a length"),
          "send \"shape\": [rows, columns]");
    in.shape[in.axes++] = number.magnitude;
  }
  if (cursor_.failed()) return false;
  const auto shape = std::span(in.shape).first(in.axes);
  if (std::find(shape.begin(), shape.end(), 0U) != shape.end()) {
    in.count = 0;
    return true;
  }
  for (const std::uint64_t length : shape) {
    if (length > kMostElements / in.count)
      return fail("protocol.bad_shape",
                  base::cat("the product of the shape ", shape_text(in), " of ", label(in), " is too large"),
                  "send the rows in several requests");
    in.count *= length;
  }
  return true;
}

bool Reader::datatype(Input& in) {
  std::string_view text;
  if (cursor_.peek() != Kind::kString)
    return fail("protocol.bad_datatype", base::cat("the datatype of ", label(in), " is not text"),
                "send \"FP64\", \"INT64\", \"BOOL\" or \"BYTES\"");
  if (!cursor_.string(text)) return false;
  in.datatype = find_datatype(text);
  if (in.datatype == nullptr)
    return fail("protocol.bad_datatype",
                base::cat(label(in), " has the unknown datatype ", base::quoted(text, 20)),
                "the protocol's datatypes are BOOL, INT8 to INT64, UINT8 to UINT64, FP32, FP64 and BYTES");
  if (in.datatype->kind == DataKind::kNotInJson)
    return fail("protocol.bad_datatype",
                base::cat(label(in), " has datatype ", text, ", which JSON cannot carry"), "send it as FP32");
  return true;
}

bool Reader::begin_table(const Input& in, std::uint64_t rows) {
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

bool Reader::check_column_type(const Input& in, std::uint32_t column) {
  const ColumnType type = schema_.columns()[column].type;
  const bool is_text = in.datatype->kind == DataKind::kBytes;
  if (type == ColumnType::kAny || is_text == (type == ColumnType::kText)) return true;
  return fail(
      "protocol.bad_datatype",
      base::cat(label(in), " has datatype ", in.datatype->name, ", but column ",
                base::quoted(schema_.columns()[column].name), is_text ? " takes numbers" : " takes text"),
      is_matrix_ ? "send one input per column" : base::cat("send it as ", datatype_of(type)));
}

bool Reader::place_column(const Input& in, std::uint32_t column, Destination& destination) {
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
bool Reader::place(const Input& in, Destination& destination) {
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

bool Reader::data(const Input& in) {
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
bool Reader::elements(const Input& in, const Destination& destination, std::size_t axis,
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

bool Reader::wrong_count(const Input& in, std::string_view comparison) {
  return fail("protocol.bad_shape",
              base::cat("the data of ", label(in), " has ", comparison, " elements than its shape ",
                        shape_text(in), " says"),
              "\"data\" holds as many elements as the product of \"shape\"");
}

bool Reader::element(const Input& in, std::size_t cell) {
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
bool Reader::integer(const Input& in, const JsonNumber& number, std::size_t cell) {
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

bool Reader::wrong_element(const Input& in, std::size_t cell, Kind kind) {
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

bool Reader::all_given() {
  if (is_matrix_) return true;
  if (read_inputs_ == 0)
    return fail("protocol.missing_column", "\"inputs\" is empty",
                "send one input per column, or one matrix of all columns");
  for (std::uint32_t c = 0; c < schema_.columns().size(); ++c)
    if (request_.scratch.seen[c] == 0 && schema_.columns()[c].required)
      return cursor_.fail(missing_column(schema_, c, request_.scratch.given));
  return true;
}

bool Reader::outputs() {
  if (cursor_.peek() == Kind::kNull) return cursor_.null();
  if (cursor_.peek() != Kind::kArray)
    return bad_form("\"outputs\" is not a list", "send \"outputs\": [{\"name\": …}]");
  if (!cursor_.begin_array()) return false;
  while (cursor_.next_element())
    if (!output()) return false;
  return !cursor_.failed();
}

bool Reader::output() {
  if (cursor_.peek() != Kind::kObject)
    return bad_form("an output is not an object", "send \"outputs\": [{\"name\": …}]");
  std::optional<std::string_view> name;
  std::string_view key;
  if (!cursor_.begin_object()) return false;
  while (cursor_.next_member(key)) {
    if (key == "name") {
      if (name) return member_twice(key);
      if (cursor_.peek() != Kind::kString)
        return bad_form("the name of an output is not text", "send {\"name\": \"predict\"}");
      std::string_view text;
      if (!cursor_.string(text)) return false;
      name = text;
    } else if (key == "parameters") {
      if (!parameters("an output")) return false;
    } else if (!cursor_.skip_value()) {
      return false;
    }
  }
  if (cursor_.failed()) return false;
  if (!name) return bad_form("an output has no \"name\"", "send {\"name\": \"predict\"}");
  const auto tensor = schema_.tensor(*name);
  if (!tensor) {
    std::string names;
    for (const OutputTensor& known : schema_.tensors())
      names += base::cat(names.empty() ? "" : ", ", known.name);
    return fail("protocol.unknown_output", base::cat("the model has no output ", base::quoted(*name)),
                base::cat("its outputs are ", names));
  }
  auto& wanted = request_.tensors;
  if (std::find(wanted.begin(), wanted.end(), *tensor) != wanted.end())
    return fail("protocol.duplicate", base::cat("output ", base::quoted(*name), " is asked for twice"),
                "ask for every output once");
  wanted.push_back(*tensor);
  return true;
}

}  // namespace

base::Status read_v2(std::string_view body, const Schema& schema, const RequestLimits& limits,
                     Request& request) {
  return Reader(body, schema, limits, request).read();
}

}  // namespace wherry::protocol
