// The descriptors of .proto files, as gRPC's server reflection hands them out
// (google/protobuf/descriptor.proto).
//
// Thread-safety: pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::protobuf {

struct ProtoFile {
  std::string_view name;        // "grpc/health/v1/health.proto"
  std::string_view descriptor;  // a serialised FileDescriptorProto
};

// The file which defines a message, enumeration, service or method by its full name; null when there is none.
const ProtoFile* find_symbol(std::span<const ProtoFile> files, std::string_view symbol);
const ProtoFile* find_file(std::span<const ProtoFile> files, std::string_view name);

std::vector<std::string> service_names(const ProtoFile& file);  // full names
std::vector<const ProtoFile*> imports(std::span<const ProtoFile> files, const ProtoFile& file);

}  // namespace wherry::protobuf
