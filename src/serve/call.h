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

// One request on its I/O thread. Answer functions fill in `response`, or take later() and answer through
// that; everything is borrowed until they return, the models too.
struct Call {
  Service& service;
  Thread& thread;
  const http::Request& request;
  http::Response& response;
  const Match& match;
  Observed& observed;
  const Snapshot& models;
  http::Exchange* exchange = nullptr;  // null: the answer must be made at once

  // What is noted of a request answered later; `observed` is moved there.
  std::shared_ptr<Observed> kept;
  const http::Request* kept_request = nullptr;  // as Handler::answered() will be given it

  // At most once; `exchange` is there.
  http::Later later();
};

// A stream whose head has come, on its I/O thread. Service and thread outlive it, the head does not.
struct StreamCall {
  Service& service;
  Thread& thread;
  const http::Request& head;
  const Match& match;
};

// The HTTP status of an error: 429 for a full queue, 504 for a deadline, else that of its code.
int status_of(const base::Error& error);

// Counts how the prediction of a request answered later ended; on the I/O thread it belongs to.
void count_later(Thread& thread, const Observed& observed);

// status, message and hint of an error as {"error": …}.
void set_error(http::Response& response, const base::Error& error);

// The newest version of the only model, where a request cannot name one; null: the response says why.
const Model* only_model(Call& call);

// The model and version, or the newest one where that is empty. Errors: "serve.no_model", "serve.not_ready".
base::Result<const Model*> find_model(const Call& call, std::string_view name, std::string_view version);

// The model and version which the path names, or the newest one; null: the response says 404 or 503.
const Model* named_model(Call& call);

// Whether Content-Type and the headers around it are understood; else the response says 415.
std::optional<protocol::MediaType> body_type(Call& call);

}  // namespace wherry::serve
