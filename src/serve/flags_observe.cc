#include <charconv>

#include "base/text.h"
#include "serve/flags.h"

namespace wherry::serve {

namespace {

constexpr std::string_view kSwitch = "on or off";

std::string_view set_level(Options& options, std::string_view value) {
  const auto level = telemetry::find_level(value);
  if (level) options.observe.log_level = *level;
  return level ? "" : "error, warning, info or debug";
}
std::string_view set_triton(Options& options, std::string_view value) {
  const auto given = parse_switch(value);
  options.observe.triton_metrics = given.value_or(false);
  return given ? "" : kSwitch;
}
std::string_view set_debug(Options& options, std::string_view value) {
  const auto given = parse_switch(value);
  options.observe.debug = given.value_or(false);
  return given ? "" : kSwitch;
}
std::string_view set_authorities(Options& options, std::string_view value) {
  options.observe.authorities = value;
  return value.empty() ? "a PEM file" : "";
}
std::string_view set_window(Options& options, std::string_view value) {
  const auto time = parse_duration(value);
  if (!time || *time < std::chrono::minutes(1)) return "a duration such as 60m, at least 1m";
  options.observe.drift_window = std::chrono::duration_cast<std::chrono::seconds>(*time);
  return "";
}
std::string_view set_log(Options& options, std::string_view value) {
  options.observe.log_predictions = value != "off";
  options.observe.predictions.file = value == "off" || value == "-" ? "" : value;
  return value.empty() ? "a file, - for standard output, or off" : "";
}
std::string_view set_sample(Options& options, std::string_view value) {
  double share = 0;
  const auto [end, problem] = std::from_chars(value.data(), value.data() + value.size(), share);
  if (problem != std::errc() || end != value.data() + value.size() || !(share >= 0 && share <= 1))
    return "a share of requests from 0 to 1";
  options.observe.predictions.sample = share;
  return "";
}
std::vector<std::string> list(std::string_view value) {
  std::vector<std::string> names;
  for (const std::string_view name : base::split(value, ','))
    if (!name.empty()) names.emplace_back(name);
  return names;
}
std::string_view set_columns(Options& options, std::string_view value) {
  options.observe.predictions.columns = list(value);
  return "";
}
std::string_view set_hashed(Options& options, std::string_view value) {
  options.observe.predictions.hashed = list(value);
  return "";
}
std::string_view set_outputs(Options& options, std::string_view value) {
  options.observe.predictions.outputs = list(value);
  return "";
}
std::string_view set_key(Options& options, std::string_view value) {
  options.observe.prediction_key = value;
  return value.empty() ? "a file" : "";
}
std::string_view set_size(Options& options, std::string_view value) {
  const auto size = parse_size(value);
  if (!size || *size < (1u << 20)) return "a size such as 100M, at least 1M";
  options.observe.predictions.most_bytes = *size;
  return "";
}
std::string_view set_files(Options& options, std::string_view value) {
  const auto number = base::parse_unsigned(value);
  if (!number || *number > 1000) return "a number of files, at most 1000";
  options.observe.predictions.files = static_cast<unsigned>(*number);
  return "";
}

}  // namespace

std::span<const Flag> observe_flags() {
  static const std::vector<Flag> kFlags{
      {"--log-level",
       "LEVEL",
       {"WHERRY_LOG_LEVEL"},
       "error, warning, info or debug (info); requests are info",
       set_level},
      {"--triton-metrics",
       "",
       {"WHERRY_TRITON_METRICS"},
       "/metrics also has Triton's names, nv_inference_…",
       set_triton},
      {"--debug", "", {"WHERRY_DEBUG"}, "/debug tells what the server is doing", set_debug},
      {"--authorities",
       "FILE",
       {"WHERRY_AUTHORITIES", "OTEL_EXPORTER_OTLP_CERTIFICATE"},
       "PEM file to trust when fetching keys and sending traces (the system's)",
       set_authorities},
      {"--drift-window",
       "TIME",
       {"WHERRY_DRIFT_WINDOW"},
       "window of the drift metrics of models with a profile (60m)",
       set_window},
      {"--prediction-log",
       "FILE|-|off",
       {"WHERRY_PREDICTION_LOG"},
       "a sample of predictions as JSON lines (off)",
       set_log},
      {"--prediction-log-sample",
       "SHARE",
       {"WHERRY_PREDICTION_LOG_SAMPLE"},
       "share of the requests (0.01)",
       set_sample},
      {"--prediction-log-columns",
       "NAME,…",
       {"WHERRY_PREDICTION_LOG_COLUMNS"},
       "columns which are written (none)",
       set_columns},
      {"--prediction-log-hash",
       "NAME,…",
       {"WHERRY_PREDICTION_LOG_HASH"},
       "columns which are written as a keyed hash (none)",
       set_hashed},
      {"--prediction-log-key",
       "FILE",
       {"WHERRY_PREDICTION_LOG_KEY"},
       "the key of these hashes, at least 16 bytes",
       set_key},
      {"--prediction-log-outputs",
       "NAME,…",
       {"WHERRY_PREDICTION_LOG_OUTPUTS"},
       "outputs which are written (all that are answered)",
       set_outputs},
      {"--prediction-log-size",
       "SIZE",
       {"WHERRY_PREDICTION_LOG_SIZE"},
       "a new file is begun at this size (100M)",
       set_size},
      {"--prediction-log-files",
       "COUNT",
       {"WHERRY_PREDICTION_LOG_FILES"},
       "older files which are kept (5)",
       set_files},
  };
  return kFlags;
}

}  // namespace wherry::serve
