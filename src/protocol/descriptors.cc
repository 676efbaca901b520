#include "protocol/descriptors.h"

namespace wherry::protocol {
namespace {

constexpr protobuf::ProtoFile kFiles[] = {
#include "protocol/descriptors.inc"
};

}  // namespace

std::span<const protobuf::ProtoFile> proto_files() {
  return kFiles;
}

}  // namespace wherry::protocol
