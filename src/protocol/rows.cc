#include "protocol/rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/text.h"
#include "protocol/tensor_inputs.h"

namespace wherry::protocol {
namespace {

// Memory of a rare huge request is given back by the next one.
constexpr std::size_t kMostKeptCells = std::size_t{1} << 19;
constexpr std::size_t kMostKeptBytes = std::size_t{8} << 20;

// Spelling suggestions cost the product of the lengths: untrusted names are compared within these bounds.
constexpr std::size_t kMostCompared = 200;
constexpr std::size_t kLongestCompared = 100;

using Kind = JsonCursor::Kind;
using program::ColumnType;

base::Error invalid(std::string_view id, std::string message, std::string hint) {
  return {base::Code::kInvalidInput, std::string(id), std::move(message), std::move(hint), {}};
}

// NaN is what a data frame has for missing text; it stays a number, apart from None.
bool takes_number(ColumnType type, double value) {
  return (type != ColumnType::kText && type != ColumnType::kRecord) || std::isnan(value);
}
bool takes_text(ColumnType type) {
  return type == ColumnType::kText || type == ColumnType::kAny || type == ColumnType::kRecord;
}

std::string_view wanted(ColumnType type) {
  switch (type) {
    case ColumnType::kNumber:
      return "a number";
    case ColumnType::kInteger:
      return "an integer";
    case ColumnType::kBool:
      return "true or false";
    case ColumnType::kText:
      return "text";
    case ColumnType::kRecord:
      return "an object or a list";
    case ColumnType::kAny:
      break;
  }
  return "a number or text";
}

// "'a', 'b', 'c', …"
std::string some_names(const Schema& schema) {
  constexpr std::size_t kMost = 6;
  std::string names;
  for (std::size_t i = 0; i < std::min(kMost, schema.columns().size()); ++i)
    names += base::cat(i == 0 ? "" : ", ", base::quoted(schema.columns()[i].name, 40));
  if (schema.columns().size() > kMost) names += ", …";
  return names;
}

base::Error width_error(std::string place, std::size_t given, std::size_t wanted_count, bool more) {
  return invalid("protocol.row_width",
                 base::cat(place, " has ", more ? "more than " : "", given, given == 1 ? " value" : " values",
                           ", but there are ", wanted_count, wanted_count == 1 ? " column" : " columns"),
                 "every row needs one value per column; a missing value is null");
}

base::Error duplicate_column(std::string_view name) {
  return invalid("protocol.duplicate", base::cat("column ", base::quoted(name), " is given twice"),
                 "give every column once");
}

std::string_view kind_text(Kind kind) {
  switch (kind) {
    case Kind::kObject:
      return "an object";
    case Kind::kArray:
      return "a list";
    case Kind::kTrue:
      return "true";
    case Kind::kFalse:
      return "false";
    default:
      return "a value";
  }
}

}  // namespace

base::Status start_request(std::string_view body, const Schema& schema, Request& request) {
  if (request.table.numbers.capacity() > kMostKeptCells) request.table = {};
  if (request.scratch.arena.capacity() > kMostKeptBytes) request.scratch.arena = std::string();
  if (schema.takes_tensors()) {
    for (tensor::TensorCells& cells : request.table.tensors)
      if (cells.owned.capacity() > kMostKeptBytes || cells.texts.capacity() > kMostKeptCells) cells = {};
    request.table.reset_tensors(0, schema.inputs().size());
  } else {
    request.table.reset(0, schema.columns().size());
  }
  request.id.reset();
  request.tensors.clear();
  request.forms.clear();
  request.binary_outputs = false;
  request.is_v2 = false;
  request.priority = 0;
  request.timeout_us = 0;
  request.output.reset();
  request.scratch.targets.clear();
  request.scratch.given.clear();
  request.scratch.parts.clear();
  request.scratch.raws.clear();
  request.scratch.seen.assign(schema.takes_tensors() ? schema.inputs().size() : schema.columns().size(), 0);
  if (!base::is_valid_utf8(body))
    return std::unexpected(invalid("protocol.bad_utf8", "the body is not valid UTF-8", "send UTF-8 text"));
  return {};
}

JsonCursorOptions cursor_options(const RequestLimits& limits) {
  return {.depth = limits.depth,
          .nan_tokens = limits.nan_tokens,
          .base64_objects = limits.base64_objects,
          .vectors_of_one = limits.vectors_of_one};
}

base::Status check_cells(std::uint64_t rows, const Schema& schema, const RequestLimits& limits) {
  const std::uint64_t columns = std::max<std::size_t>(1, schema.columns().size());
  if (rows <= limits.cells / columns) return {};
  return base::fail(base::Code::kLimit, "protocol.limit",
                    base::cat("the request has more than ", limits.cells / columns, " rows of ", columns,
                              columns == 1 ? " column" : " columns"),
                    "send the rows in several requests");
}

base::Error wrong_type(const Schema& schema, std::size_t row, std::uint32_t column, std::string_view value) {
  const program::InputColumn& wanted_column = schema.columns()[column];
  return invalid("protocol.wrong_type",
                 base::cat("row ", row, ", column ", base::quoted(wanted_column.name), ": ", value,
                           " stands where the model takes ", wanted(wanted_column.type)),
                 wanted_column.type == ColumnType::kRecord ? "send {\"name\": number or text, …} or a list"
                 : wanted_column.type == ColumnType::kText
                     ? "write it as text in quotes, or null for a missing value"
                     : "write it as a number without quotes, or null for a missing value");
}

base::Error missing_column(const Schema& schema, std::uint32_t column,
                           std::span<const std::string_view> unknown_names) {
  const std::string& name = schema.columns()[column].name;
  std::vector<std::string_view> candidates(unknown_names.begin(), unknown_names.end());
  std::erase_if(candidates, [](std::string_view text) { return text.size() > kLongestCompared; });
  const auto near = base::nearest(name, candidates);
  return invalid("protocol.missing_column",
                 base::cat("column ", base::quoted(name), " is missing",
                           near ? base::cat("; the nearest given name is ", base::quoted(*near)) : ""),
                 "give every column the model was fitted with; a missing value is null");
}

base::Error unknown_column(const Schema& schema, std::string_view name) {
  std::vector<std::string_view> names;
  for (const program::InputColumn& column : schema.columns())
    if (name.size() <= kLongestCompared) names.push_back(column.name);
  const auto near = base::nearest(name, names);
  return invalid("protocol.unknown_column", base::cat("the model has no column ", base::quoted(name)),
                 near ? base::cat("did you mean ", base::quoted(*near), "?")
                      : base::cat("the model takes ", some_names(schema)));
}

base::Status bind_positions(std::size_t width, const Schema& schema, Request& request) {
  if (width != schema.columns().size())
    return std::unexpected(width_error("the table", width, schema.columns().size(), false));
  request.scratch.targets.resize(width);
  std::iota(request.scratch.targets.begin(), request.scratch.targets.end(), 0U);
  return {};
}

base::Status bind_names(std::span<const std::string_view> names, const Schema& schema, Request& request) {
  auto& targets = request.scratch.targets;
  auto& seen = request.scratch.seen;
  targets.assign(names.size(), kIgnored);
  std::size_t known = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::optional<std::uint32_t> column;
    if (i < schema.columns().size() && schema.columns()[i].name == names[i]) {
      column = static_cast<std::uint32_t>(i);
    } else {
      column = schema.column(names[i]);
    }
    if (!column) continue;
    if (seen[*column] != 0) return std::unexpected(duplicate_column(names[i]));
    seen[*column] = 1;
    targets[i] = *column;
    ++known;
  }
  if (!schema.signature().has_names && known != names.size()) {
    std::fill(seen.begin(), seen.end(), 0U);
    return bind_positions(names.size(), schema, request);  // the model knows no names: theirs do not matter
  }
  std::vector<std::string_view> unknown;
  for (std::size_t i = 0; known != names.size() && i < names.size(); ++i)
    if (targets[i] == kIgnored && unknown.size() < kMostCompared) unknown.push_back(names[i]);
  for (std::uint32_t c = 0; known != seen.size() && c < seen.size(); ++c)
    if (seen[c] == 0 && schema.columns()[c].required)
      return std::unexpected(missing_column(schema, c, unknown));
  if (!unknown.empty() && !schema.signature().ignores_extra)
    return std::unexpected(unknown_column(schema, unknown.front()));
  std::fill(seen.begin(), seen.end(), 0U);
  return {};
}

