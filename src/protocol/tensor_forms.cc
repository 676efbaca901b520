#include "protocol/tensor_forms.h"

#include "base/text.h"
#include "protocol/rows.h"
#include "protocol/tensor_json.h"

namespace wherry::protocol {
namespace {

using base::cat;
using Kind = JsonCursor::Kind;

bool bad_form(JsonCursor& cursor, std::string message, std::string hint) {
  return cursor.fail(
      {base::Code::kInvalidInput, "protocol.bad_form", std::move(message), std::move(hint), {}});
}

bool has_rows(const program::InputTensor& input) {
  return !input.shape.empty() && !program::is_any_shape(input.shape);
}

// Reads the only input from axis 0.
bool read_only(JsonCursor& cursor, TensorInputs& inputs) {
  const Schema& schema = inputs.schema();
  if (schema.inputs().size() != 1)
    return bad_form(cursor, cat("the model has ", schema.inputs().size(), " inputs, which go by their names"),
                    cat("send ", inputs_hint(schema)));
  const auto position = inputs.begin(schema.inputs()[0].name);
  if (!position) return cursor.fail(position.error());
  return TensorJson(cursor, inputs.input(*position), inputs.cells(*position)).value();
}

// Whether an object comes next which holds inputs by name, and is not a text of the only one.
bool at_names(JsonCursor& cursor, const Schema& schema) {
  if (cursor.peek() != Kind::kObject) return false;
  const bool may_be_text = schema.inputs().size() == 1 &&
                           schema.inputs()[0].dtype == tensor::DType::kString && !schema.input("b64");
  return !may_be_text || !cursor.at_base64();
}

bool first_is_object(JsonCursor& cursor, const Schema& schema) {
  const JsonCursor::Mark start = cursor.mark();
  if (!cursor.begin_array()) return false;
  const bool is_object = cursor.next_element() && at_names(cursor, schema);
  if (cursor.failed()) return false;
  cursor.seek(start);
  return is_object;
}

// One row: {"x": […], "y": […]} without axis 0.
bool read_row(JsonCursor& cursor, TensorInputs& inputs, std::int64_t row, std::span<std::uint32_t> seen) {
  const Schema& schema = inputs.schema();
  if (cursor.peek() != Kind::kObject)
    return bad_form(cursor, cat("instance ", row, " is not an object as the first is"),
                    cat("send ", inputs_hint(schema), " for each"));
  std::size_t count = 0;
  std::string_view name;
  if (!cursor.begin_object()) return false;
  while (cursor.next_member(name)) {
    auto position = schema.input(name);
    if (!position || row == 0) {  // unknown, or given the first time
      const auto begun = inputs.begin(name);
      if (!begun) return cursor.fail(begun.error());
      position = *begun;
    }
    const auto stamp = static_cast<std::uint32_t>(row + 1);
    if (row != 0 && seen[*position] == stamp)
      return cursor.fail({base::Code::kInvalidInput,
                          "protocol.duplicate",
                          cat("instance ", row, ": input ", base::quoted(name), " is given twice"),
                          "give every input once",
                          {}});
    seen[*position] = stamp;
    ++count;
    const program::InputTensor& input = inputs.input(*position);
    if (!has_rows(input))
      return bad_form(cursor, cat("input ", base::quoted(name), " is no tensor of rows, as instances have"),
                      cat("send {\"inputs\": ", inputs_hint(schema), "}"));
    if (!TensorJson(cursor, input, inputs.cells(*position)).nested(1)) return false;
    inputs.cells(*position).shape[0] = row + 1;
  }
  if (cursor.failed() || count == schema.inputs().size()) return !cursor.failed();
  for (std::uint32_t i = 0; i < seen.size(); ++i)
    if (seen[i] != static_cast<std::uint32_t>(row + 1))
      return cursor.fail(
          {base::Code::kInvalidInput,
           "protocol.missing_column",
           cat("instance ", row, ": input ", base::quoted(schema.inputs()[i].name), " is missing"),
           "give every input in every instance",
           {}});
  return true;
}

bool read_document(JsonCursor& cursor, TensorInputs& inputs) {
  const Schema& schema = inputs.schema();
  if (cursor.peek() == Kind::kBad) return cursor.fail_syntax("a value is expected");
  if (!at_names(cursor, schema)) return read_only(cursor, inputs);
  const JsonCursor::Mark start = cursor.mark();
  std::string_view key;
  if (!cursor.begin_object()) return false;
  bool has_form = false;
  while (cursor.next_member(key)) {
    const bool is_form = key == "inputs" || key == "instances";
    if (key == "dataframe_split" || key == "dataframe_records" || key == "rows")
      if (!schema.input(key)) return cursor.fail(refuse_rows(schema, cat("\"", key, "\"")));
    // An input may be called so; where it is not the only one, it is given beside the others.
    const bool is_input =
        is_form && schema.input(key) && schema.inputs().size() > 1 && cursor.peek() != Kind::kObject;
    if (has_form && is_form)
      return bad_form(cursor, "the body has both \"inputs\" and \"instances\"", "send one of them");
    if (!is_form || is_input) {
      if (!cursor.skip_value()) return false;
      continue;
    }
    has_form = true;
    if (!(key == "inputs" ? read_inputs(cursor, inputs) : read_instances(cursor, inputs))) return false;
  }
  if (cursor.failed() || has_form) return !cursor.failed();
  cursor.seek(start);
  return read_inputs(cursor, inputs);
}

}  // namespace

bool read_instances(JsonCursor& cursor, TensorInputs& inputs) {
  const Schema& schema = inputs.schema();
  if (cursor.peek() != Kind::kArray)
    return bad_form(cursor, "\"instances\" is not a list", "send a list of rows");
  const bool by_name = schema.inputs().size() != 1 || first_is_object(cursor, schema);
  if (cursor.failed()) return false;
  if (!by_name) {
    if (has_rows(schema.inputs()[0])) return read_only(cursor, inputs);
    return bad_form(cursor, "the model takes no tensor of rows, as instances have", "send \"inputs\"");
  }
  std::vector<std::uint32_t> seen(schema.inputs().size(), 0);
  std::int64_t row = 0;
  if (!cursor.begin_array()) return false;
  for (; cursor.next_element(); ++row)
    if (!read_row(cursor, inputs, row, seen)) return false;
  if (cursor.failed()) return false;
  for (std::uint32_t i = 0; row == 0 && i < seen.size(); ++i) {
    const auto begun = inputs.begin(schema.inputs()[i].name);
    if (!begun) return cursor.fail(begun.error());
    if (!inputs.cells(i).shape.empty()) inputs.cells(i).shape[0] = 0;
  }
  return true;
}

bool read_inputs(JsonCursor& cursor, TensorInputs& inputs) {
  if (!at_names(cursor, inputs.schema())) return read_only(cursor, inputs);
  std::string_view name;
  if (!cursor.begin_object()) return false;
  while (cursor.next_member(name)) {
    const auto position = inputs.begin(name);
    if (!position) return cursor.fail(position.error());
    if (!TensorJson(cursor, inputs.input(*position), inputs.cells(*position)).value()) return false;
  }
  return !cursor.failed();
}

base::Status read_tensor_body(std::string_view body, const Schema& schema, const RequestLimits& limits,
                              Request& request) {
  TRY(start_request(body, schema, request));
  JsonCursorOptions options = cursor_options(limits);
  options.base64_objects = true;
  JsonCursor cursor(body, options, request.scratch.arena);
  TensorInputs inputs(schema, request);
  if (!read_document(cursor, inputs) || !cursor.finish()) return cursor.status();
  return inputs.finish();
}

}  // namespace wherry::protocol
