// FarmHash's Fingerprint64 (github.com/google/farmhash, MIT licence), which TensorFlow's
// StringToHashBucketFast and Keras' Hashing layer take the bucket from.
//
// Thread-safety: a pure function.
#pragma once

#include <cstdint>
#include <string_view>

namespace wherry::tftext {

std::uint64_t fingerprint64(std::string_view text);

}  // namespace wherry::tftext