void store_missing(const Schema& schema, std::size_t row, std::uint32_t column, Request& request) {
  const std::size_t cell = row * request.table.columns + column;
  if (takes_text(schema.columns()[column].type))
    request.table.set_missing(cell);
  else
    request.table.set_number(cell, std::numeric_limits<double>::quiet_NaN());
}

base::Status store_number(const Schema& schema, std::size_t row, std::uint32_t column, double value,
                          Request& request) {
  if (!takes_number(schema.columns()[column].type, value))
    return std::unexpected(wrong_type(schema, row, column, base::cat("the number ", value)));
  request.table.set_number(row * request.table.columns + column, value);
  return {};
}

base::Status store_text(const Schema& schema, std::size_t row, std::uint32_t column, std::string_view value,
                        Request& request) {
  if (!takes_text(schema.columns()[column].type))
    return std::unexpected(wrong_type(schema, row, column, base::cat("the text ", base::quoted(value, 40))));
  request.table.set_text(row * request.table.columns + column, value);
  return {};
}

// A list inside it is refused, so this nests once only.
bool read_vector_of_one(JsonCursor& cursor, const Schema& schema, std::size_t row, std::uint32_t column,
                        Request& request) {
  const auto refuse = [&](std::string_view what) {
    return cursor.fail(wrong_type(schema, row, column, what));
  };
  if (!cursor.begin_array()) return false;
  if (!cursor.next_element()) return cursor.failed() ? false : refuse("an empty list");
  if (cursor.peek() == Kind::kArray) return refuse("a list of lists");
  if (!read_cell(cursor, schema, row, column, request)) return false;
  if (cursor.next_element()) return refuse("a list of more than one value");
  return !cursor.failed();
}

