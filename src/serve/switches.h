// Options on who may ask and on what is told about requests.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "telemetry/log.h"
#include "telemetry/prediction_log.h"

namespace wherry::serve {

struct AccessOptions {
  std::filesystem::path file;  // empty: callers are not told apart
  std::string token_keys;      // file or URL; empty: no tokens
  std::string issuer;
  std::vector<std::string> audiences;
  std::chrono::seconds leeway{60};
};

struct ObserveOptions {
  telemetry::Level log_level = telemetry::Level::kInfo;
  bool triton_metrics = false;
  bool debug = false;
  std::filesystem::path authorities;  // trusted when the server itself asks others; empty: the system's
  bool log_predictions = false;
  telemetry::PredictionLogOptions predictions{.file = {}, .sample = 0.01};
  std::filesystem::path prediction_key;  // file with the key of hashes
  std::chrono::seconds drift_window{3600};
};

}  // namespace wherry::serve
