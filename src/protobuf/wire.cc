#include "protobuf/wire.h"

#include "base/text.h"

namespace wherry::protobuf {
namespace {

constexpr std::uint64_t kMostNumber = (1u << 29) - 1;

}  // namespace

const char* read_varint(const char* p, const char* end, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && p != end; shift += 7) {
    const auto byte = static_cast<unsigned char>(*p++);
    if (shift == 63 && byte > 1) return nullptr;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return p;
  }
  return nullptr;
}

bool Reader::fail(const char* problem) {
  problem_ = problem;
  return false;
}

bool Reader::next(Field& field) {
  if (p_ == end_ || failed()) return false;
  std::uint64_t tag = 0;
  const char* p = read_varint(p_, end_, tag);
  if (p == nullptr) return fail("a field's tag is cut off or too long");
  const std::uint64_t number = tag >> 3;
  if (number == 0 || number > kMostNumber) return fail("a field has an impossible number");
  field.number = static_cast<std::uint32_t>(number);
  field.type = static_cast<WireType>(tag & 7);
  const auto left = static_cast<std::uint64_t>(end_ - p);
  switch (field.type) {
    case WireType::kVarint:
      p = read_varint(p, end_, field.value);
      if (p == nullptr) return fail("a number is cut off or too long");
      break;
    case WireType::kFixed64:
      if (left < 8) return fail("a number is cut off");
      std::memcpy(&field.value, p, 8);
      p += 8;
      break;
    case WireType::kFixed32:
      if (left < 4) return fail("a number is cut off");
      field.value = 0;
      std::memcpy(&field.value, p, 4);
      p += 4;
      break;
    case WireType::kBytes: {
      std::uint64_t length = 0;
      p = read_varint(p, end_, length);
      if (p == nullptr || length > static_cast<std::uint64_t>(end_ - p))
        return fail("a field is longer than what is left");
      field.bytes = {p, static_cast<std::size_t>(length)};
      p += length;
      break;
    }
    default:
      return fail("a field is a group or of an unknown kind");
  }
  p_ = p;
  return true;
}

base::Status Reader::status(std::string_view subject) const {
  if (!failed()) return {};
  return base::fail(
      base::Code::kInvalidInput, "protobuf.malformed",
      base::cat(subject, " is not a valid protobuf message: ", problem_, " at byte ", p_ - begin_),
      "check that it was encoded from the right .proto file and not cut off");
}

void Writer::raw_varint(std::uint64_t value) {
  char buffer[10];
  std::size_t size = 0;
  for (; value >= 0x80; value >>= 7) buffer[size++] = static_cast<char>(value | 0x80);
  buffer[size++] = static_cast<char>(value);
  out_.append(buffer, size);
}

void Writer::fixed32(std::uint32_t number, std::uint32_t value) {
  tag(number, WireType::kFixed32);
  char buffer[sizeof value];
  std::memcpy(buffer, &value, sizeof value);
  out_.append(buffer, sizeof value);
}

void Writer::float64(std::uint32_t number, double value) {
  tag(number, WireType::kFixed64);
  char buffer[sizeof value];
  std::memcpy(buffer, &value, sizeof value);
  out_.append(buffer, sizeof value);
}

std::size_t Writer::begin(std::uint32_t number) {
  tag(number, WireType::kBytes);
  out_ += '\0';  // room for the length, enough for most messages
  return out_.size();
}

void Writer::end(std::size_t mark) {
  std::uint64_t length = out_.size() - mark;
  if (length < 0x80) {
    out_[mark - 1] = static_cast<char>(length);
    return;
  }
  char buffer[10];
  std::size_t size = 0;
  for (; length >= 0x80; length >>= 7) buffer[size++] = static_cast<char>(length | 0x80);
  buffer[size++] = static_cast<char>(length);
  out_[mark - 1] = buffer[0];
  out_.insert(mark, buffer + 1, size - 1);
}

}  // namespace wherry::protobuf
