// Error ids of module serve, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::serve {

inline constexpr base::ErrorId kErrorIds[] = {
    {"serve.bad_contract", "The cloud chosen with --contract is not the one whose environment this is."},
    {"serve.no_model_here", "The cloud keeps the model in its own storage, which the server does not read."},
    {"serve.bad_event",
     "An event which AWS Lambda handed over looks like one of a gateway and is not whole."},
    {"serve.lambda_refused",
     "AWS Lambda's runtime gave no event, or did not take the answer to one; the process ends and Lambda "
     "starts "
     "another."},
    {"serve.bad_option",
     "An option of wherry-server or an environment variable it reads is unknown or has a value "
     "which cannot be used."},
    {"serve.bad_log_setting",
     "A setting sent to /v2/logging is unknown or has a value which wherry's log does not take."},
    {"serve.no_model", "A request names a model or a version which this server does not have."},
    {"serve.not_ready", "A request names a model which is still being loaded, or could not be."},
    {"serve.no_service", "A health check asks for a service which this server does not have."},
    {"serve.denied", "The caller may not do this; the message says what is missing."},
    {"serve.bad_message", "A gRPC message is not framed or compressed as its headers say."},
    {"serve.load_parameter",
     "A request to load a model brings a configuration or files, which are taken from the repository only."},
    {"serve.bad_timeout", "The header X-Request-Timeout of a request is not a time."},
};

}  // namespace wherry::serve
