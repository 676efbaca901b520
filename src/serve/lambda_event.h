// What AWS Lambda hands a function, as a request, and the answer as Lambda wants it back: events of API
// Gateway (HTTP API payload 2.0, REST API payload 1.0), of function URLs (2.0) and of load balancers
// (as 1.0), and plain events, which are bodies of POST /invocations.
//
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "http/message.h"

namespace wherry::serve {

enum class LambdaEventKind : unsigned char {
  kPlain,
  kGateway1,      // payload 1.0: httpMethod, path
  kLoadBalancer,  // the same; the answer has a status text, and many-valued headers if the request has
  kGateway2,      // payload 2.0: requestContext.http
};

// Owns its texts.
struct LambdaEvent {
  LambdaEventKind kind = LambdaEventKind::kPlain;
  std::string method, path, query, body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string source;        // the caller's address; "" when not said
  bool many_values = false;  // kLoadBalancer: headers came as lists

  // First value, name compared without case; "" when absent.
  std::string_view header(std::string_view name) const;
};

// Errors: "text.json_syntax", "text.json_limit"; "serve.bad_event" for an event which looks like one of a
// gateway and is not whole.
base::Result<LambdaEvent> read_lambda_event(std::string_view event);

// The answer to an event: a gateway's JSON with status, headers and body (in base64 unless it is text), or,
// for a plain event, the body itself.
std::string lambda_answer(const LambdaEvent& event, const http::Response& response);

// {"errorMessage", "errorType", "stackTrace": []}: how a function says that it failed.
std::string lambda_error(std::string_view type, std::string_view message);

}  // namespace wherry::serve
