#include "serve/answers.h"
#include "serve/call.h"

namespace wherry::serve {

namespace {

void live(Call& call) {
  call.response.body = R"({"live":true})";
}

void ready(Call& call) {
  const bool is_ready = call.service.ready();
  call.response.status = is_ready ? 200 : 503;
  call.response.body = is_ready ? R"({"live":true,"ready":true})" : R"({"live":true,"ready":false})";
}

// SageMaker's and MLflow's health checks look at the status only.
void ping(Call& call) {
  if (call.service.ready()) {
    call.response.body = R"({"status":"ok"})";
  } else {
    call.response.set_error(503, call.service.loaded() ? "the server is about to end"
                                                       : "the model is still being loaded and checked");
  }
}

void version(Call& call) {
  call.response.content_type = "text/plain; charset=utf-8";
  call.response.body = may_know_version(call.thread.admission) ? WHERRY_VERSION : "";
}

constexpr RouteRow kRows[] = {
    {"live", "/v2/health/live", "GET", Permission::kNothing, live},
    {"ready", "/v2/health/ready", "GET", Permission::kNothing, ready},
    {"ping", "/ping", "GET", Permission::kNothing, ping},
    {"health", "/health", "GET", Permission::kNothing, ping},
    {"version", "/version", "GET", Permission::kMetadata, version},
};

}  // namespace

void answer_ping(Call& call) {
  ping(call);
}

std::span<const RouteRow> health_rows() {
  return kRows;
}

}  // namespace wherry::serve