bool read_cell(JsonCursor& cursor, const Schema& schema, std::size_t row, std::uint32_t column,
               Request& request) {
  if (column == kIgnored) return cursor.skip_value();
  const ColumnType type = schema.columns()[column].type;
  const Kind kind = cursor.peek();
  if (kind == Kind::kArray && type != ColumnType::kRecord && cursor.takes_vectors_of_one())
    return read_vector_of_one(cursor, schema, row, column, request);
  switch (kind) {
    case Kind::kNumber: {
      JsonNumber number;
      if (!cursor.number(number)) return false;
      if (!takes_number(type, number.value))
        return cursor.fail(wrong_type(schema, row, column, base::cat("the number ", number.value)));
      request.table.numbers[row * request.table.columns + column] = number.value;
      return true;
    }
    case Kind::kString: {
      std::string_view text;
      if (!cursor.string(text)) return false;
      if (!takes_text(type) || type == ColumnType::kRecord)
        return cursor.fail(wrong_type(schema, row, column, base::cat("the text ", base::quoted(text, 40))));
      request.table.set_text(row * request.table.columns + column, text);
      return true;
    }
    case Kind::kTrue:
    case Kind::kFalse: {
      bool value = false;
      if (!cursor.boolean(value)) return false;
      if (!takes_number(type, 0)) return cursor.fail(wrong_type(schema, row, column, kind_text(kind)));
      request.table.numbers[row * request.table.columns + column] = value ? 1 : 0;
      return true;
    }
    case Kind::kNull:
      if (!cursor.null()) return false;
      store_missing(schema, row, column, request);
      return true;
    case Kind::kObject:
    case Kind::kArray: {
      if (type != ColumnType::kRecord && takes_text(type) && cursor.at_base64()) {
        std::string_view bytes;
        if (!cursor.base64(bytes)) return false;
        if (!base::is_valid_utf8(bytes))
          return cursor.fail(wrong_type(schema, row, column, "a byte sequence which is not UTF-8"));
        request.table.set_text(row * request.table.columns + column, bytes);
        return true;
      }
      if (type != ColumnType::kRecord) return cursor.fail(wrong_type(schema, row, column, kind_text(kind)));
      std::string_view json;
      if (!cursor.raw_value(json)) return false;
      request.table.set_text(row * request.table.columns + column, json);
      return true;
    }
    case Kind::kBad:
      break;
  }
  return cursor.fail_syntax("a value is expected");
}

