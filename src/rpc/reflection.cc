#include "rpc/reflection.h"

#include <algorithm>

#include "protobuf/wire.h"
#include "rpc/status.h"

#include "base/text.h"

namespace wherry::rpc {
namespace {

using protobuf::Field;
using protobuf::ProtoFile;
using protobuf::Reader;
using protobuf::WireType;
using protobuf::Writer;

constexpr ProtoFile kFiles[] = {
#include "rpc/descriptors.inc"
};

// Fields of ServerReflectionRequest and ServerReflectionResponse.
enum Request : std::uint32_t {
  kByFilename = 3,
  kContainingSymbol = 4,
  kContainingExtension = 5,
  kExtensionNumbers = 6,
  kListServices = 7,
};
enum Response : std::uint32_t { kHost = 1, kOriginal = 2, kFilesFound = 4, kServices = 6, kError = 7 };

void write_error(Code code, std::string_view message, Writer& writer) {
  const std::size_t mark = writer.begin(kError);
  writer.varint(1, static_cast<std::uint64_t>(code));
  writer.bytes(2, message);
  writer.end(mark);
}

void collect(std::span<const ProtoFile> files, const ProtoFile& file, std::vector<const ProtoFile*>& found) {
  if (std::ranges::find(found, &file) != found.end()) return;
  found.push_back(&file);
  for (const ProtoFile* imported : protobuf::imports(files, file)) collect(files, *imported, found);
}

// The file and all it imports.
void write_file(std::span<const ProtoFile> files, const ProtoFile* file, std::string_view what,
                Writer& writer) {
  if (file == nullptr)
    return write_error(Code::kNotFound, base::cat("this server has no ", base::quoted(what)), writer);
  std::vector<const ProtoFile*> found;
  collect(files, *file, found);
  const std::size_t mark = writer.begin(kFilesFound);
  for (const ProtoFile* one : found) writer.bytes(1, one->descriptor);
  writer.end(mark);
}

}  // namespace

std::span<const ProtoFile> own_proto_files() {
  return kFiles;
}

Reflection::Reflection(std::span<const std::span<const ProtoFile>> files) {
  for (const auto& some : files) files_.insert(files_.end(), some.begin(), some.end());
}

void Reflection::answer(std::string_view request, std::string& out) const {
  std::string_view host;
  Field wanted;
  Reader reader(request);
  for (Field field; reader.next(field);) {
    if (field.type != WireType::kBytes) continue;
    if (field.number == 1) host = field.bytes;
    if (field.number >= kByFilename && field.number <= kListServices) wanted = field;
  }
  Writer writer(out);
  if (reader.failed() || !base::is_valid_utf8(host) ||
      (wanted.number != kContainingExtension && !base::is_valid_utf8(wanted.bytes)))
    return write_error(Code::kInvalidArgument, "the request is not a valid ServerReflectionRequest", writer);
  writer.text_unless_empty(kHost, host);
  writer.bytes(kOriginal, request);
  switch (wanted.number) {
    case kByFilename:
      return write_file(files_, protobuf::find_file(files_, wanted.bytes), wanted.bytes, writer);
    case kContainingSymbol:
      return write_file(files_, protobuf::find_symbol(files_, wanted.bytes), wanted.bytes, writer);
    case kContainingExtension:
    case kExtensionNumbers:
      return write_error(Code::kNotFound, "there are no extensions in proto3", writer);
    case kListServices: {
      const std::size_t mark = writer.begin(kServices);
      for (const ProtoFile& file : files_)
        for (const std::string& name : protobuf::service_names(file)) {
          const std::size_t service = writer.begin(1);
          writer.bytes(1, name);
          writer.end(service);
        }
      return writer.end(mark);
    }
    default:
      return write_error(Code::kUnimplemented, "this kind of request is not understood", writer);
  }
}

}  // namespace wherry::rpc
