// What operators ask and change: the log level as Triton's /v2/logging has it, and /debug.
#include "base/clock.h"
#include "base/text.h"
#include "serve/answers.h"
#include "serve/call.h"
#include "text/json.h"

namespace wherry::serve {

using base::cat;
using telemetry::Level;
using text::Json;

namespace {

// Without an access file nobody is told apart; then only this machine may change something.
bool may_manage(Call& call) {
  if (call.thread.admission.is_on()) return true;
  const std::string_view address = call.request.peer == nullptr ? "" : call.request.peer->address;
  if (address == "unix" || address == "::1" || address.starts_with("127.")) return true;
  call.response.set_error(403, "without --access, this is for callers on the server's own machine only");
  return false;
}

// Triton's extension_logging.md; wherry's levels are nested, so a higher one includes the lower ones.
void write_settings(Call& call) {
  const Level level = call.service.logger().level();
  call.response.body =
      text::write_json(Json{{"log_file", ""},
                            {"log_info", level >= Level::kInfo},
                            {"log_warning", level >= Level::kWarning},
                            {"log_error", true},
                            {"log_verbose_level", level >= Level::kDebug ? 1 : 0},
                            {"log_format", "json"},
                            {"log_level", telemetry::kLevelNames[static_cast<std::size_t>(level)]}});
}

void get_logging(Call& call) {
  if (may_manage(call)) write_settings(call);
}

base::Result<Level> wanted_level(std::string_view body, Level now) {
  TRY_ASSIGN(const Json settings, text::parse_json(body, "the body", {.bytes = 64 << 10, .depth = 4}));
  const auto bad = [](std::string_view name) {
    return base::fail(base::Code::kInvalidInput, "serve.bad_log_setting", cat(name, " cannot be that"),
                      "see docs/guides/observe.md");
  };
  if (!settings.is_object()) return bad("the body");
  bool info = now >= Level::kInfo, warning = now >= Level::kWarning;
  std::int64_t verbose = now >= Level::kDebug ? 1 : 0;
  for (const auto& [name, value] : settings.items()) {
    if (name == "log_level") {
      const auto level = value.is_string() ? telemetry::find_level(value.get<std::string>()) : std::nullopt;
      if (!level) return bad("log_level");
      return *level;
    }
    if (name == "log_info" && value.is_boolean()) {
      info = value.get<bool>();
    } else if (name == "log_warning" && value.is_boolean()) {
      warning = value.get<bool>();
    } else if (name == "log_verbose_level" && value.is_number_integer()) {
      verbose = value.get<std::int64_t>();
    } else if ((name == "log_error" && value == true) || (name == "log_file" && value == "") ||
               name == "log_format") {
      continue;  // as it is anyway
    } else {
      return bad(base::quoted(name));
    }
  }
  return verbose > 0 ? Level::kDebug : info ? Level::kInfo : warning ? Level::kWarning : Level::kError;
}

void set_logging(Call& call) {
  if (!may_manage(call)) return;
  const auto level = wanted_level(call.request.body, call.service.logger().level());
  if (!level) return set_error(call.response, level.error());
  call.service.logger().set_level(*level);
  write_settings(call);
}

Json duration(std::uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e9;
}

void debug(Call& call) {
  if (!call.service.extras().debug)
    return call.response.set_error(404, "/debug is switched off; start the server with --debug");
  if (!may_manage(call)) return;
  const auto uptime = std::chrono::steady_clock::now() - call.service.started();
  Json models = Json::array();
  for (const auto& row : call.service.metrics().totals()) {
    Json phases = Json::object();
    for (std::size_t i = 0; i < telemetry::kPhaseCount; ++i)
      phases[std::string(telemetry::kPhaseNames[i])] = {{"count", row.phase_count[i]},
                                                        {"seconds", duration(row.phase_nanoseconds[i])}};
    models.push_back({{"name", row.labels.name},
                      {"version", row.labels.version},
                      {"framework", row.labels.framework},
                      {"digest", row.labels.digest},
                      {"succeeded", row.succeeded},
                      {"failed", row.failed},
                      {"rows", row.rows},
                      {"in_flight", row.in_flight},
                      {"seconds", duration(row.total_nanoseconds)},
                      {"phases", std::move(phases)}});
  }
  Json slow = Json::array();
  for (const auto& entry : call.service.slow_requests().list())
    slow.push_back({{"time", base::format_time(entry.time)},
                    {"route", entry.route},
                    {"status", entry.status},
                    {"seconds", duration(static_cast<std::uint64_t>(entry.duration.count()))}});
  const Extras& extras = call.service.extras();
  Json document{
      {"version", WHERRY_VERSION},
      {"uptime_seconds", std::chrono::duration<double>(uptime).count()},
      {"threads", call.service.metrics().threads()},
      {"ready", call.service.ready()},
      {"log_level", telemetry::kLevelNames[static_cast<std::size_t>(call.service.logger().level())]},
      {"access", extras.authority != nullptr},
      {"traces", extras.exporter == nullptr ? Json(nullptr)
                                            : Json{{"exported", extras.exporter->exported()},
                                                   {"dropped", extras.exporter->dropped()}}},
      {"prediction_log", extras.predictions == nullptr ? Json(nullptr)
                                                       : Json{{"written", extras.predictions->written()},
                                                              {"dropped", extras.predictions->dropped()}}},
      {"models", std::move(models)},
      {"slow_requests", std::move(slow)}};
  call.response.body = text::write_json(document, 1);
}

constexpr RouteRow kRows[] = {
    {"logging", "/v2/logging", "GET", Permission::kManage, get_logging},
    {"logging", "/v2/logging", "POST", Permission::kManage, set_logging},
    {"logging", "/v2/logging", "PUT", Permission::kManage, set_logging},
    {"debug", "/debug", "GET", Permission::kDebug, debug},
};

}  // namespace

std::span<const RouteRow> manage_rows() {
  return kRows;
}

}  // namespace wherry::serve
