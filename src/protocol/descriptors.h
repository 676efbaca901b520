// The .proto files of module protocol, for server reflection.
#pragma once

#include <span>

#include "protobuf/descriptors.h"

namespace wherry::protocol {

std::span<const protobuf::ProtoFile> proto_files();

}  // namespace wherry::protocol
