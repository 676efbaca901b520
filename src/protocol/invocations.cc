// The JSON forms of POST /invocations and of `wherry predict`.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "protocol/rows.h"
#include "protocol/tensor_forms.h"

namespace wherry::protocol {
namespace {

using Kind = JsonCursor::Kind;
using Rows = RowsReader::Rows;

constexpr std::size_t kMostNames = 1'000'000;

bool bad_form(JsonCursor& cursor, std::string message, std::string hint) {
  return cursor.fail(
      {base::Code::kInvalidInput, "protocol.bad_form", std::move(message), std::move(hint), {}});
}

bool duplicate(JsonCursor& cursor, std::string_view member) {
  return cursor.fail({base::Code::kInvalidInput,
                      "protocol.duplicate",
                      base::cat("member ", base::quoted(member), " is given twice"),
                      "give every member once",
                      {}});
}

// What the forms share while one body is read.
struct Reader {
  JsonCursor& cursor;
  const Schema& schema;
  const RequestLimits& limits;
  Request& request;
  TensorInputs tensors{schema, request};

  bool rows(Rows kind, bool bound) { return RowsReader(cursor, schema, limits, request).read(kind, bound); }
  bool adopt(const base::Status& status) { return status ? true : cursor.fail(status.error()); }
};

// ["amount", "country"] or, as pandas writes unnamed columns, [0, 1]; null stands for no names.
bool read_names(Reader& r, bool& named) {
  std::vector<std::string_view>& given = r.request.scratch.given;
  given.clear();
  named = r.cursor.peek() != Kind::kNull;
  if (!named) return r.cursor.null();
  if (r.cursor.peek() != Kind::kArray)
    return bad_form(r.cursor, "\"columns\" is not a list", "\"columns\" is a list of names, or null");
  bool all_numbers = true;
  if (!r.cursor.begin_array()) return false;
  while (r.cursor.next_element()) {
    std::string_view name;
    if (r.cursor.peek() == Kind::kNumber) {
      JsonNumber position;
      if (!r.cursor.number(position)) return false;
    } else if (r.cursor.peek() == Kind::kString) {
      if (!r.cursor.string(name)) return false;
      all_numbers = false;
    } else {
      return bad_form(r.cursor, base::cat("column ", given.size(), " has no name"),
                      "\"columns\" is a list of names");
    }
    if (given.size() == kMostNames) return bad_form(r.cursor, "there are more than 1000000 column names", "");
    given.push_back(name);
  }
  if (r.cursor.failed()) return false;
  if (all_numbers) return r.adopt(bind_positions(given.size(), r.schema, r.request));
  return r.adopt(bind_names(given, r.schema, r.request));
}

// {"columns": […], ROWS: [[…]]} where ROWS is "data" (with an "index" to ignore) or "rows"; members in any
// order.
bool read_split(Reader& r, std::string_view rows_member) {
  const bool allows_index = rows_member == "data";
  bool has_columns = false, named = false, has_index = false, read_already = false;
  std::optional<JsonCursor::Mark> rows;
  std::string_view key;
  if (r.cursor.peek() != Kind::kObject)
    return bad_form(r.cursor, "\"dataframe_split\" is not an object",
                    "send {\"dataframe_split\": {\"columns\": […], \"data\": [[…]]}}");
  if (!r.cursor.begin_object()) return false;
  while (r.cursor.next_member(key)) {
    if (key == "columns") {
      if (has_columns) return duplicate(r.cursor, key);
      has_columns = true;
      if (!read_names(r, named)) return false;
    } else if (key == rows_member) {
      if (rows) return duplicate(r.cursor, key);
      rows = r.cursor.mark();
      read_already = has_columns;
      if (!(read_already ? r.rows(named ? Rows::kLists : Rows::kAny, named) : r.cursor.skip_value()))
        return false;
    } else if (key == "index" && allows_index && !has_index) {
      has_index = true;
      if (!r.cursor.skip_value()) return false;
    } else {
      const std::array<std::string_view, 2> members{"columns", rows_member};
      const auto near = base::nearest(key, members);
      return bad_form(r.cursor, base::cat("unknown member ", base::quoted(key)),
                      near ? base::cat("did you mean ", base::quoted(*near), "?")
                           : base::cat("the members are \"columns\" and \"", rows_member, "\""));
    }
  }
  if (r.cursor.failed()) return false;
  if (!rows)
    return bad_form(r.cursor, base::cat("member \"", rows_member, "\" is missing"),
                    base::cat("send {\"columns\": […], \"", rows_member, "\": [[…]]}"));
  if (read_already) return true;
  const JsonCursor::Mark end = r.cursor.mark();
  r.cursor.seek(*rows);
  if (!r.rows(named ? Rows::kLists : Rows::kAny, named)) return false;
  r.cursor.seek(end);
  return true;
}

// {"predict_method": "predict_proba"}; other parameters are not ours.
bool read_params(Reader& r) {
  if (r.cursor.peek() == Kind::kNull) return r.cursor.null();
  if (r.cursor.peek() != Kind::kObject)
    return bad_form(r.cursor, "\"params\" is not an object",
                    "send {\"params\": {\"predict_method\": \"predict_proba\"}}");
  std::string_view key;
  if (!r.cursor.begin_object()) return false;
  while (r.cursor.next_member(key)) {
    if (key != "predict_method" && key != "method") {
      if (!r.cursor.skip_value()) return false;
      continue;
    }
    if (r.request.output) return duplicate(r.cursor, key);
    std::uint32_t output = 0;
    if (!read_output_name(r.cursor, r.schema, output)) return false;
    r.request.output = output;
  }
  return !r.cursor.failed();
}

enum class Form : std::uint8_t { kSplit, kRecords, kInstances, kInputs, kParams };
struct FormRow {
  std::string_view member;
  Form form;
};
constexpr FormRow kForms[] = {
    {"dataframe_split", Form::kSplit}, {"dataframe_records", Form::kRecords},
    {"instances", Form::kInstances},   {"inputs", Form::kInputs},
    {"params", Form::kParams},         {"parameters", Form::kParams},
};

bool read_tensor_form(Reader& r, const FormRow& row) {
  switch (row.form) {
    case Form::kInstances:
      return read_instances(r.cursor, r.tensors);
    case Form::kInputs:
      return read_inputs(r.cursor, r.tensors);
    case Form::kParams:
      return read_params(r);
    default:
      return r.cursor.fail(refuse_rows(r.schema, base::cat("\"", row.member, "\"")));
  }
}

bool read_form(Reader& r, Form form) {
  switch (form) {
    case Form::kSplit:
      return read_split(r, "data");
    case Form::kRecords:
      return r.rows(Rows::kObjects, false);
    case Form::kInstances:
      return r.rows(Rows::kAny, false);
    case Form::kInputs:
      return r.cursor.peek() == Kind::kObject ? read_columns(r.cursor, r.schema, r.limits, r.request)
                                              : r.rows(Rows::kLists, false);
    case Form::kParams:
      return read_params(r);
  }
  return false;
}

constexpr std::string_view kFormsHint =
    "send exactly one of dataframe_split, dataframe_records, instances, inputs, and optionally params";

bool read_document(Reader& r) {
  if (r.cursor.peek() == Kind::kBad) return r.cursor.fail_syntax("a value is expected");
  if (r.cursor.peek() != Kind::kObject)
    return bad_form(r.cursor, "the body is not a JSON object", std::string(kFormsHint));
  std::string_view data_member, params_member, key;
  if (!r.cursor.begin_object()) return false;
  while (r.cursor.next_member(key)) {
    const auto* row =
        std::find_if(std::begin(kForms), std::end(kForms), [&](const FormRow& f) { return f.member == key; });
    if (row == std::end(kForms)) {
      std::vector<std::string_view> members;
      for (const FormRow& f : kForms) members.push_back(f.member);
      const auto near = base::nearest(key, members);
      if (near)
        return bad_form(r.cursor, base::cat("unknown member ", base::quoted(key)),
                        base::cat("did you mean ", base::quoted(*near), "?"));
      if (!r.cursor.skip_value()) return false;
      continue;
    }
    std::string_view& taken = row->form == Form::kParams ? params_member : data_member;
    if (!taken.empty())
      return bad_form(r.cursor,
                      base::cat("the body has both ", base::quoted(taken), " and ", base::quoted(key)),
                      std::string(kFormsHint));
    taken = row->member;
    if (!(r.schema.takes_tensors() ? read_tensor_form(r, *row) : read_form(r, row->form))) return false;
  }
  if (r.cursor.failed()) return false;
  if (data_member.empty()) return bad_form(r.cursor, "the body holds no rows", std::string(kFormsHint));
  return true;
}

enum class Friendly : std::uint8_t { kRows, kV2, kInvocations };

// Which form of `wherry predict` an object is, by its member names alone; broken JSON is found by the
// reader of the form.
Friendly detect(std::string_view body, const RequestLimits& limits) {
  std::string arena;
  JsonCursor cursor(body, cursor_options(limits), arena);
  std::string_view key;
  Friendly form = Friendly::kInvocations;
  if (!cursor.begin_object()) return form;
  while (cursor.next_member(key)) {
    if (key == "rows") return Friendly::kRows;
    if (key != "inputs" || cursor.peek() != Kind::kArray) {
      if (!cursor.skip_value()) return form;
      continue;
    }
    if (!cursor.begin_array()) return form;
    if (cursor.next_element() && cursor.peek() == Kind::kObject) return Friendly::kV2;
    return form;
  }
  return form;
}

}  // namespace

base::Status read_invocations(std::string_view body, const Schema& schema, const RequestLimits& limits,
                              Request& request) {
  TRY(start_request(body, schema, request));
  JsonCursorOptions options = cursor_options(limits);
  options.base64_objects = options.base64_objects || schema.takes_tensors();
  JsonCursor cursor(body, options, request.scratch.arena);
  Reader reader{cursor, schema, limits, request};
  if (!read_document(reader) || !cursor.finish()) return cursor.status();
  return schema.takes_tensors() ? reader.tensors.finish() : base::Status();
}

namespace {

base::Status read_tensor_rows(std::string_view body, const Schema& schema, const RequestLimits& limits,
                              Request& request) {
  const bool is_object = base::trim(body).starts_with('{');
  if (is_object && detect(body, limits) == Friendly::kV2) return read_v2(body, schema, limits, request);
  return read_tensor_body(body, schema, limits, request);
}

}  // namespace

base::Status read_rows(std::string_view body, const Schema& schema, const RequestLimits& limits,
                       Request& request) {
  TRY(start_request(body, schema, request));
  if (schema.takes_tensors()) return read_tensor_rows(body, schema, limits, request);
  JsonCursor cursor(body, cursor_options(limits), request.scratch.arena);
  Reader reader{cursor, schema, limits, request};
  if (cursor.peek() == Kind::kArray) {
    if (reader.rows(Rows::kAny, false)) cursor.finish();
    return cursor.status();
  }
  if (cursor.peek() == Kind::kObject) {
    switch (detect(body, limits)) {
      case Friendly::kRows:
        if (read_split(reader, "rows")) cursor.finish();
        return cursor.status();
      case Friendly::kV2:
        return read_v2(body, schema, limits, request);
      case Friendly::kInvocations:
        break;
    }
  }
  return read_invocations(body, schema, limits, request);
}

std::optional<MediaType> media_type(std::string_view content_type) {
  if (content_type == "application/json") return MediaType::kJson;  // as nearly everybody writes it
  const std::vector<std::string_view> parts = base::split(content_type, ';');
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::string parameter = base::to_lower(base::trim(parts[i]));
    if (!parameter.starts_with("charset=")) continue;
    const std::string charset = parameter.substr(8);
    if (charset != "utf-8" && charset != "utf8" && charset != "\"utf-8\"" && charset != "us-ascii")
      return std::nullopt;
  }
  const std::string type = base::to_lower(base::trim(parts.front()));
  if (type.empty() || type == "application/json") return MediaType::kJson;
  if (type == "text/csv" || type == "application/csv") return MediaType::kCsv;
  return std::nullopt;
}

}  // namespace wherry::protocol
