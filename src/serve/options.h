// The command line and environment of wherry-server.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "repository/repository.h"

#include "base/error.h"
#include "http/tls.h"
#include "serve/contract.h"
#include "serve/cors.h"
#include "serve/switches.h"

namespace wherry::serve {

enum class Action : std::uint8_t { kServe, kHelp, kVersion, kMakeKey };

struct Options {
  Action action = Action::kServe;
  std::filesystem::path bundle = "/model";  // where images have it
  std::string host;                        // 127.0.0.1 when a bundle is named, 0.0.0.0 as in images otherwise
  std::uint16_t port = 8080;               // 0: any free one
  std::optional<std::uint16_t> grpc_port;  // one more, with everything there as well
  std::string socket;                      // path of a socket file to listen on as well; "" for none
  unsigned socket_mode = 0660;
  bool port_given = false;
  Contract contract;
  unsigned threads = 0;  // 0: available_cpus()
  std::size_t most_body = 64u << 20;
  bool access_log = true;
  AccessOptions access;
  ObserveOptions observe;
  CorsOptions cors;
  std::string key_name;                                               // of kMakeKey
  http::TlsOptions tls;                                               // no certificate: plain HTTP
  std::filesystem::path repository;                                   // instead of `bundle`
  std::vector<std::pair<std::string, std::filesystem::path>> models;  // the same
  repository::Control control = repository::Control::kNone;
  std::chrono::milliseconds poll_interval{15'000};
  std::vector<std::string> load;
  std::uint64_t model_memory = 0;
  repository::Settings settings;  // of models which have none of their own
  unsigned workers = 0;           // 0: schedule::workers_for(available_cpus())
  std::chrono::milliseconds drain_delay{0};
  std::chrono::milliseconds grace{25'000};
};

using Environment = std::function<std::optional<std::string>(std::string_view name)>;

// `arguments` without the program's name. Flags win over the environment, and that over defaults. Flags may
// be written "--port 80" or "--port=80"; an argument "serve" is ignored, as SageMaker starts images with it.
// Errors: "serve.bad_option" (kUsage).
base::Result<Options> parse_options(std::span<const std::string_view> arguments,
                                    const Environment& environment);

std::string help_text();

}  // namespace wherry::serve
