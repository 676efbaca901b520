#include "protocol/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <span>

#include "base/text.h"
#include "protocol/decimal.h"
#include "tensor/half.h"

namespace wherry::protocol {
namespace {

using tensor::DType;

void append_non_finite(double value, NonFinite non_finite, std::string& out) {
  if (non_finite == NonFinite::kNull)
    out += "null";
  else
    out += std::isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity";
}

template <class T>
void append_floating(T value, NonFinite non_finite, std::string& out) {
  if (!std::isfinite(value)) return append_non_finite(static_cast<double>(value), non_finite, out);
  char buffer[kLongestDecimal];
  out.append(buffer, write_shortest(value, buffer));
}

// Into a buffer first: what a number costs is otherwise mostly the string's.
template <class T>
void append_floats(std::span<const T> values, NonFinite non_finite, std::string& out) {
  std::array<char, 2048> buffer;
  char* end = buffer.data();
  const char* const most = buffer.data() + buffer.size() - kLongestDecimal - 1;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i != 0) *end++ = ',';
    if (std::isfinite(values[i])) {
      end = write_shortest(values[i], end);
    } else {
      out.append(buffer.data(), end);
      end = buffer.data();
      append_non_finite(static_cast<double>(values[i]), non_finite, out);
    }
    if (end <= most) continue;
    out.append(buffer.data(), end);
    end = buffer.data();
  }
  out.append(buffer.data(), end);
}

template <class T>
void append_any_integer(T value, std::string& out) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

// Length of the UTF-8 sequence at the start of `text`, 0 when it is none.
std::size_t sequence_length(std::string_view text) {
  for (std::size_t length = 1; length <= 4 && length <= text.size(); ++length)
    if (base::is_valid_utf8(text.substr(0, length))) return length;
  return 0;
}

void append_escaped(char c, std::string& out) {
  constexpr std::string_view kMeanings = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetters = "\"\\bfnrt";
  const std::size_t known = kMeanings.find(c);
  out += '\\';
  if (known != std::string_view::npos) {
    out += kLetters[known];
    return;
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "u00";
  out += kDigits[static_cast<unsigned char>(c) >> 4];
  out += kDigits[static_cast<unsigned char>(c) & 15];
}

bool needs_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

}  // namespace

void append_double(double value, NonFinite non_finite, std::string& out) {
  append_floating(value, non_finite, out);
}
void append_float(float value, NonFinite non_finite, std::string& out) {
  append_floating(value, non_finite, out);
}
void append_integer(std::int64_t value, std::string& out) {
  append_any_integer(value, out);
}
void append_unsigned(std::uint64_t value, std::string& out) {
  append_any_integer(value, out);
}

void append_string(std::string_view text, std::string& out) {
  out += '"';
  std::string repaired;
  if (!base::is_valid_utf8(text)) {
    for (std::size_t i = 0; i < text.size();) {
      const std::size_t length = sequence_length(text.substr(i));
      repaired += length == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(i, length);
      i += length == 0 ? 1 : length;
    }
    text = repaired;
  }
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!needs_escape(text[i])) continue;
    out += text.substr(start, i - start);
    append_escaped(text[i], out);
    start = i + 1;
  }
  out += text.substr(start);
  out += '"';
}

void append_cell(const tensor::Table& table, std::size_t i, NonFinite non_finite, std::string& out) {
  switch (table.kind(i)) {
    case tensor::CellKind::kNumber:
      return append_double(table.numbers[i], non_finite, out);
    case tensor::CellKind::kText:
      return append_string(table.texts[i], out);
    case tensor::CellKind::kMissing:
      out += "null";
  }
}

void append_elements(const tensor::ResultView& view, std::size_t first, std::size_t count,
                     NonFinite non_finite, std::string& out) {
  const bool is_table = view.table != nullptr;
  if (is_table ? view.table->is_numeric() : view.dtype == DType::kFloat64) {
    const double* const numbers =
        is_table ? view.table->numbers.data() : static_cast<const double*>(view.data);
    return append_floats(std::span(numbers + first, count), non_finite, out);
  }
  if (!is_table && view.dtype == DType::kFloat32)
    return append_floats(std::span(static_cast<const float*>(view.data) + first, count), non_finite, out);
  for (std::size_t i = first; i < first + count; ++i) {
    if (i != first) out += ',';
    append_element(view, i, non_finite, out);
  }
}

void append_element(const tensor::ResultView& view, std::size_t i, NonFinite non_finite, std::string& out) {
  if (view.table != nullptr) return append_cell(*view.table, i, non_finite, out);
  const auto as = [&]<class T>(T) { return static_cast<const T*>(view.data)[i]; };
  switch (view.dtype) {
    case DType::kFloat64:
      return append_double(as(double{}), non_finite, out);
    case DType::kFloat32:
      return append_float(as(float{}), non_finite, out);
    case DType::kString:
      return append_string(view.texts[i], out);
    case DType::kBool:
      out += as(std::uint8_t{}) != 0 ? "true" : "false";
      return;
    case DType::kInt64:
      return append_integer(as(std::int64_t{}), out);
    case DType::kInt32:
      return append_integer(as(std::int32_t{}), out);
    case DType::kInt16:
      return append_integer(as(std::int16_t{}), out);
    case DType::kInt8:
      return append_integer(as(std::int8_t{}), out);
    case DType::kUint64:
      return append_unsigned(as(std::uint64_t{}), out);
    case DType::kUint32:
      return append_unsigned(as(std::uint32_t{}), out);
    case DType::kUint16:
      return append_unsigned(as(std::uint16_t{}), out);
    case DType::kUint8:
      return append_unsigned(as(std::uint8_t{}), out);
    case DType::kFloat16:
      return append_float(static_cast<float>(tensor::half_to_double(as(std::uint16_t{}))), non_finite, out);
    case DType::kBfloat16:
      return append_float(static_cast<float>(tensor::bfloat_to_double(as(std::uint16_t{}))), non_finite, out);
  }
}

}  // namespace wherry::protocol
