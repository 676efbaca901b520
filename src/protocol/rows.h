// The rules of request.h about names and cells, for all forms of requests. Private to module protocol.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "protocol/json_cursor.h"
#include "protocol/request.h"

namespace wherry::protocol {

inline constexpr std::uint32_t kIgnored = 0xffffffff;  // a given column which the model does not have

// Clears what an earlier request left; checks that the body is UTF-8.
base::Status start_request(std::string_view body, const Schema& schema, Request& request);

JsonCursorOptions cursor_options(const RequestLimits& limits);

// "protocol.limit" when `rows` rows are more cells than allowed.
base::Status check_cells(std::uint64_t rows, const Schema& schema, const RequestLimits& limits);

// Fills request.scratch.targets: for each given column the model's column, or kIgnored. Empty `names` with
// `width` columns: positional.
base::Status bind_names(std::span<const std::string_view> names, const Schema& schema, Request& request);
base::Status bind_positions(std::size_t width, const Schema& schema, Request& request);

// Errors about one cell, naming row and column. `value` is what stands there ("the text 'abc'").
base::Error wrong_type(const Schema& schema, std::size_t row, std::uint32_t column, std::string_view value);

// Errors about names.
base::Error missing_column(const Schema& schema, std::uint32_t column,
                           std::span<const std::string_view> unknown_names);
base::Error unknown_column(const Schema& schema, std::string_view name);

// Reads one JSON value into cell (row, column) of request.table; kIgnored: skips it. False: cursor.failed().
bool read_cell(JsonCursor& cursor, const Schema& schema, std::size_t row, std::uint32_t column,
               Request& request);

// Stores a value which did not come from JSON, by the same rules.
base::Status store_number(const Schema& schema, std::size_t row, std::uint32_t column, double value,
                          Request& request);
base::Status store_text(const Schema& schema, std::size_t row, std::uint32_t column, std::string_view value,
                        Request& request);
void store_missing(const Schema& schema, std::size_t row, std::uint32_t column, Request& request);

// {"amount": [1.5, 2], "country": ["DE", "FR"]}: appends the rows these columns make to request.table.
bool read_columns(JsonCursor& cursor, const Schema& schema, const RequestLimits& limits, Request& request);

// A text which names one of the model's outputs: its position.
bool read_output_name(JsonCursor& cursor, const Schema& schema, std::uint32_t& output);
std::string output_names(const Schema& schema);  // "predict, predict_proba"

// Arrays of rows: each a list in the order of request.scratch.targets, or an object, or a scalar when the
// model has one column. Appends to request.table.
class RowsReader {
 public:
  RowsReader(JsonCursor& cursor, const Schema& schema, const RequestLimits& limits, Request& request)
      : cursor_(cursor), schema_(schema), limits_(limits), request_(request) {}

  enum class Rows : std::uint8_t { kLists, kObjects, kAny };
  // Reads a whole array; `bound`: targets are set already (the columns were named), else lists are
  // positional. False: cursor.failed().
  bool read(Rows rows, bool bound);

  // For arrays whose rows the caller steps through: begin() once, row() for each. What is read is appended.
  void begin(Rows rows, bool bound);
  bool row();

 private:
  bool takes_plain_numbers() const;
  bool read_list(std::size_t row);
  bool read_object(std::size_t row);
  bool read_first_object(std::size_t row);
  bool match(std::string_view key, std::size_t position, std::size_t row, std::uint32_t& column);
  bool check_complete(std::size_t row, std::size_t count);

  JsonCursor& cursor_;
  const Schema& schema_;
  const RequestLimits& limits_;
  Request& request_;
  Rows rows_ = Rows::kAny;
  bool bound_ = false;
  bool takes_record_ = false;  // a row is one record
  bool all_plain_ = false;     // a row is a list of numbers in the order of the columns
  std::optional<JsonCursor::Kind> first_;
  std::string_view unknown_;  // the first name of this row which the model does not have
};

}  // namespace wherry::protocol
