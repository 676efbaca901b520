// The elements of an input tensor as JSON: flat, or lists in lists, one level per axis. What stands there
// must be of the tensor's dtype; nothing is converted:
//   floats     numbers, rounded to the dtype; beyond its range: refused. float16 and bfloat16 take only
//   numbers
//              which they hold exactly. NaN where its token is allowed. Null is refused: a tensor misses
//              nothing
//   integers   numbers written without point and exponent, within the range, exact to the last bit
//   booleans   true and false
//   texts      strings, and {"b64": "…"} where the cursor takes it; UTF-8
// Private to module protocol. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "program/program.h"
#include "protocol/json_cursor.h"
#include "tensor/table.h"

namespace wherry::protocol {

// Appends to cells.owned or cells.texts. Functions give false: cursor.failed().
class TensorJson {
 public:
  TensorJson(JsonCursor& cursor, const program::InputTensor& input, tensor::TensorCells& cells);

  // The whole tensor, nested. One of any number of axes has as many as lists stand in each other where it
  // begins.
  bool value();
  // What stands at the axes from `axis` on: lists whose lengths are those of cells.shape, or become them
  // where these are -1; one element where no axis is left.
  bool nested(std::size_t axis);
  // One list of as many elements as cells.shape says, or lists in lists.
  bool flat_or_nested(std::uint64_t count);

 private:
  bool find_axes();
  bool flat(std::uint64_t count);
  std::uint64_t plain_numbers(std::uint64_t most, bool& ended);
  bool element();
  template <class T>
  bool integer();
  bool floating(tensor::DType dtype);
  bool boolean();
  bool text();
  bool not_such(JsonCursor::Kind kind, std::string_view wanted);
  bool fail(std::string_view id, std::string message, std::string_view hint);
  bool bad_lengths(std::size_t axis, std::string_view problem);
  std::string place() const;  // "input 'x', element [0, 2]"

  template <class T>
  void put_all(std::span<const T> values) {
    const auto bytes = std::as_bytes(values);
    cells_.owned.insert(cells_.owned.end(), bytes.begin(), bytes.end());
  }
  template <class T>
  bool put(T value) {
    put_all(std::span<const T>(&value, 1));
    return true;
  }

  JsonCursor& cursor_;
  const program::InputTensor& input_;
  tensor::TensorCells& cells_;
  std::array<std::int64_t, program::kMostAxes> at_{};  // where the element stands
  std::size_t axes_at_ = 0;                            // 1 in a flat list
};

}  // namespace wherry::protocol