void RowsReader::begin(Rows rows, bool bound) {
  rows_ = rows;
  bound_ = bound;
  // A row of a model which takes nothing but one record is that record.
  takes_record_ = !bound_ && !schema_.signature().has_names && schema_.columns().size() == 1 &&
                  schema_.columns()[0].type == ColumnType::kRecord;
  first_.reset();
}

bool RowsReader::read(Rows rows, bool bound) {
  begin(rows, bound);
  if (cursor_.peek() != Kind::kArray)
    return cursor_.fail(
        invalid("protocol.bad_form", "the rows are not a list", "send a list of rows, [[…], […]]"));
  if (!cursor_.begin_array()) return false;
  while (cursor_.next_element())
    if (!row()) return false;
  return !cursor_.failed();
}

bool RowsReader::row() {
  const Kind kind = cursor_.peek();
  if (kind == Kind::kBad) return cursor_.fail_syntax("a value is expected");
  const std::size_t row = request_.table.rows;
  const bool is_cell =
      schema_.columns().size() == 1 && rows_ != Rows::kObjects &&
      (kind == Kind::kObject ? cursor_.at_base64() && !schema_.column("b64") : kind != Kind::kArray);
  const bool is_scalar = takes_record_ || is_cell;
  const bool is_list = kind == Kind::kArray && rows_ != Rows::kObjects && !is_scalar;
  const bool is_object = kind == Kind::kObject && rows_ != Rows::kLists && !is_scalar;
  if (!(is_list || is_object || is_scalar) || (first_ && (*first_ == Kind::kObject) != is_object))
    return cursor_.fail(
        invalid("protocol.bad_form",
                base::cat("row ", row, " is ", kind_text(kind), ", which is not a row of this form"),
                rows_ == Rows::kObjects ? "every row is an object {\"column\": value}"
                : rows_ == Rows::kLists ? "every row is a list of values"
                                        : "rows are all lists of values or all objects {\"column\": value}"));
  if (const auto fits = check_cells(row + 1, schema_, limits_); !fits) return cursor_.fail(fits.error());
  request_.table.add_row();
  const bool is_first = !first_;
  first_ = is_object ? Kind::kObject : Kind::kArray;
  if (is_object) return is_first ? read_first_object(row) : read_object(row);
  if (!bound_) {
    if (const auto done = bind_positions(schema_.columns().size(), schema_, request_); !done)
      return cursor_.fail(done.error());
    bound_ = true;
  }
  if (is_first) all_plain_ = is_list && takes_plain_numbers();
  return is_list ? read_list(row) : read_cell(cursor_, schema_, row, request_.scratch.targets[0], request_);
}

// Whether a list of numbers is a row of the table as it stands.
bool RowsReader::takes_plain_numbers() const {
  const std::vector<std::uint32_t>& targets = request_.scratch.targets;
  if (targets.size() != schema_.columns().size() || targets.empty()) return false;
  for (std::uint32_t i = 0; i < targets.size(); ++i)
    if (targets[i] != i || !takes_number(schema_.columns()[i].type, 0)) return false;
  return true;
}

bool RowsReader::read_list(std::size_t row) {
  const std::vector<std::uint32_t>& targets = request_.scratch.targets;
  std::size_t count = 0;
  double* const cells = &request_.table.numbers[row * request_.table.columns];
  if (!cursor_.begin_array()) return false;
  while (cursor_.next_element()) {
    bool ended = false;
    if (all_plain_) count += cursor_.plain_numbers(cells + count, 1, targets.size() - count, ended);
    if (ended) continue;
    if (count == targets.size())
      return cursor_.fail(width_error(base::cat("row ", row), count, targets.size(), true));
    if (!read_cell(cursor_, schema_, row, targets[count++], request_)) return false;
  }
  if (cursor_.failed()) return false;
  if (count != targets.size())
    return cursor_.fail(width_error(base::cat("row ", row), count, targets.size(), false));
  return true;
}

// A model without names takes the members in the order of the first object, as a data frame made of objects
// has its columns; a model with names needs no such list.
bool RowsReader::read_first_object(std::size_t row) {
  if (schema_.signature().has_names || bound_) return read_object(row);
  const JsonCursor::Mark start = cursor_.mark();
  std::vector<std::string_view>& given = request_.scratch.given;
  given.clear();
  std::string_view key;
  if (!cursor_.begin_object()) return false;
  while (cursor_.next_member(key)) {
    given.push_back(key);
    if (!cursor_.skip_value()) return false;
  }
  if (cursor_.failed()) return false;
  if (const auto bound = bind_names(given, schema_, request_); !bound) return cursor_.fail(bound.error());
  cursor_.seek(start);
  return read_object(row);
}

