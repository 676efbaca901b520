// Bounds-checked reading of binary data.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/error.h"

namespace wherry::base {

using Bytes = std::span<const std::byte>;

inline Bytes as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A cursor over borrowed bytes. Every read checks what is left and fails with "base.truncated", naming the
// offset, instead of reading past the end; after a failure the position is unchanged. Not thread-safe.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  std::size_t position() const { return position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }

  // The next `count` bytes, borrowed from the underlying buffer.
  Result<Bytes> take(std::uint64_t count);

  // Little-endian number of type T.
  template <class T>
    requires std::is_arithmetic_v<T>
  Result<T> little() {
    TRY_ASSIGN(const Bytes raw, take(sizeof(T)));
    T value;
    std::memcpy(&value, raw.data(), sizeof(T));
    return value;
  }

  // Big-endian number of type T.
  template <class T>
    requires std::is_arithmetic_v<T>
  Result<T> big() {
    TRY_ASSIGN(const Bytes raw, take(sizeof(T)));
    std::byte swapped[sizeof(T)];
    for (std::size_t i = 0; i < sizeof(T); ++i) swapped[i] = raw[sizeof(T) - 1 - i];
    T value;
    std::memcpy(&value, swapped, sizeof(T));
    return value;
  }

  // Everything up to (not including) `end`, which is consumed too.
  Result<std::string_view> until(char end);

 private:
  Bytes bytes_;
  std::size_t position_ = 0;
};

static_assert(std::endian::native == std::endian::little, "wherry supports little-endian machines only");

}  // namespace wherry::base
