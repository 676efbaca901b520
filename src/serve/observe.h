// What is noted of one request beside its counters: its trace, and its span when it is sampled.
//
// Thread-safety: an Observed belongs to one request; the functions may run on any thread.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "telemetry/metrics.h"
#include "telemetry/span.h"
#include "telemetry/trace.h"

#include "http/message.h"
#include "serve/routes.h"

namespace wherry::serve {

class Service;

struct Observed {
  std::optional<telemetry::TraceContext> trace;  // nothing: traces are off
  std::optional<telemetry::RequestSpan> span;    // of a sampled request: predict() adds model and phases

  // How the prediction of a request answered later ended, to be counted on its I/O thread; set by predict().
  struct Prediction {
    std::shared_ptr<telemetry::ModelMetrics> metrics;  // null: the request was for none
    bool succeeded = false;
    std::optional<telemetry::Rejection> rejection;
  } prediction;

  // For exemplars: null unless there is a trace.
  const telemetry::TraceContext* context() const { return trace ? &*trace : nullptr; }
};

// Begins or goes on with the request's trace, where traces are on. Reads headers then only.
Observed begin_observing(const Service& service, const http::Request& request, telemetry::Ids& ids);

// Sends the span on its way, and notes a slow request for /debug. `row` null: there was no such address.
void end_observing(Service& service, const RouteRow* row, const http::Request& request, int status,
                   Observed& observed);

}  // namespace wherry::serve
