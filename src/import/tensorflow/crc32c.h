// CRC-32C (Castagnoli; RFC 3720 appendix B.4) as LevelDB and TensorFlow store it.
//
// Thread-safety: pure functions.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace wherry::tensorflow {

// The checksum of what `crc` was computed of, followed by `bytes`; 0 is the checksum of nothing.
std::uint32_t crc32c(std::uint32_t crc, base::Bytes bytes);

// LevelDB's "masked" form, for a checksum stored beside data which itself holds checksums.
constexpr std::uint32_t masked(std::uint32_t crc) {
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

}  // namespace wherry::tensorflow
