// Rows given column by column, and names of outputs: what the JSON forms of /invocations and V1 share.
#include "base/text.h"
#include "protocol/rows.h"

namespace wherry::protocol {
namespace {

using Kind = JsonCursor::Kind;

bool invalid(JsonCursor& cursor, std::string_view id, std::string message, std::string hint) {
  return cursor.fail({base::Code::kInvalidInput, std::string(id), std::move(message), std::move(hint), {}});
}

// One column of {"name": [value, …]}: the first makes the rows, the others must be as long.
bool read_column(JsonCursor& cursor, const Schema& schema, const RequestLimits& limits, Request& request,
                 std::string_view name, std::uint32_t column, bool is_first) {
  if (cursor.peek() != Kind::kArray)
    return invalid(cursor, "protocol.bad_form",
                   base::cat("column ", base::quoted(name), " of \"inputs\" is not a list"),
                   "send {\"inputs\": {\"column\": [value, …]}} with one value per row");
  std::size_t row = 0;
  if (!cursor.begin_array()) return false;
  while (cursor.next_element()) {
    if (is_first) {
      if (const auto fits = check_cells(row + 1, schema, limits); !fits) return cursor.fail(fits.error());
      request.table.add_row();
    } else if (row == request.table.rows) {
      ++row;
      break;
    }
    if (!read_cell(cursor, schema, row, column, request)) return false;
    ++row;
  }
  if (cursor.failed()) return false;
  if (row != request.table.rows)
    return invalid(
        cursor, "protocol.bad_shape",
        base::cat("column ", base::quoted(name), " has ", row > request.table.rows ? "more" : "fewer",
                  " values than the ", request.table.rows, " of the columns before it"),
        "all columns have one value per row");
  return true;
}

}  // namespace

// The names are bound first, in a pass over the keys.
bool read_columns(JsonCursor& cursor, const Schema& schema, const RequestLimits& limits, Request& request) {
  const JsonCursor::Mark start = cursor.mark();
  std::vector<std::string_view>& given = request.scratch.given;
  std::string_view key;
  given.clear();
  if (!cursor.begin_object()) return false;
  while (cursor.next_member(key)) {
    given.push_back(key);
    if (!cursor.skip_value()) return false;
  }
  if (cursor.failed()) return false;
  if (const auto bound = bind_names(given, schema, request); !bound) return cursor.fail(bound.error());
  cursor.seek(start);
  if (!cursor.begin_object()) return false;
  bool is_first = true;
  for (std::size_t i = 0; cursor.next_member(key); ++i) {
    const std::uint32_t column = request.scratch.targets[i];
    if (column == kIgnored) {
      if (!cursor.skip_value()) return false;
      continue;
    }
    if (!read_column(cursor, schema, limits, request, key, column, is_first)) return false;
    is_first = false;
  }
  return !cursor.failed();
}

bool read_output_name(JsonCursor& cursor, const Schema& schema, std::uint32_t& output) {
  std::string_view name;
  if (cursor.peek() != Kind::kString)
    return invalid(cursor, "protocol.bad_form", "\"predict_method\" is not text",
                   "name one of the model's outputs");
  if (!cursor.string(name)) return false;
  if (const auto found = schema.output(name)) {
    output = *found;
    return true;
  }
  return invalid(cursor, "protocol.unknown_output", base::cat("the model has no output ", base::quoted(name)),
                 base::cat("its outputs are ", output_names(schema)));
}

std::string output_names(const Schema& schema) {
  std::string names;
  for (const OutputSchema& output : schema.outputs())
    names += base::cat(names.empty() ? "" : ", ", output.name);
  return names;
}

}  // namespace wherry::protocol
