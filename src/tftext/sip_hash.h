// SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012), which TensorFlow's
// StringToHashBucketStrong takes the bucket from.
//
// Thread-safety: a pure function.
#pragma once

#include <cstdint>
#include <string_view>

namespace wherry::tftext {

// key_0 is the key's first eight bytes, read as a little-endian number; key_1 the other eight.
std::uint64_t sip_hash(std::uint64_t key_0, std::uint64_t key_1, std::string_view text);

}  // namespace wherry::tftext
