// Reads arbitrary bytes as a checkpoint's index, once as they are and once with the checksums of its blocks
// made right, which no fuzzer would guess.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "import/tensorflow/checkpoint.h"
#include "import/tensorflow/crc32c.h"

namespace {

using namespace wherry;

void read(const std::string& file) {
  const auto index = tensorflow::read_checkpoint_index(file);
  if (!index && (index.error().id.empty() || index.error().message.empty())) __builtin_trap();
}

// Two blocks of which the first byte says how long the first one is.
std::string table_of(const std::uint8_t* data, std::size_t size) {
  const std::size_t first = size == 0 ? 0 : data[0] % size;
  std::string file;
  const auto add = [&](std::size_t from, std::size_t count) {
    std::string block(reinterpret_cast<const char*>(data) + from, count);
    block += '\0';
    const std::uint32_t sum = tensorflow::masked(tensorflow::crc32c(0, base::as_bytes(block)));
    block.append(reinterpret_cast<const char*>(&sum), 4);
    file += block;
  };
  add(0, first);
  const std::size_t index_at = file.size();
  add(first, size - first);
  std::string footer;
  const auto varint = [&](std::uint64_t value) {
    for (; value >= 128; value >>= 7) footer += static_cast<char>(value | 128);
    footer += static_cast<char>(value);
  };
  varint(0), varint(0), varint(index_at), varint(size - first);
  footer.resize(40);
  const std::uint64_t magic = 0xdb4775248b80fb57u;
  footer.append(reinterpret_cast<const char*>(&magic), 8);
  return file + footer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read(std::string(reinterpret_cast<const char*>(data), size));
  read(table_of(data, size));
  return 0;
}
