#include "protocol/v1_request.h"

#include <algorithm>
#include <string>

#include "base/text.h"
#include "protocol/rows.h"
#include "protocol/tensor_forms.h"

namespace wherry::protocol {
namespace {

using Kind = JsonCursor::Kind;
using Rows = RowsReader::Rows;
using tensor::CellKind;

constexpr std::string_view kDefaultSignature = "serving_default";
constexpr std::string_view kWholeInput = "input";
constexpr std::string_view kPredictHint =
    "send {\"instances\": [row, …]} or {\"inputs\": {\"column\": [value, …]}}";
constexpr std::string_view kExamplesHint = "send {\"examples\": [{\"column\": value, …}, …]}";

RequestLimits v1_limits(const RequestLimits& limits) {
  RequestLimits own = limits;
  own.base64_objects = true;
  own.vectors_of_one = true;
  return own;
}

class V1Reader {
 public:
  V1Reader(std::string_view body, const Schema& schema, const RequestLimits& limits, Request& request)
      : limits_(v1_limits(limits)),
        schema_(schema),
        request_(request),
        tensors_(schema, request),
        cursor_(body, cursor_options(limits_), request.scratch.arena) {}

  base::Status predict(V1Form& form) {
    if (!predict_document(form) || !cursor_.finish()) return cursor_.status();
    return schema_.takes_tensors() ? tensors_.finish() : base::Status();
  }
  base::Status examples() {
    if (examples_document()) cursor_.finish();
    return cursor_.status();
  }

 private:
  bool fail(std::string_view id, std::string message, std::string_view hint) {
    return cursor_.fail(
        {base::Code::kInvalidInput, std::string(id), std::move(message), std::string(hint), {}});
  }
  bool bad_form(std::string message, std::string_view hint) {
    return fail("protocol.bad_form", std::move(message), hint);
  }
  bool twice(std::string_view member) {
    return fail("protocol.duplicate", base::cat("member ", base::quoted(member), " is given twice"),
                "give every member once");
  }
  bool begin_document(std::string_view hint) {
    if (cursor_.peek() == Kind::kBad) return cursor_.fail_syntax("a value is expected");
    if (cursor_.peek() != Kind::kObject) return bad_form("the body is not a JSON object", hint);
    return cursor_.begin_object();
  }

  bool predict_document(V1Form& form);
  bool signature(std::optional<std::uint32_t>& output);
  bool parameters(V1Form& form);
  bool choose(V1Form& form);
  bool has_whole_input();
  bool instances();
  bool wrapped_rows();
  bool inputs(V1Form& form);

  bool examples_document();
  bool context();
  bool example();
  bool feature(std::string_view name, std::size_t row);
  void apply_context(std::size_t row);

