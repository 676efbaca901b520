#include "rpc/health.h"

#include "protobuf/wire.h"

#include "base/text.h"

namespace wherry::rpc {

using protobuf::Field;
using protobuf::key;
using protobuf::Reader;
using protobuf::WireType;
using protobuf::Writer;

Result<std::string_view> read_health_request(std::string_view message) {
  std::string_view service;
  Reader reader(message);
  for (Field field; reader.next(field);)
    if (field.key() == key(1, WireType::kBytes)) service = field.bytes;
  if (const auto status = reader.status("the request"); !status)
    return std::unexpected(status_of(status.error()));
  if (!base::is_valid_utf8(service))
    return std::unexpected(Status{Code::kInvalidArgument, "the service's name is not valid UTF-8"});
  return service;
}

void write_health(Health health, std::string& out) {
  Writer(out).varint_unless_zero(1, static_cast<std::uint64_t>(health));
}

void write_health_list(std::span<const ServiceHealth> services, std::string& out) {
  Writer writer(out);
  for (const ServiceHealth& row : services) {
    const std::size_t entry = writer.begin(1);
    writer.text_unless_empty(1, row.service);
    const std::size_t value = writer.begin(2);
    write_health(row.health, out);
    writer.end(value);
    writer.end(entry);
  }
}

}  // namespace wherry::rpc
