#include "protocol/v2_input.h"

#include <algorithm>

namespace wherry::protocol {
namespace {

using program::ColumnType;

constexpr std::uint64_t kMostElements = std::uint64_t{1} << 40;
constexpr std::size_t kMostIgnored = 100;  // names kept for a spelling suggestion

base::Error invalid(std::string_view id, std::string message, std::string hint) {
  return {base::Code::kInvalidInput, std::string(id), std::move(message), std::move(hint), {}};
}

std::unexpected<base::Error> fail(std::string_view id, std::string message, std::string hint) {
  return std::unexpected(invalid(id, std::move(message), std::move(hint)));
}

}  // namespace

std::string V2Input::shape_text() const {
  std::string text = "[";
  for (std::size_t i = 0; i < axes; ++i) text += base::cat(i == 0 ? "" : ", ", shape[i]);
  return text + "]";
}

base::Error bad_length(const V2Input& in, std::string_view length) {
  return invalid("protocol.bad_shape",
                 base::cat("the shape of ", in.label(), " holds ", length, ", which is not a length"),
                 "send \"shape\": [rows, columns]");
}

base::Error wrong_count(const V2Input& in, std::string_view comparison) {
  return invalid("protocol.bad_shape",
                 base::cat("the data of ", in.label(), " has ", comparison, " elements than its shape ",
                           in.shape_text(), " says"),
                 "\"data\" holds as many elements as the product of \"shape\"");
}

base::Status V2Input::add_length(std::uint64_t length) {
  if (axes == kMostAxes)
    return fail("protocol.bad_shape",
                base::cat("the shape of ", label(), " has more than ", kMostAxes, " lengths"),
                "send \"shape\": [rows, columns]");
  shape[axes++] = length;
  return {};
}

base::Status V2Input::shape_ends() {
  has_shape = true;
  count = 1;
  const auto lengths = std::span(shape).first(axes);
  if (std::find(lengths.begin(), lengths.end(), 0U) != lengths.end()) {
    count = 0;
    return {};
  }
  for (const std::uint64_t length : lengths) {
    if (length > kMostElements / count)
      return fail("protocol.bad_shape",
                  base::cat("the product of the shape ", shape_text(), " of ", label(), " is too large"),
                  "send the rows in several requests");
    count *= length;
  }
  return {};
}

base::Status V2Input::set_datatype(std::string_view text) {
  datatype = find_datatype(text);
  if (datatype != nullptr) return {};
  return fail("protocol.bad_datatype",
              base::cat(label(), " has the unknown datatype ", base::quoted(text, 20)),
              "the protocol's datatypes are BOOL, INT8 to INT64, UINT8 to UINT64, FP16, BF16, FP32, FP64 and "
              "BYTES");
}

std::string V2Inputs::place_of(const V2Input& in, std::size_t cell) const {
  const std::size_t columns = request_.table.columns;
  return base::cat(in.label(), ", row ", cell / columns, ", column ",
                   base::quoted(schema_.columns()[cell % columns].name));
}

base::Status V2Inputs::begin_table(std::uint64_t rows, bool numbers) {
  TRY(check_cells(rows, schema_, limits_));
  if (numbers)
    request_.table.reset_for_numbers(rows, schema_.columns().size());
  else
    request_.table.reset(rows, schema_.columns().size());
  return {};
}

base::Status V2Inputs::check_column_type(const V2Input& in, std::uint32_t column) const {
  const ColumnType type = schema_.columns()[column].type;
  const bool is_text = in.datatype->kind == DataKind::kBytes;
  const bool takes_text = type == ColumnType::kText || type == ColumnType::kRecord;
  if (type == ColumnType::kAny || is_text == takes_text) return {};
  return fail(
      "protocol.bad_datatype",
      base::cat(in.label(), " has datatype ", in.datatype->name, ", but column ",
                base::quoted(schema_.columns()[column].name), is_text ? " takes numbers" : " takes text"),
      is_matrix_ ? "send one input per column" : base::cat("send it as ", datatype_of(type)));
}

base::Result<Destination> V2Inputs::place_column(const V2Input& in, std::uint32_t column) {
  const bool is_column = in.axes == 1 || (in.axes == 2 && in.shape[1] == 1);
  if (!is_column)
    return fail(
        "protocol.bad_shape",
        base::cat(in.label(), " has shape ", in.shape_text(), "; a column has shape [rows] or [rows, 1]"),
        "send one input per column, or one matrix of all columns");
  const std::uint64_t rows = in.shape[0];
  if (given_columns_ == 0) TRY(begin_table(rows, false));
  if (rows != request_.table.rows)
    return fail("protocol.bad_shape",
                base::cat(in.label(), " has ", rows, rows == 1 ? " row" : " rows", ", the inputs before it ",
                          request_.table.rows),
                "all inputs have the same number of rows");
  if (request_.scratch.seen[column] != 0)
    return fail("protocol.duplicate", base::cat(in.label(), " is given twice"), "give every input once");
  TRY(check_column_type(in, column));
  request_.scratch.seen[column] = 1;
  ++given_columns_;
  return Destination{column, schema_.columns().size()};
}

base::Result<Destination> V2Inputs::place_matrix(const V2Input& in, bool numbers) {
  const std::size_t columns = schema_.columns().size();
  if (in.axes == 2 && in.shape[1] != columns)
    return fail("protocol.bad_shape",
                base::cat(in.label(), " has shape ", in.shape_text(), "; the model takes ", columns,
                          columns == 1 ? " column" : " columns"),
                base::cat("send shape [", in.shape[0], ", ", columns, "]"));
  is_matrix_ = true;
  for (std::uint32_t c = 0; c < columns; ++c) TRY(check_column_type(in, c));
  TRY(begin_table(in.shape[0], numbers));
  return Destination{};
}

// Decides what an input is: a column of the model, or all of them.
base::Result<Destination> V2Inputs::place(const V2Input& in, bool numbers) {
  const std::size_t columns = schema_.columns().size();
  const bool looks_like_matrix = in.axes == 2 && (in.shape[1] != 1 || columns == 1);
  const bool is_first = read_++ == 0;
  if (is_matrix_)
    return fail("protocol.unknown_column",
                base::cat(in.label(), " follows a matrix which holds all columns already"),
                "send either one matrix or one input per column");
  const auto column = given_columns_ < columns && schema_.columns()[given_columns_].name == *in.name
                          ? std::optional(static_cast<std::uint32_t>(given_columns_))
                          : schema_.column(*in.name);
  if (column && !(looks_like_matrix && in.shape[1] == columns)) return place_column(in, *column);
  const bool may_be_matrix = is_first && (looks_like_matrix || (columns == 1 && in.axes == 1));
  if (may_be_matrix) return place_matrix(in, numbers);
  if (schema_.signature().ignores_extra) {
    if (request_.scratch.given.size() < kMostIgnored) request_.scratch.given.push_back(*in.name);
    return Destination{.ignored = true};
  }
  base::Error error = unknown_column(schema_, *in.name);
  error.message = base::cat("the model has no input ", base::quoted(*in.name));
  return std::unexpected(std::move(error));
}

base::Status V2Inputs::finish() {
  if (takes_tensors()) return tensors_.finish();
  if (is_matrix_) return {};
  if (read_ == 0)
    return fail("protocol.missing_column", "\"inputs\" is empty",
                "send one input per column, or one matrix of all columns");
  for (std::uint32_t c = 0; c < schema_.columns().size(); ++c)
    if (request_.scratch.seen[c] == 0 && schema_.columns()[c].required)
      return std::unexpected(missing_column(schema_, c, request_.scratch.given));
  return {};
}

base::Status want_output(std::string_view name, const OutputForm& form, const Schema& schema,
                         Request& request) {
  const auto tensor = schema.tensor(name);
  if (!tensor) {
    std::string names;
    for (const OutputTensor& known : schema.tensors())
      names += base::cat(names.empty() ? "" : ", ", known.name);
    return fail("protocol.unknown_output", base::cat("the model has no output ", base::quoted(name)),
                base::cat("its outputs are ", names));
  }
  if (std::find(request.tensors.begin(), request.tensors.end(), *tensor) != request.tensors.end())
    return fail("protocol.duplicate", base::cat("output ", base::quoted(name), " is asked for twice"),
                "ask for every output once");
  const program::ValueType& type = schema.tensors()[*tensor].type;
  if (form.classes != 0 && (type.kind == program::ValueKind::kTable || type.dtype == tensor::DType::kString))
    return fail("protocol.bad_parameter",
                base::cat("parameter 'classification' is given for output ", base::quoted(name),
                          ", which does not hold numbers"),
                "ask for the classes of probabilities or scores");
  request.tensors.push_back(*tensor);
  request.forms.push_back(form);
  return {};
}

namespace {

base::Status wrong_kind(std::string_view name, std::string_view wanted) {
  return fail("protocol.bad_parameter", base::cat("parameter ", base::quoted(name), " is not ", wanted),
              base::cat("give ", wanted, ", or leave it out"));
}

base::Status take_bool(std::string_view name, const V2Value& value, bool& out) {
  if (value.kind != V2Value::Kind::kBool) return wrong_kind(name, "true or false");
  out = value.truth;
  return {};
}

base::Status take_unsigned(std::string_view name, const V2Value& value, std::uint64_t& out) {
  if (value.kind != V2Value::Kind::kInteger || (value.is_negative && value.magnitude != 0))
    return wrong_kind(name, "a whole number from 0 on");
  out = value.magnitude;
  return {};
}

base::Status refuse_shared_memory(std::string_view name) {
  if (!name.starts_with("shared_memory_")) return {};
  return fail("protocol.bad_parameter",
              base::cat("parameter ", base::quoted(name),
                        " asks for shared memory, which this server does not "
                        "take from clients"),
              "send the tensor in the request");
}

}  // namespace

base::Status take_parameter(std::string_view name, const V2Value& value, Request& request) {
  if (name == "priority") return take_unsigned(name, value, request.priority);
  if (name == "timeout") return take_unsigned(name, value, request.timeout_us);
  if (name == "binary_data_output") return take_bool(name, value, request.binary_outputs);
  if (name.starts_with("sequence_"))
    return fail("protocol.bad_parameter",
                base::cat("parameter ", base::quoted(name),
                          " makes the request part of a sequence; models of "
                          "this server have no state between requests"),
                "leave the parameter out");
  if (name == "triton_enable_empty_final_response")
    return {};  // a stream's clients: there is no empty response
  if (name.starts_with("triton_"))
    return fail("protocol.bad_parameter",
                base::cat("parameter ", base::quoted(name), " has a name which is reserved to servers"),
                "leave the parameter out, or give it another name");
  return {};
}

base::Status take_parameter(std::string_view name, const V2Value& value, V2Input& in) {
  if (name != "binary_data_size") return refuse_shared_memory(name);
  std::uint64_t size = 0;
  TRY(take_unsigned(name, value, size));
  in.byte_size = size;
  return {};
}

base::Status take_parameter(std::string_view name, const V2Value& value, OutputForm& form) {
  if (name == "binary_data") {
    bool binary = false;
    TRY(take_bool(name, value, binary));
    form.carriage = binary ? OutputForm::Carriage::kBinary : OutputForm::Carriage::kJson;
    return {};
  }
  if (name != "classification") return refuse_shared_memory(name);
  std::uint64_t classes = 0;
  TRY(take_unsigned(name, value, classes));
  if (classes > std::numeric_limits<std::uint32_t>::max()) return wrong_kind(name, "a number of classes");
  form.classes = static_cast<std::uint32_t>(classes);
  return {};
}

}  // namespace wherry::protocol