// The column a member goes to. `position` is that of the column expected next.
bool RowsReader::match(std::string_view key, std::size_t position, std::size_t row, std::uint32_t& column) {
  column = kIgnored;
  if (schema_.signature().has_names) {
    if (position < schema_.columns().size() && schema_.columns()[position].name == key) {
      column = static_cast<std::uint32_t>(position);
    } else if (const auto found = schema_.column(key)) {
      column = *found;
    } else {
      if (unknown_.data() == nullptr) unknown_ = key;
      return true;
    }
  } else {
    const std::vector<std::string_view>& given = request_.scratch.given;
    const bool expected = position < given.size() && given[position] == key;
    const std::size_t found =
        expected ? position
                 : static_cast<std::size_t>(std::find(given.begin(), given.end(), key) - given.begin());
    if (found == given.size()) return cursor_.fail(unknown_column(schema_, key));
    column = request_.scratch.targets[found];
  }
  std::uint32_t& stamp = request_.scratch.seen[column];
  if (stamp == row + 1) return cursor_.fail(duplicate_column(key));
  stamp = static_cast<std::uint32_t>(row + 1);
  return true;
}

bool RowsReader::read_object(std::size_t row) {
  unknown_ = {};
  std::string_view key;
  std::size_t count = 0;
  std::size_t position = 0;
  if (!cursor_.begin_object()) return false;
  while (cursor_.next_member(key)) {
    std::uint32_t column = kIgnored;
    if (!match(key, position, row, column)) return false;
    if (!read_cell(cursor_, schema_, row, column, request_)) return false;
    if (column == kIgnored) continue;
    ++count;
    position = schema_.signature().has_names ? column + 1 : position + 1;
  }
  return !cursor_.failed() && check_complete(row, count);
}

bool RowsReader::check_complete(std::size_t row, std::size_t count) {
  const auto in_row = [&](base::Error error) {
    error.message = base::cat("row ", row, ": ", error.message);
    return cursor_.fail(std::move(error));
  };
  const std::vector<std::uint32_t>& seen = request_.scratch.seen;
  for (std::uint32_t c = 0; count != seen.size() && c < seen.size(); ++c) {
    if (seen[c] == row + 1 || !schema_.columns()[c].required) continue;
    return in_row(missing_column(schema_, c, std::span(&unknown_, unknown_.data() != nullptr ? 1 : 0)));
  }
  if (unknown_.data() != nullptr && !schema_.signature().ignores_extra)
    return in_row(unknown_column(schema_, unknown_));
  return true;
}

base::Status read_cells(std::span<const std::string> columns,
                        std::span<const std::vector<tensor::CellValue>> rows, const Schema& schema,
                        Request& request) {
  if (schema.takes_tensors()) return std::unexpected(refuse_rows(schema, "a row of cells"));
  TRY(start_request({}, schema, request));
  if (columns.empty()) {
    TRY(bind_positions(schema.columns().size(), schema, request));
  } else {
    const std::vector<std::string_view> names(columns.begin(), columns.end());
    TRY(bind_names(names, schema, request));
  }
  const std::vector<std::uint32_t>& targets = request.scratch.targets;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (rows[row].size() != targets.size())
      return std::unexpected(width_error(base::cat("row ", row), rows[row].size(), targets.size(), false));
    request.table.add_row();
    for (std::size_t i = 0; i < targets.size(); ++i) {
      if (targets[i] == kIgnored) continue;
      const tensor::CellValue& cell = rows[row][i];
      if (const auto* number = std::get_if<double>(&cell)) {
        TRY(store_number(schema, row, targets[i], *number, request));
      } else if (const auto* text = std::get_if<std::string>(&cell)) {
        TRY(store_text(schema, row, targets[i], *text, request));
      } else {
        store_missing(schema, row, targets[i], request);
      }
    }
  }
  return {};
}

}  // namespace wherry::protocol
