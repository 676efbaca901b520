// Any bytes as a message: no crash; what is accepted and written again reads as the same fields.
#include <cstddef>
#include <cstdlib>
#include <string>

#include "protobuf/wire.h"

using namespace wherry::protobuf;

namespace {

void copy(const Field& field, std::string& out) {
  Writer writer(out);
  switch (field.type) {
    case WireType::kVarint:
      return writer.varint(field.number, field.value);
    case WireType::kFixed64:
      return writer.float64(field.number, field.as_double());
    case WireType::kFixed32:
      writer.raw_varint(field.key());
      out.append(reinterpret_cast<const char*>(&field.value), 4);
      return;
    case WireType::kBytes: {
      const std::size_t mark = writer.begin(field.number);
      out += field.bytes;
      return writer.end(mark);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string written;
  Reader reader({reinterpret_cast<const char*>(data), size});
  Field field;
  while (reader.next(field)) {
    copy(field, written);
    std::uint64_t sum = 0;
    for (const WireType type : {WireType::kVarint, WireType::kFixed32, WireType::kFixed64})
      each_element(field, type, [&](std::uint64_t value) {
        sum += value;
        return true;
      });
  }
  if (reader.failed()) return 0;
  Reader first({reinterpret_cast<const char*>(data), size});
  Reader second(written);
  Field a, b;
  while (first.next(a)) {
    if (!second.next(b) || a.key() != b.key()) std::abort();
    if (a.type == WireType::kBytes ? a.bytes != b.bytes : a.value != b.value) std::abort();
  }
  if (second.next(b) || second.failed()) std::abort();
  return 0;
}
