// grpc.reflection.v1 and v1alpha (https://github.com/grpc/grpc/blob/master/doc/server-reflection.md) without
// their transport: both have the same messages.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protobuf/descriptors.h"

namespace wherry::rpc {

// The files of health and reflection themselves.
std::span<const protobuf::ProtoFile> own_proto_files();

// What a server offers. Immutable once made; read from any thread.
class Reflection {
 public:
  explicit Reflection(std::span<const std::span<const protobuf::ProtoFile>> files);

  // A ServerReflectionResponse to a ServerReflectionRequest; every error is one of its answers.
  void answer(std::string_view request, std::string& out) const;

 private:
  std::vector<protobuf::ProtoFile> files_;
};

}  // namespace wherry::rpc
