// Error ids of module protobuf, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::protobuf {

inline constexpr base::ErrorId kErrorIds[] = {
    {"protobuf.malformed",
     "A message is not in the protocol buffer wire format: it ends early, has a number longer than ten "
     "bytes, "
     "or a field of a kind which proto3 does not have, at the offset named."},
};

}  // namespace wherry::protobuf
