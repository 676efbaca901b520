// AWS Lambda's runtime interface: instead of listening, the server asks for events and sends answers
// (docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).
#pragma once

#include <atomic>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "http/fetch.h"
#include "http/in_process.h"

namespace wherry::serve {

// Answers events through `service`, one after the other, until `stop` is set: then success. `api` is
// host:port, as AWS_LAMBDA_RUNTIME_API says it. An event's deadline, by `clock`, is that of its request. An
// event that cannot be read, and a plain event which the service refuses, is reported as the function's
// error, and the next one asked for. Errors: those of Fetcher::fetch, when the runtime cannot be reached, and
// "serve.lambda_refused" when it refuses what is sent.
base::Status run_lambda(http::Fetcher& fetcher, std::string_view api, http::InProcess& service,
                        base::Clock& clock, const std::atomic<bool>& stop);

// Tells the runtime that the function cannot start, and why.
base::Status report_lambda_init_error(http::Fetcher& fetcher, std::string_view api, const base::Error& error);

}  // namespace wherry::serve