  const RequestLimits limits_;
  const Schema& schema_;
  Request& request_;
  TensorInputs tensors_;
  JsonCursor cursor_;
  tensor::Table context_;                  // one row
  std::vector<std::uint32_t> in_context_;  // its columns
};

bool V1Reader::predict_document(V1Form& form) {
  form.outputs.clear();
  std::optional<std::uint32_t> signed_output;
  bool has_signature = false, has_parameters = false;
  std::string_view rows_member, key;
  if (!begin_document(kPredictHint)) return false;
  while (cursor_.next_member(key)) {
    if (key == "signature_name") {
      if (has_signature) return twice(key);
      has_signature = true;
      if (!signature(signed_output)) return false;
    } else if (key == "parameters" || key == "params") {
      if (has_parameters) return twice(key);
      has_parameters = true;
      if (!parameters(form)) return false;
    } else if (key == "instances" || key == "inputs") {
      if (rows_member == key) return twice(key);
      if (!rows_member.empty())
        return bad_form("the body has both \"instances\" and \"inputs\"", kPredictHint);
      rows_member = key == "instances" ? "instances" : "inputs";
      form.layout = V1Layout::kRows;
      if (!(key == "instances" ? instances() : inputs(form))) return false;
    } else if (!cursor_.skip_value()) {
      return false;
    }
  }
  if (cursor_.failed()) return false;
  if (rows_member.empty())
    return bad_form("the body holds neither \"instances\" nor \"inputs\"", kPredictHint);
  if (signed_output && !form.outputs.empty() &&
      (form.outputs.size() > 1 || form.outputs[0] != *signed_output))
    return bad_form("\"signature_name\" and \"predict_method\" ask for different outputs",
                    "give one of them");
  if (!form.outputs.empty()) return true;
  if (schema_.takes_tensors() && !signed_output)
    for (std::uint32_t output = 0; output < schema_.outputs().size(); ++output)
      form.outputs.push_back(output);
  else
    form.outputs.push_back(signed_output.value_or(schema_.default_output()));
  return true;
}

bool V1Reader::signature(std::optional<std::uint32_t>& output) {
  if (cursor_.peek() == Kind::kNull) return cursor_.null();
  if (cursor_.peek() != Kind::kString)
    return bad_form("\"signature_name\" is not text", "leave it out, or name one of the model's outputs");
  std::string_view name;
  if (!cursor_.string(name)) return false;
  if (name.empty() || name == kDefaultSignature) return true;
  output = schema_.output(name);
  if (output) return true;
  return fail("protocol.unknown_signature", base::cat("the model has no signature ", base::quoted(name)),
              base::cat("its signatures are serving_default, ", output_names(schema_)));
}

bool V1Reader::parameters(V1Form& form) {
  if (cursor_.peek() == Kind::kNull) return cursor_.null();
  if (cursor_.peek() != Kind::kObject)
    return bad_form("\"parameters\" is not an object",
                    "send {\"parameters\": {\"predict_method\": \"predict_proba\"}}");
  std::string_view key;
  if (!cursor_.begin_object()) return false;
  while (cursor_.next_member(key)) {
    if (key != "predict_method" && key != "method") {
      if (!cursor_.skip_value()) return false;
      continue;
    }
    if (!form.outputs.empty()) return twice(key);
    if (!choose(form)) return false;
  }
  return !cursor_.failed();
}

// "predict", or ["predict", "predict_proba"].
bool V1Reader::choose(V1Form& form) {
  std::uint32_t output = 0;
  if (cursor_.peek() != Kind::kArray) {
    if (!read_output_name(cursor_, schema_, output)) return false;
    form.outputs.push_back(output);
    return true;
  }
  if (!cursor_.begin_array()) return false;
  while (cursor_.next_element()) {
    if (!read_output_name(cursor_, schema_, output)) return false;
    if (std::find(form.outputs.begin(), form.outputs.end(), output) != form.outputs.end())
      return fail("protocol.duplicate",
                  base::cat("output ", base::quoted(schema_.outputs()[output].name), " is asked for twice"),
                  "ask for every output once");
    form.outputs.push_back(output);
  }
  if (cursor_.failed()) return false;
  if (form.outputs.empty()) return bad_form("\"predict_method\" names no output", "name at least one");
  return true;
}

// Whether {"input": … comes next and means the whole matrix.
bool V1Reader::has_whole_input() {
  if (schema_.signature().has_names || schema_.column(kWholeInput) || cursor_.peek() != Kind::kObject)
    return false;
  std::string& arena = request_.scratch.arena;
  const std::size_t arena_size = arena.size();
  JsonCursor ahead = cursor_;
  std::string_view key;
  const bool is_it = ahead.begin_object() && ahead.next_member(key) && key == kWholeInput;
  arena.resize(std::min(arena_size, arena.size()));  // the key is read again
  return is_it;
}

bool V1Reader::instances() {
  if (schema_.takes_tensors()) return read_instances(cursor_, tensors_);
  RowsReader rows(cursor_, schema_, limits_, request_);
  if (cursor_.peek() != Kind::kArray) return rows.read(Rows::kAny, false);
  const JsonCursor::Mark start = cursor_.mark();
  if (!cursor_.begin_array()) return false;
  const bool wrapped = cursor_.next_element() && has_whole_input();
  if (cursor_.failed()) return false;
  cursor_.seek(start);
  return wrapped ? wrapped_rows() : rows.read(Rows::kAny, false);
}

// [{"input": [1, 2]}, …]
bool V1Reader::wrapped_rows() {
  RowsReader rows(cursor_, schema_, limits_, request_);
  rows.begin(Rows::kLists, false);
  std::string_view key;
  if (!cursor_.begin_array()) return false;
  while (cursor_.next_element()) {
    const bool wrapped = has_whole_input() && cursor_.begin_object() && cursor_.next_member(key);
    if (cursor_.failed()) return false;
    if (!wrapped)
      return bad_form(
          base::cat("row ", request_.table.rows, " is not an object with \"input\" as the first is"),
          kPredictHint);
    if (!rows.row()) return false;
    if (cursor_.next_member(key))
      return bad_form(base::cat("row ", request_.table.rows - 1, " has a member ", base::quoted(key),
                                " beside \"input\""),
                      "\"input\" holds all columns");
    if (cursor_.failed()) return false;
  }
  return !cursor_.failed();
}

bool V1Reader::inputs(V1Form& form) {
  if (schema_.takes_tensors()) {
    form.layout = V1Layout::kColumns;
    return read_inputs(cursor_, tensors_);
  }
  RowsReader rows(cursor_, schema_, limits_, request_);
  if (cursor_.peek() != Kind::kObject) {
    form.layout = V1Layout::kLists;
    return rows.read(Rows::kAny, false);
  }
  form.layout = V1Layout::kColumns;
  if (!has_whole_input()) return read_columns(cursor_, schema_, limits_, request_);
  std::string_view key;
  if (!cursor_.begin_object() || !cursor_.next_member(key)) return false;
  if (!rows.read(Rows::kLists, false)) return false;
  if (cursor_.next_member(key))
    return bad_form(base::cat("\"inputs\" has a member ", base::quoted(key), " beside \"input\""),
                    "\"input\" holds all columns");
  return !cursor_.failed();
}

bool V1Reader::examples_document() {
  std::optional<JsonCursor::Mark> examples, features;
  bool has_signature = false;
  std::optional<std::uint32_t> output;
  std::string_view key;
  if (!begin_document(kExamplesHint)) return false;
  while (cursor_.next_member(key)) {
    if (key == "signature_name") {
      if (has_signature) return twice(key);
      has_signature = true;
      if (!signature(output)) return false;
      continue;
    }
    std::optional<JsonCursor::Mark>* mark = key == "examples"  ? &examples
                                            : key == "context" ? &features
                                                               : nullptr;
    if (mark != nullptr && *mark) return twice(key);
    if (mark != nullptr) *mark = cursor_.mark();
    if (!cursor_.skip_value()) return false;
  }
  if (cursor_.failed()) return false;
  if (!examples) return bad_form("member \"examples\" is missing", kExamplesHint);
  const JsonCursor::Mark end = cursor_.mark();
  if (features) {
    cursor_.seek(*features);
    if (!context()) return false;
  }
  cursor_.seek(*examples);
  if (cursor_.peek() != Kind::kArray) return bad_form("\"examples\" is not a list", kExamplesHint);
  if (!cursor_.begin_array()) return false;
  while (cursor_.next_element())
    if (!example()) return false;
  if (cursor_.failed()) return false;
  cursor_.seek(end);
  return true;
}

bool V1Reader::feature(std::string_view name, std::size_t row) {
  const auto column = schema_.column(name);
  if (!column) {
    if (schema_.signature().ignores_extra) return cursor_.skip_value();
    return cursor_.fail(unknown_column(schema_, name));
  }
  std::uint32_t& stamp = request_.scratch.seen[*column];
  if (stamp == row + 1)
    return fail("protocol.duplicate", base::cat("feature ", base::quoted(name), " is given twice"),
                "give every feature once");
  stamp = static_cast<std::uint32_t>(row + 1);
  return read_cell(cursor_, schema_, row, *column, request_);
}

bool V1Reader::context() {
  if (cursor_.peek() == Kind::kNull) return cursor_.null();
  if (cursor_.peek() != Kind::kObject) return bad_form("\"context\" is not an object", kExamplesHint);
  request_.table.add_row();
  std::string_view key;
  if (!cursor_.begin_object()) return false;
  while (cursor_.next_member(key))
    if (!feature(key, 0)) return false;
  if (cursor_.failed()) return false;
  std::vector<std::uint32_t>& seen = request_.scratch.seen;
  for (std::uint32_t c = 0; c < seen.size(); ++c)
    if (seen[c] != 0) in_context_.push_back(c);
  context_ = request_.table;
  std::fill(seen.begin(), seen.end(), 0U);
  request_.table.reset(0, schema_.columns().size());
  return true;
}

bool V1Reader::example() {
  const std::size_t row = request_.table.rows;
  if (cursor_.peek() == Kind::kBad) return cursor_.fail_syntax("a value is expected");
  if (cursor_.peek() != Kind::kObject)
    return bad_form(base::cat("example ", row, " is not an object"), kExamplesHint);
  if (const auto fits = check_cells(row + 1, schema_, limits_); !fits) return cursor_.fail(fits.error());
  request_.table.add_row();
  std::string_view key;
  if (!cursor_.begin_object()) return false;
  while (cursor_.next_member(key))
    if (!feature(key, row)) return false;
  if (cursor_.failed()) return false;
  apply_context(row);
  for (std::uint32_t c = 0; c < schema_.columns().size(); ++c) {
    if (request_.scratch.seen[c] == row + 1 || !schema_.columns()[c].required) continue;
    base::Error error = missing_column(schema_, c, {});
    error.message = base::cat("example ", row, ": ", error.message);
    return cursor_.fail(std::move(error));
  }
  return true;
}

void V1Reader::apply_context(std::size_t row) {
  for (const std::uint32_t c : in_context_) {
    std::uint32_t& stamp = request_.scratch.seen[c];
    if (stamp == row + 1) continue;
    stamp = static_cast<std::uint32_t>(row + 1);
    const std::size_t cell = row * request_.table.columns + c;
    switch (context_.kind(c)) {
      case CellKind::kNumber:
        request_.table.set_number(cell, context_.numbers[c]);
        break;
      case CellKind::kText:
        request_.table.set_text(cell, context_.texts[c]);
        break;
      case CellKind::kMissing:
        request_.table.set_missing(cell);
    }
  }
}

// The single tensor of an output, when it is one of numbers with `axes` axes.
bool is_numbers(const Schema& schema, std::uint32_t output, std::size_t axes) {
  const OutputSchema& wanted = schema.outputs()[output];
  const program::ValueType& type = schema.tensors()[wanted.first_tensor].type;
  return wanted.tensor_count == 1 && type.kind == program::ValueKind::kTensor && type.shape.size() == axes &&
         type.dtype != tensor::DType::kString && type.dtype != tensor::DType::kBool;
}

}  // namespace

base::Status read_v1_predict(std::string_view body, const Schema& schema, const RequestLimits& limits,
                             Request& request, V1Form& form) {
  TRY(start_request(body, schema, request));
  return V1Reader(body, schema, limits, request).predict(form);
}

base::Status read_v1_examples(std::string_view body, const Schema& schema, const RequestLimits& limits,
                              Request& request) {
  if (schema.takes_tensors()) return std::unexpected(refuse_rows(schema, "\"examples\""));
  TRY(start_request(body, schema, request));
  return V1Reader(body, schema, limits, request).examples();
}

std::optional<std::uint32_t> classify_output(const Schema& schema) {
  if (schema.takes_tensors()) return std::nullopt;
  const std::uint32_t output = schema.output("predict_proba").value_or(schema.default_output());
  if (is_numbers(schema, output, 2)) return output;
  return std::nullopt;
}

std::optional<std::uint32_t> regress_output(const Schema& schema) {
  if (schema.takes_tensors()) return std::nullopt;
  if (schema.output("predict_proba") || !is_numbers(schema, schema.default_output(), 1)) return std::nullopt;
  return schema.default_output();
}

}  // namespace wherry::protocol
