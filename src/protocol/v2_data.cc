// What the elements of a V2 request's JSON data mean.
#include <cmath>

#include "protocol/tensor_json.h"
#include "protocol/v2_reader.h"

namespace wherry::protocol {
namespace {

using Kind = JsonCursor::Kind;

}  // namespace

// Every element is at least one digit and a comma, so an honest body is longer than its count.
bool V2Reader::tensor_data(const V2Input& in) {
  if (in.count > json_.size()) return cursor_.fail(wrong_count(in, "fewer"));
  const auto position = inputs_.tensors().begin(in);
  if (!position) return cursor_.fail(position.error());
  if (cursor_.peek() != Kind::kArray)
    return bad_form(base::cat("the data of ", in.label(), " is not a list"), "send \"data\": [value, …]");
  TensorJson elements(cursor_, inputs_.tensors().input(*position), inputs_.tensors().cells(*position));
  return elements.flat_or_nested(in.count);
}

bool V2Reader::data(const V2Input& in) {
  if (inputs_.takes_tensors()) return tensor_data(in);
  if (!in.datatype->in_json())
    return fail("protocol.bad_datatype",
                base::cat(in.label(), " has datatype ", in.datatype->name, ", which JSON cannot carry"),
                "send it as binary data, or as FP32");
  if (in.count > json_.size()) return cursor_.fail(wrong_count(in, "fewer"));
  const auto place = inputs_.place(in, false);
  if (!place) return cursor_.fail(place.error());
  const Destination& destination = *place;
  if (destination.ignored) return cursor_.skip_value();
  if (cursor_.peek() != Kind::kArray)
    return bad_form(base::cat("the data of ", in.label(), " is not a list"), "send \"data\": [value, …]");
  nested_ = false;
  std::uint64_t next = 0;
  return elements(in, destination, 0, next);
}

// One list of the data: flat with all elements, or nested as the shape says, `axis` deep.
bool V2Reader::elements(const V2Input& in, const Destination& destination, std::size_t axis,
                        std::uint64_t& next) {
  if (!cursor_.begin_array()) return false;
  std::uint64_t length = 0;
  std::uint64_t wanted = axis == 0 ? in.count : in.shape[axis];
  const bool plain = in.datatype->kind == DataKind::kFloat64 || in.datatype->kind == DataKind::kFloat32;
  while (cursor_.next_element()) {
    const bool is_list = cursor_.peek() == Kind::kArray;
    if (axis == 0 && length == 0) {
      nested_ = is_list;
      if (nested_) wanted = in.axes == 0 ? 0 : in.shape[0];
    }
    const bool holds_lists = nested_ && axis + 1 < in.axes;
    if (is_list != holds_lists)
      return fail(
          "protocol.bad_shape",
          base::cat("the data of ", in.label(), " is nested otherwise than its shape ", in.shape_text()),
          "send \"data\" flat, or nested exactly as \"shape\" says");
    if (!is_list && plain) {
      bool ended = false;
      const std::size_t read = plain_numbers(in, destination, next, wanted - length, ended);
      length += read;
      next += read;
      if (ended) continue;
    }
    if (length++ == wanted) return cursor_.fail(wrong_count(in, "more"));
    if (is_list) {
      if (!elements(in, destination, axis + 1, next)) return false;
    } else {
      if (!element(in, destination.first + static_cast<std::size_t>(next++) * destination.stride))
        return false;
    }
  }
  if (cursor_.failed()) return false;
  return length == wanted || cursor_.fail(wrong_count(in, "fewer"));
}

// As many elements as are plain numbers, from element `next` on: none of them is beyond the range of FP32.
std::size_t V2Reader::plain_numbers(const V2Input& in, const Destination& destination, std::uint64_t next,
                                    std::uint64_t most, bool& ended) {
  if (most == 0) return 0;
  double* const first =
      &request_.table.numbers[destination.first + static_cast<std::size_t>(next) * destination.stride];
  const std::size_t count =
      cursor_.plain_numbers(first, destination.stride, static_cast<std::size_t>(most), ended);
  if (in.datatype->kind == DataKind::kFloat32)
    for (std::size_t i = 0; i < count; ++i) {
      double& value = first[i * destination.stride];
      value = static_cast<double>(static_cast<float>(value));
    }
  return count;
}

bool V2Reader::element(const V2Input& in, std::size_t cell) {
  const Kind kind = cursor_.peek();
  const DataKind data_kind = in.datatype->kind;
  double& value = request_.table.numbers[cell];
  const std::size_t columns = request_.table.columns;
  if (kind == Kind::kNull &&
      (data_kind == DataKind::kFloat64 || data_kind == DataKind::kFloat32 || data_kind == DataKind::kBytes)) {
    store_missing(schema_, cell / columns, static_cast<std::uint32_t>(cell % columns), request_);
    return cursor_.null();
  }
  if (data_kind == DataKind::kBytes && kind == Kind::kString) {
    std::string_view text;
    if (!cursor_.string(text)) return false;
    request_.table.set_text(cell, text);
    return true;
  }
  if (data_kind == DataKind::kBool && (kind == Kind::kTrue || kind == Kind::kFalse)) {
    bool truth = false;
    if (!cursor_.boolean(truth)) return false;
    value = truth ? 1 : 0;
    return true;
  }
  const bool is_numeric = data_kind != DataKind::kBytes && data_kind != DataKind::kBool;
  if (kind != Kind::kNumber || !is_numeric) return wrong_element(in, cell, kind);
  JsonNumber number;
  if (!cursor_.number(number)) return false;
  value = number.value;
  if (data_kind == DataKind::kFloat64) return true;
  if (data_kind != DataKind::kFloat32) return integer(in, number, cell);
  value = static_cast<double>(static_cast<float>(number.value));
  if (std::isfinite(value) || !std::isfinite(number.value)) return true;
  return fail("protocol.number_range",
              base::cat(inputs_.place_of(in, cell), ": ", number.value, " is beyond the range of FP32"),
              "send it as FP64");
}

// Integers beyond 2^53 have become the nearest double already, as Python's float(x).
bool V2Reader::integer(const V2Input& in, const JsonNumber& number, std::size_t cell) {
  const Datatype& type = *in.datatype;
  if (!number.is_integer)
    return fail("protocol.number_range",
                base::cat(inputs_.place_of(in, cell), ": ", number.value, " is not an integer, as ",
                          type.name, " needs"),
                "write integers without point and exponent, or send the input as FP64");
  const std::uint64_t most_negative = std::uint64_t{0} - static_cast<std::uint64_t>(type.low);
  const std::uint64_t most = number.is_negative ? most_negative : type.high;
  if (number.fits && number.magnitude <= most) return true;
  return fail(
      "protocol.number_range",
      base::cat(inputs_.place_of(in, cell), ": ", number.value, " is beyond the range of ", type.name),
      "send the input with a wider datatype");
}

bool V2Reader::wrong_element(const V2Input& in, std::size_t cell, Kind kind) {
  if (kind == Kind::kBad) return cursor_.fail_syntax("a value is expected");
  const std::string_view found = kind == Kind::kNumber   ? "a number"
                                 : kind == Kind::kString ? "text"
                                 : kind == Kind::kNull   ? "null"
                                 : kind == Kind::kObject ? "an object"
                                                         : "true or false";
  const DataKind wanted = in.datatype->kind;
  return fail("protocol.wrong_type",
              base::cat(inputs_.place_of(in, cell), ": ", found, " stands where datatype ", in.datatype->name,
                        " needs ",
                        wanted == DataKind::kBytes  ? "text"
                        : wanted == DataKind::kBool ? "true or false"
                                                    : "a number"),
              kind == Kind::kNull ? "only FP32, FP64 and BYTES have missing values"
                                  : "send values of the datatype announced");
}

}  // namespace wherry::protocol
