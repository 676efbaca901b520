#include "base/text.h"
#include "serve/flags.h"

namespace wherry::serve {

namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

std::string_view set_repository(Options& options, std::string_view value) {
  options.repository = value;
  return value.empty() ? "a folder with one folder per model" : "";
}
std::string_view add_model(Options& options, std::string_view value) {
  for (const std::string_view part : base::split(value, ',')) {
    const std::size_t equals = part.find('=');
    if (equals == part.npos || !repository::is_model_name(part.substr(0, equals)) ||
        equals + 1 == part.size())
      return "NAME=FOLDER";
    options.models.emplace_back(part.substr(0, equals), part.substr(equals + 1));
  }
  return "";
}
std::string_view set_control(Options& options, std::string_view value) {
  if (value == "none")
    options.control = repository::Control::kNone;
  else if (value == "poll")
    options.control = repository::Control::kPoll;
  else if (value == "explicit")
    options.control = repository::Control::kExplicit;
  else
    return "none, poll or explicit";
  return "";
}
std::string_view set_poll_interval(Options& options, std::string_view value) {
  const auto time = parse_duration(value);
  if (!time || time->count() == 0) return "a duration such as 15s";
  options.poll_interval = *time;
  return "";
}
std::string_view add_load(Options& options, std::string_view value) {
  for (const std::string_view name : base::split(value, ',')) {
    if (name != "*" && !repository::is_model_name(name)) return "names of models, or *";
    options.load.emplace_back(name);
  }
  return "";
}
std::string_view set_versions(Options& options, std::string_view value) {
  const auto policy = repository::parse_version_policy(value);
  if (policy) options.settings.versions = *policy;
  return policy ? "" : "latest:COUNT, all, or versions such as 1,3";
}
std::string_view set_model_memory(Options& options, std::string_view value) {
  const auto size = parse_size(value);
  if (size) options.model_memory = *size;
  return size ? "" : "a size such as 2G";
}
std::string_view set_workers(Options& options, std::string_view value) {
  const auto number = base::parse_unsigned(value);
  if (!number || *number == 0 || *number > 1024) return "a number of threads from 1 to 1024";
  options.workers = static_cast<unsigned>(*number);
  return "";
}
std::string_view set_inline_time(Options& options, std::string_view value) {
  const auto time = parse_microseconds(value);
  if (time) options.settings.inline_limit = *time;
  return time ? "" : "a duration such as 50us";
}
std::string_view set_batch_size(Options& options, std::string_view value) {
  const auto number = base::parse_unsigned(value);
  if (!number || *number > 1'000'000) return "a number of rows";
  options.settings.batching.max_batch_size = std::max<std::size_t>(*number, 1);
  return "";
}
std::string_view set_queue_delay(Options& options, std::string_view value) {
  const auto time = parse_microseconds(value);
  if (time) options.settings.batching.max_queue_delay = *time;
  return time ? "" : "a duration such as 500us";
}
std::string_view set_queue_size(Options& options, std::string_view value) {
  const auto number = base::parse_unsigned(value);
  if (!number || *number > 1'000'000) return "a number of requests";
  options.settings.batching.default_queue_policy.max_queue_size = *number;
  return "";
}
std::string_view set_queue_wait(Options& options, std::string_view value) {
  const auto time = parse_duration(value);
  if (time) options.settings.batching.most_wait = *time;
  return time ? "" : "a duration such as 10s";
}

}  // namespace

std::span<const Flag> model_flags() {
  static const std::vector<Flag> kFlags{
      {"--repository",
       "FOLDER",
       {"WHERRY_REPOSITORY"},
       "serve every model of FOLDER/NAME/VERSION (instead of BUNDLE)",
       set_repository},
      {"--model",
       "NAME=FOLDER",
       {"WHERRY_MODELS"},
       "serve a bundle, or a folder of versions, under this name; may be given again",
       add_model},
      {"--model-control",
       "none|poll|explicit",
       {"WHERRY_MODEL_CONTROL"},
       "load at the start only, look at the folders again and again, or load on request (none)",
       set_control},
      {"--poll-interval",
       "TIME",
       {"WHERRY_POLL_INTERVAL"},
       "between looks at the folders (15s)",
       set_poll_interval},
      {"--load-model",
       "NAME",
       {"WHERRY_LOAD_MODELS"},
       "with explicit: load this one at the start; * is every model; may be given again",
       add_load},
      {"--versions",
       "POLICY",
       {"WHERRY_VERSIONS"},
       "versions to serve: latest:COUNT, all, or a list such as 1,3 (latest:1)",
       set_versions},
      {"--model-memory",
       "SIZE",
       {"WHERRY_MODEL_MEMORY"},
       "refuse to load models beyond this, as estimated from their files (no limit)",
       set_model_memory},
  };
  return kFlags;
}

std::span<const Flag> batching_flags() {
  static const std::vector<Flag> kFlags{
      {"--inline-time",
       "TIME",
       {"WHERRY_INLINE_TIME"},
       "requests predicted to cost at most this are computed where they arrive, without a queue (50us)",
       set_inline_time},
      {"--workers",
       "COUNT",
       {"WHERRY_WORKERS"},
       "threads for the others (as many as the CPUs this container may use, at least 2)",
       set_workers},
      {"--max-batch-size",
       "ROWS",
       {"WHERRY_MAX_BATCH_SIZE"},
       "requests which wait are computed together up to so many rows (1024)",
       set_batch_size},
      {"--queue-delay",
       "TIME",
       {"WHERRY_QUEUE_DELAY"},
       "keep a request back this long when others are expected to join it (0us)",
       set_queue_delay},
      {"--queue-size",
       "COUNT",
       {"WHERRY_QUEUE_SIZE"},
       "answer 429 when so many requests wait for a model (no limit)",
       set_queue_size},
      {"--queue-wait",
       "TIME",
       {"WHERRY_QUEUE_WAIT"},
       "answer 429 when a request would wait longer than this, as predicted (10s)",
       set_queue_wait},
  };
  return kFlags;
}

}  // namespace wherry::serve
