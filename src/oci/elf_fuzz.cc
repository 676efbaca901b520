// Any bytes as a program: an Error or facts of bounded size.
#include <cstddef>
#include <cstdint>
#include <span>

#include "oci/elf.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)wherry::oci::read_elf(std::as_bytes(std::span(data, size)), "input");
  return 0;
}
