// grpc.health.v1.Health (https://github.com/grpc/grpc/blob/master/doc/health-checking.md) without its
// transport.
//
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "rpc/status.h"

namespace wherry::rpc {

enum class Health : std::uint8_t { kUnknown = 0, kServing = 1, kNotServing = 2, kServiceUnknown = 3 };

struct ServiceHealth {
  std::string_view service;  // "" is the server as a whole
  Health health = Health::kUnknown;
};

// The service a HealthCheckRequest asks for; INVALID_ARGUMENT when it is malformed.
Result<std::string_view> read_health_request(std::string_view message);

void write_health(Health health, std::string& out);                                 // HealthCheckResponse
void write_health_list(std::span<const ServiceHealth> services, std::string& out);  // HealthListResponse

}  // namespace wherry::rpc
