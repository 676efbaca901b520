#include "import/skops/pickle_writer.h"

#include <bit>

namespace wherry::skops {

void PickleWriter::little(std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out_ += static_cast<char>(value >> (8 * i) & 0xFF);
}

void PickleWriter::counted(char opcode, std::string_view value) {
  out_ += opcode;
  little(value.size(), 8);
  out_ += value;
}

void PickleWriter::integer(std::int64_t value) {
  out_ += "\x8a\x08";  // LONG1 of 8 bytes
  little(static_cast<std::uint64_t>(value), 8);
}

void PickleWriter::decimal(std::string_view digits) {
  out_ += 'L';
  out_ += digits;
  out_ += "L\n";
}

void PickleWriter::real(double value) {
  out_ += 'G';
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (int shift = 56; shift >= 0; shift -= 8) out_ += static_cast<char>(bits >> shift & 0xFF);
}

void PickleWriter::global(std::string_view module, std::string_view name) {
  text(module);
  text(name);
  out_ += '\x93';
}

}  // namespace wherry::skops
