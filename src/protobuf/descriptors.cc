#include "protobuf/descriptors.h"

#include "protobuf/wire.h"

namespace wherry::protobuf {
namespace {

// Field numbers of descriptor.proto.
constexpr std::uint32_t kFileName = 1, kPackage = 2, kDependency = 3, kMessage = 4, kEnum = 5, kService = 6;
constexpr std::uint32_t kNestedMessage = 3, kNestedEnum = 4, kMethod = 2;

std::string_view text_field(std::string_view message, std::uint32_t number) {
  Reader reader(message);
  for (Field field; reader.next(field);)
    if (field.key() == key(number, WireType::kBytes)) return field.bytes;
  return {};
}

// Takes "name" or "name." from the front of `symbol`; the rest may be empty.
bool take_name(std::string_view& symbol, std::string_view name) {
  if (!symbol.starts_with(name)) return false;
  std::string_view rest = symbol.substr(name.size());
  if (!rest.empty() && rest.front() != '.') return false;
  if (!rest.empty()) rest.remove_prefix(1);
  symbol = rest;
  return true;
}

// Whether one of the things in `field` of `message` is called `symbol`.
bool names(std::string_view message, std::uint32_t number, std::string_view symbol) {
  Reader reader(message);
  for (Field field; reader.next(field);)
    if (field.key() == key(number, WireType::kBytes) && text_field(field.bytes, kFileName) == symbol)
      return true;
  return false;
}

bool message_defines(std::string_view message, std::string_view symbol) {
  if (!take_name(symbol, text_field(message, kFileName))) return false;
  if (symbol.empty() || names(message, kNestedEnum, symbol)) return true;
  Reader reader(message);
  for (Field field; reader.next(field);)
    if (field.key() == key(kNestedMessage, WireType::kBytes) && message_defines(field.bytes, symbol))
      return true;
  return false;
}

bool defines(std::string_view file, std::string_view symbol) {
  const std::string_view package = text_field(file, kPackage);
  if (!package.empty() && !take_name(symbol, package)) return false;
  if (symbol.empty()) return false;
  Reader reader(file);
  for (Field field; reader.next(field);) {
    if (field.key() == key(kMessage, WireType::kBytes) && message_defines(field.bytes, symbol)) return true;
    if (field.key() == key(kEnum, WireType::kBytes) && text_field(field.bytes, kFileName) == symbol)
      return true;
    if (field.key() != key(kService, WireType::kBytes)) continue;
    std::string_view rest = symbol;
    if (take_name(rest, text_field(field.bytes, kFileName)) &&
        (rest.empty() || names(field.bytes, kMethod, rest)))
      return true;
  }
  return false;
}

}  // namespace

const ProtoFile* find_symbol(std::span<const ProtoFile> files, std::string_view symbol) {
  for (const ProtoFile& file : files)
    if (defines(file.descriptor, symbol)) return &file;
  return nullptr;
}

const ProtoFile* find_file(std::span<const ProtoFile> files, std::string_view name) {
  for (const ProtoFile& file : files)
    if (file.name == name) return &file;
  return nullptr;
}

std::vector<std::string> service_names(const ProtoFile& file) {
  std::vector<std::string> found;
  const std::string package(text_field(file.descriptor, kPackage));
  Reader reader(file.descriptor);
  for (Field field; reader.next(field);)
    if (field.key() == key(kService, WireType::kBytes))
      found.push_back(package + "." + std::string(text_field(field.bytes, kFileName)));
  return found;
}

std::vector<const ProtoFile*> imports(std::span<const ProtoFile> files, const ProtoFile& file) {
  std::vector<const ProtoFile*> found;
  Reader reader(file.descriptor);
  for (Field field; reader.next(field);)
    if (field.key() == key(kDependency, WireType::kBytes))
      if (const ProtoFile* imported = find_file(files, field.bytes)) found.push_back(imported);
  return found;
}

}  // namespace wherry::protobuf
