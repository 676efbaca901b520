#include "protocol/tensor_json.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/text.h"
#include "tensor/half.h"

namespace wherry::protocol {
namespace {

using base::cat;
using tensor::DType;
using Kind = JsonCursor::Kind;

std::string_view found_text(Kind kind) {
  switch (kind) {
    case Kind::kNumber:
      return "a number";
    case Kind::kString:
      return "text";
    case Kind::kNull:
      return "null";
    case Kind::kObject:
      return "an object";
    case Kind::kArray:
      return "a list";
    default:
      return "true or false";
  }
}

// The 16 bits which are this number; nothing where there are none. A NaN is one.
std::optional<std::uint16_t> exact(double value, std::uint16_t bits, double (*widen)(std::uint16_t)) {
  return std::isnan(value) || widen(bits) == value ? std::optional(bits) : std::nullopt;
}

}  // namespace

TensorJson::TensorJson(JsonCursor& cursor, const program::InputTensor& input, tensor::TensorCells& cells)
    : cursor_(cursor), input_(input), cells_(cells) {}

std::string TensorJson::place() const {
  if (axes_at_ == 0) return cat("input ", base::quoted(input_.name));
  const tensor::Shape at(at_.begin(), at_.begin() + static_cast<std::ptrdiff_t>(axes_at_));
  return cat("input ", base::quoted(input_.name), ", element ", tensor::to_string(at));
}

bool TensorJson::fail(std::string_view id, std::string message, std::string_view hint) {
  return cursor_.fail(
      {base::Code::kInvalidInput, std::string(id), std::move(message), std::string(hint), {}});
}

bool TensorJson::bad_lengths(std::size_t axis, std::string_view problem) {
  axes_at_ = axis;
  return fail(
      "protocol.bad_shape",
      cat("input ", base::quoted(input_.name),
          axis == 0 ? cat(": the list")
                    : cat(", list ", tensor::to_string(tensor::Shape(
                                         at_.begin(), at_.begin() + static_cast<std::ptrdiff_t>(axis)))),
          " has ", problem, " than ", cells_.shape[axis], " elements"),
      "all lists of one level have the same length, which the shape says where it is given");
}

bool TensorJson::find_axes() {
  const JsonCursor::Mark start = cursor_.mark();
  std::size_t axes = 0;
  while (cursor_.peek() == Kind::kArray) {
    if (axes == program::kMostAxes)
      return fail("protocol.bad_shape",
                  cat("input ", base::quoted(input_.name), " has more than ", program::kMostAxes, " axes"),
                  "send fewer lists in lists");
    ++axes;
    if (!cursor_.begin_array()) return false;
    if (!cursor_.next_element()) break;
  }
  if (cursor_.failed()) return false;
  cursor_.seek(start);
  cells_.shape.assign(axes, -1);
  return true;
}

bool TensorJson::value() {
  if (program::is_any_shape(input_.shape) && !find_axes()) return false;
  return nested(0);
}

bool TensorJson::nested(std::size_t axis) {
  if (axis == cells_.shape.size()) {
    axes_at_ = axis;
    return element();
  }
  const Kind kind = cursor_.peek();
  if (kind == Kind::kBad) return cursor_.fail_syntax("a value is expected");
  if (kind != Kind::kArray) {
    axes_at_ = axis;
    return fail("protocol.bad_shape",
                cat(place(), ": ", found_text(kind), " stands where a list is expected; the input has ",
                    cells_.shape.size(), cells_.shape.size() == 1 ? " axis" : " axes"),
                "send lists in lists, one level per axis of the input");
  }
  if (!cursor_.begin_array()) return false;
  const std::int64_t known = cells_.shape[axis];
  std::int64_t length = 0;
  const bool innermost = axis + 1 == input_.shape.size();
  while (cursor_.next_element()) {
    if (innermost) {
      bool ended = false;
      const std::int64_t left = known < 0 ? std::numeric_limits<std::int64_t>::max() : known - length;
      length += static_cast<std::int64_t>(plain_numbers(static_cast<std::uint64_t>(left), ended));
      if (ended) continue;
    }
    if (length == known) return bad_lengths(axis, "more");
    at_[axis] = length++;
    if (!nested(axis + 1)) return false;
  }
  if (cursor_.failed()) return false;
  if (known < 0) cells_.shape[axis] = length;
  return length == cells_.shape[axis] || bad_lengths(axis, "fewer");
}

bool TensorJson::flat_or_nested(std::uint64_t count) {
  if (cells_.dtype != DType::kString) cells_.owned.reserve(count * tensor::info(cells_.dtype).size);
  if (cells_.shape.size() < 2) return flat(count);
  const JsonCursor::Mark start = cursor_.mark();
  if (!cursor_.begin_array()) return false;
  const bool has_lists = cursor_.next_element() && cursor_.peek() == Kind::kArray;
  if (cursor_.failed()) return false;
  cursor_.seek(start);
  return has_lists ? nested(0) : flat(count);
}

bool TensorJson::flat(std::uint64_t count) {
  if (!cursor_.begin_array()) return false;
  axes_at_ = 1;
  std::uint64_t length = 0;
  const auto wrong = [&](std::string_view problem) {
    return fail("protocol.bad_shape",
                cat("the data of input ", base::quoted(input_.name), " has ", problem,
                    " elements than its shape ", tensor::to_string(cells_.shape), " says"),
                "\"data\" holds as many elements as the product of \"shape\"");
  };
  while (cursor_.next_element()) {
    bool ended = false;
    length += plain_numbers(count - length, ended);
    if (ended) continue;
    if (length == count) return wrong("more");
    at_[0] = static_cast<std::int64_t>(length++);
    if (!element()) return false;
  }
  if (cursor_.failed()) return false;
  return length == count || wrong("fewer");
}

// As many elements as are plain numbers, at most `most`: none of them is beyond the range of a float.
std::uint64_t TensorJson::plain_numbers(std::uint64_t most, bool& ended) {
  if (cells_.dtype != DType::kFloat32 && cells_.dtype != DType::kFloat64) return 0;
  std::array<double, 256> numbers;
  std::uint64_t read = 0;
  for (bool full = true; full;) {
    const auto count = cursor_.plain_numbers(
        numbers.data(), 1, static_cast<std::size_t>(std::min<std::uint64_t>(numbers.size(), most - read)),
        ended);
    full = count == numbers.size() && !ended;
    read += count;
    const std::span some = std::span(numbers).first(count);
    if (cells_.dtype == DType::kFloat64) {
      put_all(std::span<const double>(some));
    } else {
      std::array<float, numbers.size()> floats;
      std::transform(some.begin(), some.end(), floats.begin(),
                     [](double value) { return static_cast<float>(value); });
      put_all(std::span<const float>(floats).first(count));
    }
  }
  return read;
}

bool TensorJson::element() {
  switch (cells_.dtype) {
    case DType::kFloat16:
    case DType::kBfloat16:
    case DType::kFloat32:
    case DType::kFloat64:
      return floating(cells_.dtype);
    case DType::kBool:
      return boolean();
    case DType::kString:
      return text();
    case DType::kInt8:
      return integer<std::int8_t>();
    case DType::kInt16:
      return integer<std::int16_t>();
    case DType::kInt32:
      return integer<std::int32_t>();
    case DType::kInt64:
      return integer<std::int64_t>();
    case DType::kUint8:
      return integer<std::uint8_t>();
    case DType::kUint16:
      return integer<std::uint16_t>();
    case DType::kUint32:
      return integer<std::uint32_t>();
    case DType::kUint64:
      return integer<std::uint64_t>();
  }
  return false;
}

bool TensorJson::not_such(Kind kind, std::string_view wanted) {
  if (kind == Kind::kBad) return cursor_.fail_syntax("a value is expected");
  const std::string_view name = tensor::info(cells_.dtype).protocol_name;
  if (kind == Kind::kArray)
    return fail("protocol.bad_shape",
                cat(place(), ": a list stands where an element is expected; the input has ",
                    cells_.shape.size(), cells_.shape.size() == 1 ? " axis" : " axes"),
                "send the elements flat, or lists in lists, one level per axis of the input");
  return fail("protocol.wrong_type",
              cat(place(), ": ", found_text(kind), " stands where datatype ", name, " needs ", wanted),
              kind == Kind::kNull ? "tensors have no missing values"
                                  : "send values of the input's datatype; nothing is converted");
}

template <class T>
bool TensorJson::integer() {
  using Limits = std::numeric_limits<T>;
  const Kind kind = cursor_.peek();
  if (kind != Kind::kNumber) return not_such(kind, "an integer");
  JsonNumber number;
  if (!cursor_.number(number)) return false;
  const std::string_view name = tensor::info(cells_.dtype).protocol_name;
  if (!number.is_integer)
    return fail("protocol.number_range",
                cat(place(), ": ", number.value, " is not an integer, as ", name, " needs"),
                "write integers without point and exponent");
  const std::uint64_t lowest = std::uint64_t{0} - static_cast<std::uint64_t>(Limits::min());
  const std::uint64_t most = number.is_negative ? lowest : static_cast<std::uint64_t>(Limits::max());
  if (!number.fits || number.magnitude > most)
    return fail("protocol.number_range", cat(place(), ": ", number.value, " is beyond the range of ", name),
                "send a number which the input's datatype can hold");
  return put(static_cast<T>(number.is_negative ? std::uint64_t{0} - number.magnitude : number.magnitude));
}

bool TensorJson::floating(DType dtype) {
  const Kind kind = cursor_.peek();
  if (kind != Kind::kNumber) return not_such(kind, "a number");
  JsonNumber number;
  if (!cursor_.number(number)) return false;
  if (dtype == DType::kFloat64) return put(number.value);
  if (dtype == DType::kFloat32) {
    const auto value = static_cast<float>(number.value);
    if (std::isfinite(value) || !std::isfinite(number.value)) return put(value);
    return fail("protocol.number_range", cat(place(), ": ", number.value, " is beyond the range of FP32"),
                "send a number below 3.4e38");
  }
  const auto bits =
      dtype == DType::kFloat16
          ? exact(number.value, tensor::double_to_half(number.value), tensor::half_to_double)
          : exact(number.value, tensor::double_to_bfloat(number.value), tensor::bfloat_to_double);
  if (bits) return put(*bits);
  return fail("protocol.number_range",
              cat(place(), ": ", number.value, " is no number of ", tensor::info(dtype).protocol_name),
              "send numbers which the datatype holds exactly, or the tensor as binary data");
}

bool TensorJson::boolean() {
  const Kind kind = cursor_.peek();
  if (kind != Kind::kTrue && kind != Kind::kFalse) return not_such(kind, "true or false");
  bool truth = false;
  if (!cursor_.boolean(truth)) return false;
  return put(static_cast<std::uint8_t>(truth ? 1 : 0));
}

bool TensorJson::text() {
  std::string_view text;
  if (cursor_.peek() == Kind::kObject && cursor_.at_base64()) {
    if (!cursor_.base64(text)) return false;
    if (!base::is_valid_utf8(text))
      return fail("protocol.bad_utf8", cat(place(), ": the bytes are not valid UTF-8"), "send UTF-8 text");
  } else if (cursor_.peek() == Kind::kString) {
    if (!cursor_.string(text)) return false;
  } else {
    return not_such(cursor_.peek(), "text");
  }
  cells_.texts.push_back(text);
  return true;
}

}  // namespace wherry::protocol
