#include "serve/answers.h"
#include "serve/call.h"

namespace wherry::serve {

namespace {

void metrics(Call& call) {
  const telemetry::Format format = telemetry::negotiate(call.request.header("Accept"));
  call.response.content_type = telemetry::content_type(format);
  call.response.add_header("Vary", "Accept");
  call.response.body = call.service.metrics().render({.format = format,
                                                      .triton_names = call.service.extras().triton_names,
                                                      .server_version = WHERRY_VERSION,
                                                      .ready = call.service.ready()});
}

constexpr RouteRow kRows[] = {
    {"metrics", "/metrics", "GET", Permission::kMetrics, metrics},
};

}  // namespace

std::span<const RouteRow> metrics_rows() {
  return kRows;
}

}  // namespace wherry::serve
