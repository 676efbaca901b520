// What the API server says when it refuses: meta/v1 Status, turned into an Error which says what to do.
//
// Thread-safety: pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http_client/transport.h"

#include "base/error.h"
#include "kube/kinds.h"

namespace wherry::kube {

struct StatusCause {
  std::string reason;   // "FieldValueInvalid", "FieldManagerConflict"
  std::string field;    // ".spec.replicas"
  std::string message;  // for a conflict it names the other manager
};

struct ApiStatus {
  int code = 0;
  std::string reason;  // "Forbidden", "Conflict", …; "" when the server gave none
  std::string message;
  std::string details_kind;  // resource the server speaks of, e.g. "namespaces"
  std::string details_name;
  std::vector<StatusCause> causes;
};

// What was asked, for messages.
struct Asked {
  std::string_view verb;  // as in RBAC: "get", "list", "watch", "patch", "delete"
  ObjectName object;
  std::string_view origin;  // Access::origin
};

// Reads a Status from an answer's body. When there is none (a proxy's page, plain text) `reason` stays empty
// and `message` is the start of the text.
ApiStatus parse_status(int http_status, std::string_view body);

// The Error for a refused request. Ids: kube.{credentials_expired, forbidden, admission_refused, conflict,
// object_invalid, namespace_missing, object_missing, kind_unsupported, history_gone, answer_malformed,
// server_failed}.
base::Error error_of(const ApiStatus& status, const Asked& asked);

// The fields in conflict with their managers: "spec.replicas (kube-controller-manager)".
std::vector<std::string> conflicting_fields(const ApiStatus& status);

// The texts of all Warning headers (RFC 7234 section 5.5, code 299), in order, without doubles.
std::vector<std::string> warnings_of(const http_client::Headers& headers);

// A failure to talk to the server at all, in terms of cluster and context: "kube.unreachable" or "kube.tls";
// other errors are passed on.
base::Error unreachable(base::Error error, std::string_view server, std::string_view origin);

}  // namespace wherry::kube
