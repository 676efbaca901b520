// Appending JSON values to a string. Private to module protocol.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/response.h"

namespace wherry::protocol {

// Shortest form which reads back as the same number, always with a point or an exponent.
void append_double(double value, NonFinite non_finite, std::string& out);
void append_float(float value, NonFinite non_finite, std::string& out);
void append_integer(std::int64_t value, std::string& out);
void append_unsigned(std::uint64_t value, std::string& out);

// In quotes, escaped; bytes which are not UTF-8 become U+FFFD.
void append_string(std::string_view text, std::string& out);

// Elements of a view as JSON values with commas between them.
void append_elements(const tensor::ResultView& view, std::size_t first, std::size_t count,
                     NonFinite non_finite, std::string& out);

// Element `i` of a view as a JSON value.
void append_element(const tensor::ResultView& view, std::size_t i, NonFinite non_finite, std::string& out);

// Elements from `next` on as lists nested as the shape says from `axis` on; moves `next` behind them.
void append_nested(const tensor::ResultView& view, std::size_t axis, std::size_t& next, NonFinite non_finite,
                   std::string& out);

// Cell `i` of a table as a JSON value.
void append_cell(const tensor::Table& table, std::size_t i, NonFinite non_finite, std::string& out);

}  // namespace wherry::protocol
