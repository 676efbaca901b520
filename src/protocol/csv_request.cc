// CSV (RFC 4180) → Table.
#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "base/text.h"
#include "protocol/rows.h"
#include "protocol/tensor_inputs.h"

namespace wherry::protocol {
namespace {

using program::ColumnType;
using tensor::CellKind;

// What pandas.read_csv takes for missing (pandas/_libs/parsers.pyx, STR_NA_VALUES), besides the empty field.
constexpr std::string_view kMissingMarkers[] = {
    "NaN",  "nan",  "NA",   "N/A", "n/a",      "null",   "NULL",    "None",    "<NA>",
    "-NaN", "-nan", "#N/A", "#NA", "#N/A N/A", "1.#IND", "1.#QNAN", "-1.#IND", "-1.#QNAN"};

struct Field {
  std::string_view text;
  bool quoted = false;
};

class Reader {
 public:
  Reader(std::string_view body, const Schema& schema, const RequestLimits& limits, Request& request)
      : p_(body.data()),
        end_(p_ + body.size()),
        size_(body.size()),
        schema_(schema),
        limits_(limits),
        request_(request) {
    if (body.starts_with("\xef\xbb\xbf")) p_ += 3;
  }

  base::Status read();

 private:
  enum class After : std::uint8_t { kField, kLine };

  base::Result<After> field(Field& out);
  base::Result<After> quoted_field(Field& out);
  base::Result<After> end_of_field();
  base::Status bad_csv(std::string problem) const;
  base::Status line(std::size_t row);
  base::Status header();
  base::Status cell(std::size_t row, std::uint32_t column, const Field& field);
  base::Status number_cell(std::size_t row, std::uint32_t column, const Field& field);
  bool skip_blank_lines();
  bool looks_like_data(std::span<const std::string_view> fields) const;
  void infer_column(std::uint32_t column);

