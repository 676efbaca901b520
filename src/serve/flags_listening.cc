#include <charconv>

#include "base/text.h"
#include "serve/flags.h"

namespace wherry::serve {

namespace {

std::string_view set_host(Options& options, std::string_view value) {
  options.host = value;
  return value.empty() ? "an IP address" : "";
}
std::string_view set_port(Options& options, std::string_view value) {
  const auto number = base::parse_unsigned(value);
  if (!number || *number > 65535) return "a port, 0 to 65535";
  options.port = static_cast<std::uint16_t>(*number);
  options.port_given = true;
  return "";
}
std::string_view set_grpc_port(Options& options, std::string_view value) {
  const auto number = base::parse_unsigned(value);
  if (!number || *number > 65535) return "a port, 0 to 65535";
  options.grpc_port = static_cast<std::uint16_t>(*number);
  return "";
}
std::string_view set_socket(Options& options, std::string_view value) {
  options.socket = value;
  return value.empty() ? "a path" : "";
}
std::string_view set_socket_mode(Options& options, std::string_view value) {
  const bool octal = !value.empty() && value.size() <= 4 && value.find_first_not_of("01234567") == value.npos;
  unsigned mode = 0;
  if (octal) std::from_chars(value.data(), value.data() + value.size(), mode, 8);
  if (!octal || mode > 0777) return "permissions such as 660";
  options.socket_mode = mode;
  return "";
}
std::string_view set_contract(Options& options, std::string_view value) {
  const auto cloud = parse_cloud(value);
  if (cloud) options.contract.cloud = *cloud;
  options.contract.given = cloud && value != "auto";
  return cloud || value == "auto" ? "" : "auto, none, sagemaker, vertex, azureml or lambda";
}
std::string_view set_threads(Options& options, std::string_view value) {
  const auto number = base::parse_unsigned(value);
  if (!number || *number > 1024) return "a number of threads, at most 1024";
  options.threads = static_cast<unsigned>(*number);
  return "";
}
std::string_view set_most_body(Options& options, std::string_view value) {
  const auto number = parse_size(value);
  if (!number || *number == 0 || *number > (std::uint64_t{4} << 30)) return "a size such as 64M, at most 4G";
  options.most_body = *number;
  return "";
}
std::string_view set_access_log(Options& options, std::string_view value) {
  const auto given = parse_switch(value);
  options.access_log = given.value_or(true);
  return given ? "" : "on or off";
}

}  // namespace

std::span<const Flag> listening_flags() {
  static const std::vector<Flag> kFlags{
      {"--host",
       "ADDRESS",
       {"WHERRY_HOST"},
       "address to listen on (127.0.0.1 when BUNDLE is given, else 0.0.0.0)",
       set_host},
      {"--port",
       "PORT",
       {"WHERRY_PORT", "PORT", "AIP_HTTP_PORT", "SAGEMAKER_BIND_TO_PORT"},
       "port to listen on (8080); 0 takes any free one",
       set_port},
      {"--grpc-port",
       "PORT",
       {"WHERRY_GRPC_PORT"},
       "a further port, for clients who expect gRPC on one of its own, such as 8001 (none: --port has gRPC "
       "too)",
       set_grpc_port},
      {"--socket",
       "PATH",
       {"WHERRY_SOCKET"},
       "socket file to listen on as well, without TLS; made at the start, removed at the end",
       set_socket},
      {"--socket-mode",
       "MODE",
       {"WHERRY_SOCKET_MODE"},
       "who may connect to the socket file (660)",
       set_socket_mode},
      {"--contract",
       "NAME",
       {"WHERRY_CONTRACT"},
       "addresses and ways of a cloud: sagemaker, vertex, azureml, lambda, none (auto: as the environment "
       "says)",
       set_contract},
      {"--threads",
       "COUNT",
       {"WHERRY_THREADS"},
       "threads (as many as the CPUs this container may use)",
       set_threads},
      {"--max-body", "SIZE", {"WHERRY_MAX_BODY"}, "largest request body (64M)", set_most_body},
      {"--access-log",
       "on|off",
       {"WHERRY_ACCESS_LOG"},
       "one JSON line per request on standard error (on)",
       set_access_log},
  };
  return kFlags;
}

}  // namespace wherry::serve
