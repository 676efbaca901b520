#include "serve/observe.h"

#include "serve/service.h"

namespace wherry::serve {

using std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds kSlow{100};

std::string_view version_text(http::Version version) {
  switch (version) {
    case http::Version::k1_0:
      return "1.0";
    case http::Version::k1_1:
      return "1.1";
    case http::Version::k2:
      return "2";
  }
  return "1.1";
}

}  // namespace

Observed begin_observing(const Service& service, const http::Request& request, telemetry::Ids& ids) {
  Observed observed;
  const telemetry::Exporter* exporter = service.extras().exporter;
  if (exporter == nullptr) return observed;
  observed.trace = telemetry::begin_trace(request.header("traceparent"), request.header("tracestate"),
                                          exporter->sampler(), ids);
  if (!observed.trace->sampled) return observed;
  telemetry::RequestSpan& span = observed.span.emplace();
  span.trace_high = observed.trace->trace_high;
  span.trace_low = observed.trace->trace_low;
  span.id = observed.trace->span;
  span.parent = observed.trace->parent;
  span.state = observed.trace->state;
  return observed;
}

void end_observing(Service& service, const RouteRow* row, const http::Request& request, int status,
                   Observed& observed) {
  const steady_clock::time_point now = steady_clock::now();
  if (service.extras().debug && now - request.received >= kSlow)
    service.slow_requests().add({std::chrono::system_clock::now(), row == nullptr ? "unknown" : row->name,
                                 status, now - request.received});
  if (!observed.span) return;
  telemetry::RequestSpan& span = *observed.span;
  span.method = request.method;
  span.path = request.path;
  if (row != nullptr) span.route = row->pattern;
  span.protocol_version = version_text(request.version);
  if (request.peer != nullptr && request.peer->tls) span.scheme = "https";
  span.status = status;
  span.begin = request.received;
  span.end = now;
  service.extras().exporter->add(std::move(span));
  observed.span.reset();
}

}  // namespace wherry::serve