  const char* p_;
  const char* const end_;
  const std::size_t size_;
  const Schema& schema_;
  const RequestLimits& limits_;
  Request& request_;
  std::size_t line_ = 1;
  bool arena_ready_ = false;
};

base::Status Reader::bad_csv(std::string problem) const {
  return base::fail(
      base::Code::kInvalidInput, "protocol.bad_csv", base::cat("line ", line_, " of the CSV: ", problem),
      "fields with commas, quotes or line ends are put in double quotes, and quotes in them doubled");
}

// Consumes the comma or line end behind a field.
base::Result<Reader::After> Reader::end_of_field() {
  if (p_ == end_) return After::kLine;
  if (*p_ == ',') {
    ++p_;
    return After::kField;
  }
  if (*p_ == '\r' && p_ + 1 < end_ && p_[1] == '\n') ++p_;
  if (*p_ != '\n') {
    TRY(bad_csv(*p_ == '\r' ? "a carriage return stands alone" : "a closing quote is followed by more text"));
  }
  ++p_;
  ++line_;
  return After::kLine;
}

base::Result<Reader::After> Reader::field(Field& out) {
  if (p_ < end_ && *p_ == '"') return quoted_field(out);
  const char* const start = p_;
  while (p_ < end_ && *p_ != ',' && *p_ != '\n' && *p_ != '\r') {
    if (*p_ == '"') TRY(bad_csv("a quote stands inside a field that does not begin with one"));
    ++p_;
  }
  out = {{start, static_cast<std::size_t>(p_ - start)}, false};
  return end_of_field();
}

base::Result<Reader::After> Reader::quoted_field(Field& out) {
  const std::size_t first_line = line_;
  const char* run = ++p_;
  std::string& arena = request_.scratch.arena;
  std::optional<std::size_t> unescaped;  // where the field starts in the arena
  for (;; ++p_) {
    if (p_ == end_) {
      line_ = first_line;
      TRY(bad_csv("a quoted field is not closed"));
    }
    line_ += *p_ == '\n';
    if (*p_ != '"') continue;
    if (p_ + 1 == end_ || p_[1] != '"') break;
    if (!arena_ready_) {
      arena.clear();
      arena.reserve(64 + size_);  // on the heap: views survive a move
      arena_ready_ = true;
    }
    if (!unescaped) unescaped = arena.size();
    ++p_;
    arena.append(run, p_);
    run = p_ + 1;
  }
  out = {{run, static_cast<std::size_t>(p_ - run)}, true};
  if (unescaped) {
    arena.append(run, p_);
    out.text = std::string_view(arena).substr(*unescaped);
  }
  ++p_;
  return end_of_field();
}

bool Reader::skip_blank_lines() {
  while (p_ < end_) {
    const char* next = p_;
    if (*next == '\r' && next + 1 < end_) ++next;
    if (*next != '\n') return true;
    p_ = next + 1;
    ++line_;
  }
  return false;
}

// The number in a field, and nothing else; also inf and infinity.
std::optional<double> parse_number(std::string_view text, bool& out_of_range) {
  out_of_range = false;
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-' && text[1] != '+') text.remove_prefix(1);
  double value = 0;
  const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (stop != text.data() + text.size() || text.empty() || text.back() == ')') return std::nullopt;  // nan(…)
  if (code == std::errc::result_out_of_range) {
    value = std::strtod(std::string(text).c_str(), nullptr);  // tiny numbers are zero
    out_of_range = value > 1 || value < -1;
    return value;
  }
  if (code != std::errc()) return std::nullopt;
  return value;
}

bool is_missing_marker(std::string_view text) {
  return text.empty() ||
         std::find(std::begin(kMissingMarkers), std::end(kMissingMarkers), text) != std::end(kMissingMarkers);
}

std::optional<double> parse_bool(std::string_view text) {
  if (text == "True" || text == "true" || text == "TRUE") return 1;
  if (text == "False" || text == "false" || text == "FALSE") return 0;
  return std::nullopt;
}

base::Status Reader::number_cell(std::size_t row, std::uint32_t column, const Field& field) {
  const std::string_view text = base::trim(field.text);
  bool out_of_range = false;
  auto value = parse_number(text, out_of_range);
  if (!value && is_missing_marker(text)) {
    store_missing(schema_, row, column, request_);
    return {};
  }
  if (!value) value = parse_bool(text);
  if (!value)
    return std::unexpected(wrong_type(schema_, row, column, base::cat("the field ", base::quoted(text, 40))));
  if (out_of_range)
    return base::fail(base::Code::kInvalidInput, "protocol.number_range",
                      base::cat("row ", row, ", column ", base::quoted(schema_.columns()[column].name),
                                ": the number ", base::quoted(text, 40), " is beyond the range of a double"),
                      "send a number below 1.8e308");
  request_.table.set_number(row * request_.table.columns + column, *value);
  return {};
}

base::Status Reader::cell(std::size_t row, std::uint32_t column, const Field& field) {
  const ColumnType type = schema_.columns()[column].type;
  if (type != ColumnType::kText && type != ColumnType::kAny && type != ColumnType::kRecord)
    return number_cell(row, column, field);
  if (field.text.empty() && !field.quoted)
    store_missing(schema_, row, column, request_);
  else
    request_.table.set_text(row * request_.table.columns + column, field.text);
  return {};
}

base::Status Reader::line(std::size_t row) {
  const std::vector<std::uint32_t>& targets = request_.scratch.targets;
  const std::size_t start_line = line_;
  TRY(check_cells(row + 1, schema_, limits_));
  request_.table.add_row();
  std::size_t count = 0;
  for (After after = After::kField; after == After::kField; ++count) {
    Field read;
    TRY_ASSIGN(after, field(read));
    if (count >= targets.size() || targets[count] == kIgnored) continue;
    TRY(cell(row, targets[count], read));
  }
  if (count != targets.size())
    return base::fail(base::Code::kInvalidInput, "protocol.row_width",
                      base::cat("line ", start_line, " of the CSV has ", count,
                                count == 1 ? " field" : " fields", ", the header has ", targets.size()),
                      "every line has one field per column; a missing value is an empty field");
  return {};
}

// Whether a first line is a row rather than a header: numbers only, but not 0, 1, 2, … as pandas numbers
// columns without names.
bool Reader::looks_like_data(std::span<const std::string_view> fields) const {
  bool is_counting = true;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    bool out_of_range = false;
    const std::string_view text = base::trim(fields[i]);
    const auto value = parse_number(text, out_of_range);
    if (!value && !is_missing_marker(text)) return false;
    is_counting = is_counting && text == base::cat(i);
  }
  return !is_counting;
}

base::Status Reader::header() {
  const char* const start = p_;
  const std::size_t start_line = line_;
  std::vector<std::string_view>& given = request_.scratch.given;
  for (After after = After::kField; after == After::kField;) {
    Field name;
    TRY_ASSIGN(after, field(name));
    given.push_back(name.text);
  }
  const bool is_data = looks_like_data(given);
  if (is_data && !schema_.signature().has_names) {
    p_ = start;
    line_ = start_line;
    if (given.size() == schema_.columns().size()) return bind_positions(given.size(), schema_, request_);
  }
  auto bound = bind_names(given, schema_, request_);
  if (!bound && is_data && schema_.signature().has_names)
    bound.error().hint = "the first line of the CSV must hold the column names";
  if (!bound && given.front().empty())
    bound.error().hint = "write the CSV without its index column (pandas: to_csv(index=False))";
  return bound;
}

// A column of unknown type holds numbers when every field does, else text (as pandas infers).
void Reader::infer_column(std::uint32_t column) {
  tensor::Table& table = request_.table;
  for (const bool as_bool : {false, true}) {
    const auto value_of = [&](std::string_view text) {
      bool out_of_range = false;
      const auto value = as_bool ? parse_bool(text) : parse_number(text, out_of_range);
      return out_of_range ? std::nullopt : value;
    };
    bool all = true;
    for (std::size_t row = 0; row < table.rows && all; ++row) {
      const std::size_t cell = row * table.columns + column;
      if (table.kind(cell) == CellKind::kText)
        all = is_missing_marker(base::trim(table.texts[cell])) ||
              value_of(base::trim(table.texts[cell])).has_value();
    }
    if (!all) continue;
    for (std::size_t row = 0; row < table.rows; ++row) {
      const std::size_t cell = row * table.columns + column;
      if (table.kind(cell) != CellKind::kText) continue;
      const auto value = value_of(base::trim(table.texts[cell]));
      table.kinds[cell] = value ? CellKind::kNumber : CellKind::kMissing;
      table.texts[cell] = {};
      if (value) table.numbers[cell] = *value;
    }
    return;
  }
}

base::Status Reader::read() {
  if (!skip_blank_lines()) return bad_csv("there is no header");
  TRY(header());
  while (skip_blank_lines()) TRY(line(request_.table.rows));
  for (std::uint32_t c = 0; c < schema_.columns().size(); ++c)
    if (schema_.columns()[c].type == ColumnType::kAny) infer_column(c);
  return {};
}

}  // namespace

base::Status read_csv(std::string_view body, const Schema& schema, const RequestLimits& limits,
                      Request& request) {
  if (schema.takes_tensors()) return std::unexpected(refuse_rows(schema, "CSV"));
  TRY(start_request(body, schema, request));
  return Reader(body, schema, limits, request).read();
}

}  // namespace wherry::protocol
