// The wire format of protocol buffers (protobuf.dev/programming-guides/encoding), for messages whose fields
// the caller knows: no generated code, no reflection, and reading allocates nothing.
//
//   Reader reader(message);
//   for (Field field; reader.next(field);)
//     switch (field.key()) {
//       case key(1, WireType::kBytes): name = field.bytes; break;
//       case key(2, WireType::kVarint): count = field.value; break;
//     }                                       // all others, also of another wire type, are unknown: skipped
//   TRY(reader.status("the request"));
//
// A Reader looks at one level; nested messages are read by another one over `bytes`, so the depth is that of
// the caller's code. Groups (deprecated since proto2) are refused. Not thread-safe.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/error.h"

namespace wherry::protobuf {

enum class WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

constexpr std::uint32_t key(std::uint32_t number, WireType type) {
  return number << 3 | static_cast<std::uint32_t>(type);
}

struct Field {
  std::uint32_t number = 0;
  WireType type = WireType::kVarint;
  std::uint64_t value = 0;  // of a varint or a fixed number, its bits
  std::string_view bytes;   // of kBytes: borrowed from the message

  std::uint32_t key() const { return protobuf::key(number, type); }
  bool as_bool() const { return value != 0; }
  std::int64_t as_int64() const { return static_cast<std::int64_t>(value); }
  double as_double() const { return std::bit_cast<double>(value); }
};

// A base-128 number at `p`; null when it does not end before `end` or needs more than 64 bits.
const char* read_varint(const char* p, const char* end, std::uint64_t& value);

class Reader {
 public:
  explicit Reader(std::string_view message)
      : begin_(message.data()), p_(begin_), end_(begin_ + message.size()) {}

  // False: the message ended, or failed().
  bool next(Field& field);

  bool failed() const { return problem_ != nullptr; }
  base::Status status(std::string_view subject) const;  // "protobuf.malformed"

 private:
  bool fail(const char* problem);

  const char* begin_;
  const char* p_;
  const char* end_;
  const char* problem_ = nullptr;
};

// The elements of a repeated number, which may come packed into one kBytes field or one by one: feeds each to
// `take(value)`, which returns false to stop. `type` is how one element is written. False: the field is
// malformed or of another type, or `take` said so.
template <class Take>
bool each_element(const Field& field, WireType type, Take take) {
  if (field.type == type) return take(field.value);
  if (field.type != WireType::kBytes) return false;
  const char* p = field.bytes.data();
  const char* const end = p + field.bytes.size();
  if (type == WireType::kVarint) {
    std::uint64_t value = 0;
    while (p != end) {
      p = read_varint(p, end, value);
      if (p == nullptr || !take(value)) return false;
    }
    return true;
  }
  const std::size_t width = type == WireType::kFixed64 ? 8 : 4;
  if (field.bytes.size() % width != 0) return false;
  for (; p != end; p += width) {
    std::uint64_t value = 0;
    std::memcpy(&value, p, width);
    if (!take(value)) return false;
  }
  return true;
}

// Appends fields to a string. Fields are written also when they have their default value, unless said
// otherwise.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void varint(std::uint32_t number, std::uint64_t value) {
    tag(number, WireType::kVarint);
    raw_varint(value);
  }
  void int64(std::uint32_t number, std::int64_t value) { varint(number, static_cast<std::uint64_t>(value)); }
  void boolean(std::uint32_t number, bool value) { varint(number, value ? 1 : 0); }
  void float64(std::uint32_t number, double value);
  void fixed32(std::uint32_t number, std::uint32_t value);  // a float's bits, for one
  void bytes(std::uint32_t number, std::string_view value) {
    bytes_header(number, value.size());
    out_ += value;
  }
  // Tag and length of a kBytes field whose `size` bytes the caller appends itself.
  void bytes_header(std::uint32_t number, std::size_t size) {
    tag(number, WireType::kBytes);
    raw_varint(size);
  }
  void raw_varint(std::uint64_t value);

  // As proto3's singular fields: the default value is not written.
  void text_unless_empty(std::uint32_t number, std::string_view value) {
    if (!value.empty()) bytes(number, value);
  }
  void varint_unless_zero(std::uint32_t number, std::uint64_t value) {
    if (value != 0) varint(number, value);
  }

  // A nested message: what is written between the two is its content.
  std::size_t begin(std::uint32_t number);
  void end(std::size_t mark);

 private:
  void tag(std::uint32_t number, WireType type) { raw_varint(key(number, type)); }

  std::string& out_;
};

}  // namespace wherry::protobuf
