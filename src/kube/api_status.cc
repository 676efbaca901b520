#include "kube/api_status.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "text/json.h"

namespace wherry::kube {
namespace {

using base::cat;
using base::Code;
using base::Error;
using text::Json;

constexpr std::size_t kMostMessage = 1200;  // of the server's own words in one error

std::string string_member(const Json& object, std::string_view key) {
  const std::string* found = text::find_string(object, key);
  return found == nullptr ? std::string() : *found;
}

// The server's words as one line: line breaks and control characters become spaces.
std::string one_line(std::string_view words) {
  std::string out;
  for (char c : words.substr(0, kMostMessage)) {
    const bool space = static_cast<unsigned char>(c) <= ' ';
    if (space && (out.empty() || out.back() == ' ')) continue;
    out += space ? ' ' : c;
  }
  while (out.ends_with(' ') || out.ends_with('.')) out.pop_back();
  if (words.size() > kMostMessage) out += " …";
  return out;
}

// The text between the double quotes which follow `before`: names in the server's fixed sentences.
std::string quoted_after(std::string_view message, std::string_view before) {
  const auto at = message.find(before);
  if (at == std::string_view::npos) return {};
  const auto open = at + before.size();
  const auto close = message.find('"', open);
  return close == std::string_view::npos ? std::string() : std::string(message.substr(open, close - open));
}

// `deployments.apps "web" is forbidden: User "u" cannot patch resource "deployments" in API group "apps" in
// the namespace "ns"` (apiserver authorization filter). Empty verb: not that sentence.
struct Denial {
  std::string user, verb, resource, group, namespace_name;
};

Denial parse_denial(std::string_view message) {
  Denial denial;
  denial.user = quoted_after(message, "User \"");
  denial.resource = quoted_after(message, " resource \"");
  denial.group = quoted_after(message, " in API group \"");
  denial.namespace_name = quoted_after(message, " in the namespace \"");
  const auto cannot = message.find(" cannot ");
  const auto resource = message.find(" resource \"");
  if (cannot != std::string_view::npos && resource != std::string_view::npos && resource > cannot + 8)
    denial.verb = message.substr(cannot + 8, resource - cannot - 8);
  return denial;
}

Error forbidden(const ApiStatus& status, const Asked& asked) {
  const Denial denial = parse_denial(status.message);
  if (denial.verb.empty()) {
    std::string hint = "change what the rule names, or ask those who run the cluster";
    if (status.message.find("exceeded quota") != std::string::npos)
      hint = "ask for less, raise the ResourceQuota, or remove something from the namespace";
    else if (status.message.find("is being terminated") != std::string::npos)
      hint = "wait until the namespace is gone, then deploy again";
    else if (status.message.find("violates PodSecurity") != std::string::npos)
      hint = "the namespace enforces Pod Security; 'wherry render' output passes its level restricted";
    return {Code::kDenied,
            "kube.admission_refused",
            cat(label_of(asked.object), " was refused: ", one_line(status.message)),
            hint,
            {}};
  }
  // Server-side apply of a new object is authorised as patch and as create.
  const std::string verbs =
      denial.verb == "patch" || denial.verb == "create" ? "get\", \"create\", \"patch" : denial.verb;
  const bool wide = denial.namespace_name.empty();
  return {
      Code::kDenied,
      "kube.forbidden",
      cat(denial.user.empty() ? std::string("this identity") : denial.user, " may not ", denial.verb, " ",
          denial.resource, wide ? "" : cat(" in namespace ", denial.namespace_name), " (", asked.origin, ")"),
      cat("grant it a ", wide ? "ClusterRole" : "Role", " with the rule {apiGroups: [\"", denial.group,
          "\"], resources: [\"", denial.resource, "\"], verbs: [\"", verbs, "\"]}"),
      {}};
}

Error conflict(const ApiStatus& status, const Asked& asked) {
  const std::vector<std::string> fields = conflicting_fields(status);
  if (fields.empty())
    return {Code::kUnavailable,
            "kube.conflict",
            cat(label_of(asked.object), ": ", one_line(status.message)),
            "try again",
            {}};
  return {Code::kDenied,
          "kube.conflict",
          cat(label_of(asked.object), ": others own ", base::join(fields, ", ")),
          "leave these fields to them, or take them over with --force",
          {}};
}

Error invalid(const ApiStatus& status, const Asked& asked) {
  std::vector<std::string> parts;
  for (const StatusCause& cause : status.causes)
    parts.push_back(cause.field.empty() ? one_line(cause.message)
                                        : cat(cause.field, ": ", one_line(cause.message)));
  std::string what = parts.empty() ? one_line(status.message) : base::join(parts, "; ");
  return {Code::kInvalidInput,
          "kube.object_invalid",
          cat(label_of(asked.object), " was refused as invalid: ", std::move(what)),
          "correct the fields named",
          {}};
}

Error not_found(const ApiStatus& status, const Asked& asked) {
  if (status.details_kind == "namespaces")
    return {Code::kNotFound,
            "kube.namespace_missing",
            cat("namespace ", base::quoted(status.details_name), " does not exist (", asked.origin, ")"),
            cat("create it with --create-namespace or 'kubectl create namespace ", status.details_name, "'"),
            {}};
  if (status.reason.empty())
    return {
        Code::kUnsupported,
        "kube.kind_unsupported",
        cat("the cluster does not serve ", asked.object.kind->plural, " of ", asked.object.kind->api_version),
        "install the CRD it belongs to, or use a newer cluster",
        {}};
  return {Code::kNotFound,
          "kube.object_missing",
          cat(label_of(asked.object), " does not exist (", asked.origin, ")"),
          "check the name, --namespace and --context",
          {}};
}

Error unauthorized(const ApiStatus&, const Asked& asked) {
  return {Code::kDenied,
          "kube.credentials_expired",
          cat("the API server refused the credentials of ", asked.origin),
          "they are wrong or have expired: log in again, or choose another context with --context",
          {}};
}

Error gone(const ApiStatus& status, const Asked& asked) {
  return {Code::kUnavailable,
          "kube.history_gone",
          cat(label_of(asked.object), ": ", one_line(status.message)),
          "list again",
          {}};
}

struct StatusRow {
  int code;
  Error (*make)(const ApiStatus&, const Asked&);
};
constexpr std::array<StatusRow, 7> kRows{{{400, invalid},
                                          {401, unauthorized},
                                          {403, forbidden},
                                          {404, not_found},
                                          {409, conflict},
                                          {410, gone},
                                          {422, invalid}}};

}  // namespace

ApiStatus parse_status(int http_status, std::string_view body) {
  ApiStatus status;
  status.code = http_status;
  const auto parsed = text::parse_json(body, "the API server's answer", {8u << 20, 64});
  if (!parsed || string_member(*parsed, "kind") != "Status") {
    status.message = one_line(body.substr(0, 200));
    return status;
  }
  status.reason = string_member(*parsed, "reason");
  status.message = string_member(*parsed, "message");
  if (const auto code = text::find_integer(*parsed, "code"); code && *code >= 100 && *code <= 599)
    status.code = static_cast<int>(*code);
  // apiserver leaves `reason` out of some of its own failures; the marker tells them from a proxy's.
  if (status.reason.empty()) status.reason = "Unknown";
  const Json* details = text::find_object(*parsed, "details");
  if (details == nullptr) return status;
  status.details_kind = string_member(*details, "kind");
  status.details_name = string_member(*details, "name");
  if (const Json* causes = text::find_array(*details, "causes"))
    for (const Json& cause : *causes)
      status.causes.push_back(
          {string_member(cause, "reason"), string_member(cause, "field"), string_member(cause, "message")});
  return status;
}

Error error_of(const ApiStatus& status, const Asked& asked) {
  // A field unknown to the schema fails server-side apply with 500 and no reason (structured-merge-diff).
  if (status.message.find("failed to create typed patch object") != std::string::npos)
    return invalid(status, asked);
  const bool ours = !status.reason.empty();
  for (const StatusRow& row : kRows)
    if (row.code == status.code && (ours || row.code == 401 || row.code == 404))
      return row.make(status, asked);
  if (!ours && status.code < 500)
    return {Code::kUnavailable,
            "kube.answer_malformed",
            cat("status ", status.code, " without a Kubernetes Status: ", base::quoted(status.message), " (",
                asked.origin, ")"),
            "is the server address of the context that of an API server, and no proxy in between?",
            {}};
  return {Code::kUnavailable,
          "kube.server_failed",
          cat("cannot ", asked.verb, " ", label_of(asked.object), ": the API server answered ", status.code,
              " ", status.reason, ": ", one_line(status.message)),
          "try again; if it stays so, look at the cluster's control plane",
          {}};
}

std::vector<std::string> conflicting_fields(const ApiStatus& status) {
  std::vector<std::string> fields;
  for (const StatusCause& cause : status.causes) {
    if (cause.reason != "FieldManagerConflict") continue;
    const std::string manager = quoted_after(cause.message, "conflict with \"");
    std::string field = cause.field.starts_with('.') ? cause.field.substr(1) : cause.field;
    fields.push_back(manager.empty() ? field : cat(field, " (", manager, ")"));
  }
  return fields;
}

std::vector<std::string> warnings_of(const http_client::Headers& headers) {
  std::vector<std::string> warnings;
  for (const auto& [name, value] : headers) {
    if (base::to_lower(name) != "warning") continue;
    const auto open = value.find('"');
    if (!value.starts_with("299") || open == std::string::npos) continue;
    std::string text;
    for (std::size_t i = open + 1; i < value.size() && value[i] != '"'; ++i) {
      if (value[i] == '\\' && i + 1 < value.size()) ++i;
      text += value[i];
    }
    text = one_line(text);
    if (std::ranges::find(warnings, text) == warnings.end()) warnings.push_back(std::move(text));
  }
  return warnings;
}

Error unreachable(Error error, std::string_view server, std::string_view origin) {
  if (!error.id.starts_with("http_client.") || error.id == "http_client.cancelled" ||
      error.id == "http_client.too_large")
    return error;
  const bool tls = error.id.starts_with("http_client.tls");
  return {tls ? Code::kDenied : Code::kUnavailable, tls ? "kube.tls" : "kube.unreachable",
          cat("cannot reach the API server ", server, ": ", error.message, " (", origin, ")"),
          tls ? "check certificate-authority and tls-server-name in the kubeconfig, or fetch it again"
              : "is the cluster running and the network open to it? --context chooses another one",
          std::move(error.context)};
}

}  // namespace wherry::kube
