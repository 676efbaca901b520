// Reads arbitrary bytes as an HDF5 file and everything in it.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "import/hdf5/hdf5.h"

namespace {

using namespace wherry;

void check(const base::Error& error) {
  if (error.id.empty() || error.message.empty()) __builtin_trap();
}

std::size_t walk(hdf5::File& file, const hdf5::Object& object, int depth) {
  for (const char* name : {"model_config", "layer_names", "weight_names", "dtype", "x"}) {
    const auto value = file.attribute(object, name);
    if (!value) check(value.error());
  }
  if (object.is_dataset()) {
    const auto tensor = file.read(object, "a dataset");
    if (!tensor) check(tensor.error());
    if (!tensor || tensor->bytes().empty()) return 0;
    return static_cast<std::size_t>(tensor->bytes().back());
  }
  const auto links = file.links(object);
  if (!links) check(links.error());
  std::size_t sum = 0;
  if (!links || depth > 6) return sum;
  for (const auto& link : *links) {
    const auto member = file.object(link);
    if (member) sum += walk(file, *member, depth + 1);
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  static_cast<void>(hdf5::recognise(base::as_text(bytes)));
  auto file = hdf5::File::open(bytes, nullptr, {.items = 20'000, .decoded_bytes = 16 << 20});
  if (!file) {
    check(file.error());
    return 0;
  }
  const auto root = file->find("");
  if (!root) return 0;
  walk(*file, *root, 0);
  return 0;
}
