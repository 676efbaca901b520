// What an answer function gets, and what most of them begin with.
#pragma once

#include <string_view>

#include "base/error.h"
#include "http/message.h"
#include "serve/admission.h"
#include "serve/observe.h"
#include "serve/predict.h"
#include "serve/routes.h"
#include "serve/service.h"

namespace wherry::serve {

// What one I/O thread owns.
struct Thread {
  Thread(Service& service, unsigned thread_number)
      : number(thread_number),
        metrics(service.metrics().of_thread(number)),
        log(service.logger(), service.access_log()),
        admission(service.extras().authority, metrics) {}

  unsigned number;  // of its counters
  telemetry::ThreadMetrics& metrics;
  telemetry::AccessLog log;
  Admission admission;
  telemetry::RequestIds ids;
  telemetry::Ids span_ids;
  Predictor predictor;
};

// One request on its I/O thread. Answer functions fill in `response`; everything is borrowed until they
// return.
struct Call {
  Service& service;
  Thread& thread;
  const http::Request& request;
  http::Response& response;
  const Match& match;
  Observed& observed;
};

// A stream whose head has come, on its I/O thread. Service and thread outlive it, the head does not.
struct StreamCall {
  Service& service;
  Thread& thread;
  const http::Request& head;
  const Match& match;
};

// status, message and hint of an error as {"error": …}.
void set_error(http::Response& response, const base::Error& error);

// The model served where a request cannot name one; null: the response says 503.
const Model* only_model(Call& call);

// The model and version which the path names; null: the response says 404 or 503.
const Model* named_model(Call& call);

// Whether Content-Type and the headers around it are understood; else the response says 415.
std::optional<protocol::MediaType> body_type(Call& call);

}  // namespace wherry::serve
