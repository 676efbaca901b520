#include "kube/client.h"

#include <algorithm>

#include "base/percent.h"
#include "base/text.h"
#include "kube/api_status.h"

namespace wherry::kube {
namespace {

using base::cat;
using base::Code;
using base::fail;
using base::percent_encode;
using base::Result;
using base::Status;
using http_client::Request;
using http_client::Response;
using std::chrono::milliseconds;
using text::Json;

constexpr std::uint64_t kMostAnswer = 64u << 20;
constexpr std::size_t kMostItems = 100'000;
constexpr text::JsonLimits kAnswerLimits{64u << 20, 128};

std::unexpected<base::Error> malformed(const Asked& asked, std::string_view problem) {
  return fail(
      Code::kUnavailable, "kube.answer_malformed",
      cat("the answer to ", asked.verb, " ", label_of(asked.object), ": ", problem, " (", asked.origin, ")"),
      "is the server address of the context that of an API server, and no proxy in between?");
}

// Worth trying again as it is: the server has done nothing and said so.
bool is_transient(const Response& answer) {
  switch (answer.status) {
    case 429:
    case 502:
    case 503:
    case 504:
      return true;
    case 500:
      return !answer.header("Retry-After").empty();
    default:
      return false;
  }
}

std::string query_of(const Selector& selector) {
  std::string query;
  if (!selector.labels.empty()) query += cat("&labelSelector=", percent_encode(selector.labels));
  if (!selector.fields.empty()) query += cat("&fieldSelector=", percent_encode(selector.fields));
  return query;
}

std::string resource_version(const Json& object) {
  const Json* metadata = text::find_object(object, "metadata");
  const std::string* version =
      metadata == nullptr ? nullptr : text::find_string(*metadata, "resourceVersion");
  return version == nullptr ? std::string() : *version;
}

}  // namespace

struct Client::State {
  Access access;
  base::Clock& clock;
  ClientOptions options;
  std::unique_ptr<http_client::Transport> transport;
  std::string certificate_in_use;

  // The transport is made anew only when the client certificate changes, so that connections are reused.
  Status prepare(const Credential& credential) {
    if (transport && credential.certificate == certificate_in_use) return {};
    http_client::TransportOptions made;
    made.tls = access.tls;
    made.tls.certificate = credential.certificate;
    made.tls.private_key = credential.private_key;
    transport = options.make_transport(std::move(made));
    certificate_in_use = credential.certificate;
    return {};
  }

  Result<Response> send_once(Request request) {
    TRY_ASSIGN(const Credential credential, access.credentials->current());
    TRY(prepare(credential));
    if (!credential.authorization.empty())
      request.headers.emplace_back("Authorization", credential.authorization);
    for (const auto& header : access.headers) request.headers.push_back(header);
    request.most_redirects = 0;
    request.cancelled = options.cancelled;
    return transport->send(request);
  }

  milliseconds wait_before(std::size_t attempt, const Result<Response>& answer) const {
    const milliseconds planned = options.waits[attempt];
    if (!answer) return planned;
    const auto seconds = base::parse_unsigned(base::trim(answer->header("Retry-After")));
    if (!seconds) return planned;
    return std::min<milliseconds>(std::chrono::seconds(std::min<std::uint64_t>(*seconds, 3600)),
                                  options.most_retry_after);
  }

  // Any answer the server gave for good. `Sink`s must not have received anything when a try is repeated: they
  // only receive bodies of 2xx answers, which are never repeated unless the connection broke before the first
  // byte.
  Result<Response> send(const Request& request) {
    bool delivered = false;
    Request attempt = request;
    if (request.sink)
      attempt.sink = [&](std::string_view piece) {
        delivered = true;
        return request.sink(piece);
      };
    bool renewed = false;
    for (std::size_t tried = 0;;) {
      Result<Response> answer = send_once(attempt);
      if (answer && answer->status == 401 && !renewed && access.credentials->forget()) {
        renewed = true;
        continue;
      }
      const bool again = answer ? is_transient(*answer)
                                : answer.error().id.starts_with("http_client.") &&
                                      answer.error().code == Code::kUnavailable &&
                                      answer.error().id != "http_client.cancelled";
      if (!again || delivered || tried == options.waits.size()) {
        if (!answer)
          return std::unexpected(unreachable(std::move(answer).error(), access.server, access.origin));
        return answer;
      }
      clock.sleep_for(wait_before(tried++, answer));
    }
  }

  Request request(std::string method, const std::string& path) const {
    Request made;
    made.method = std::move(method);
    made.url = access.server + path;
    made.headers = {{"Accept", "application/json"}};
    made.timeouts.total = options.timeout;
    made.most_response = kMostAnswer;
    return made;
  }

  Asked asked(std::string_view verb, ObjectName object) const {
    return {verb, std::move(object), access.origin};
  }

  Result<Json> json(const Request& request, const Asked& what, Response* keep = nullptr) {
    TRY_ASSIGN(Response answer, send(request));
    if (answer.status < 200 || answer.status > 299)
      return std::unexpected(error_of(parse_status(answer.status, answer.body), what));
    auto parsed = text::parse_json(answer.body, "answer", kAnswerLimits);
    if (!parsed) return malformed(what, parsed.error().message);
    if (!parsed->is_object()) return malformed(what, "not a JSON object");
    if (keep != nullptr) *keep = std::move(answer);
    return std::move(*parsed);
  }
};

Client::Client(Access access, base::Clock& clock, ClientOptions options)
    : state_(new State{std::move(access), clock, std::move(options), nullptr, {}}) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;

const Access& Client::access() const {
  return state_->access;
}

Result<Json> Client::get(const ObjectName& object) {
  return state_->json(state_->request("GET", path_of(object)), state_->asked("get", object));
}

Result<Listed> Client::list(const Kind& kind, const std::string& namespace_name, const Selector& selector) {
  const ObjectName all{&kind, namespace_name, {}};
  const Asked asked = state_->asked("list", all);
  Listed listed;
  std::string next;
  do {
    std::string path = cat(path_of(all), "?limit=500", query_of(selector));
    if (!next.empty()) path += cat("&continue=", percent_encode(next));
    TRY_ASSIGN(Json page, state_->json(state_->request("GET", path), asked));
    const Json* items = text::find_array(page, "items");
    const Json* metadata = text::find_object(page, "metadata");
    if ((items == nullptr && page.contains("items") && !page["items"].is_null()) || metadata == nullptr)
      return malformed(asked, "not a list");
    if (items != nullptr)
      for (const Json& item : *items) listed.items.push_back(item);
    if (listed.items.size() > kMostItems) return malformed(asked, "it does not end");
    listed.resource_version = resource_version(page);
    const std::string* more = text::find_string(*metadata, "continue");
    if (more != nullptr && *more == next && !next.empty()) return malformed(asked, "it repeats itself");
    next = more == nullptr ? std::string() : *more;
  } while (!next.empty());
  return listed;
}

Result<Applied> Client::apply(const Json& object, const ApplyOptions& options) {
  TRY_ASSIGN(const ObjectName name, name_of(object));
  Request request =
      state_->request("PATCH", cat(path_of(name), "?fieldManager=", percent_encode(options.manager),
                                   options.force ? "&force=true" : "&force=false", "&fieldValidation=Strict",
                                   options.dry_run ? "&dryRun=All" : ""));
  request.headers.emplace_back("Content-Type", "application/apply-patch+yaml");
  request.body = text::write_json(object);  // JSON is YAML
  Response answer;
  Applied applied;
  TRY_ASSIGN(applied.object, state_->json(request, state_->asked("patch", name), &answer));
  applied.created = answer.status == 201;
  applied.warnings = warnings_of(answer.headers);
  return applied;
}

Status Client::remove(const ObjectName& object) {
  Request request = state_->request("DELETE", cat(path_of(object), "?propagationPolicy=Background"));
  TRY(state_->json(request, state_->asked("delete", object)));
  return {};
}

Result<WatchEnd> Client::watch(const Kind& kind, const std::string& namespace_name, const Selector& selector,
                               const std::string& version, std::chrono::seconds time,
                               const std::function<Result<bool>(const WatchEvent&)>& on_event) {
  const ObjectName all{&kind, namespace_name, {}};
  const Asked asked = state_->asked("watch", all);
  bool gone = false;
  http_client::LineSplitter lines([&](std::string_view line) -> Result<bool> {
    if (base::trim(line).empty()) return true;
    auto event = text::parse_json(line, "watch event", kAnswerLimits);
    if (!event) return malformed(asked, event.error().message);
    const std::string* type = text::find_string(*event, "type");
    const Json* object = text::find_object(*event, "object");
    if (type == nullptr || object == nullptr) return malformed(asked, "not a watch event");
    if (*type == "ERROR") {
      const ApiStatus status = parse_status(500, text::write_json(*object));
      if (status.code != 410) return std::unexpected(error_of(status, asked));
      gone = true;
      return false;
    }
    if (*type == "BOOKMARK") return true;
    return on_event(WatchEvent{*type, *object, resource_version(*object)});
  });
  Request request = state_->request(
      "GET", cat(path_of(all), "?watch=true&allowWatchBookmarks=true&resourceVersion=",
                 percent_encode(version), "&timeoutSeconds=", time.count(), query_of(selector)));
  request.timeouts.total = time + std::chrono::seconds(30);
  request.timeouts.idle = request.timeouts.total;
  request.sink = std::ref(lines);
  TRY_ASSIGN(const Response answer, state_->send(request));
  if (answer.status == 410 || gone) return WatchEnd::kGone;
  if (answer.status < 200 || answer.status > 299)
    return std::unexpected(error_of(parse_status(answer.status, answer.body), asked));
  return answer.stopped ? WatchEnd::kStopped : WatchEnd::kEnded;
}

Result<std::string> Client::raw(const std::string& path, const ObjectName& about, std::uint64_t most_bytes) {
  Request request = state_->request("GET", path);
  request.headers = {{"Accept", "*/*"}};
  request.most_response = most_bytes;
  TRY_ASSIGN(Response answer, state_->send(request));
  if (answer.status < 200 || answer.status > 299)
    return std::unexpected(error_of(parse_status(answer.status, answer.body), state_->asked("get", about)));
  return std::move(answer.body);
}

Result<int> server_minor_version(Client& client) {
  const ObjectName about{&kinds::kNamespace, {}, {}};
  TRY_ASSIGN(const std::string body, client.raw("/version", about));
  const auto parsed = text::parse_json(body, "/version");
  const std::string* minor = parsed ? text::find_string(*parsed, "minor") : nullptr;
  // Clouds append a "+": "29+".
  std::string_view digits = minor == nullptr ? std::string_view{} : *minor;
  digits = digits.substr(0, digits.find_first_not_of("0123456789"));
  const auto number = base::parse_unsigned(digits);
  if (!number || *number > 10'000)
    return fail(Code::kUnavailable, "kube.answer_malformed",
                cat("/version of ", client.access().server, " is not that of an API server"),
                "is the server address of the context that of an API server, and no proxy in between?");
  return static_cast<int>(*number);
}

Result<std::vector<std::string>> log_tail(Client& client, const ObjectName& pod, const std::string& container,
                                          bool previous, int lines) {
  constexpr std::size_t kMostLine = 400;
  TRY_ASSIGN(const std::string text,
             client.raw(cat(path_of(pod), "/log?container=", percent_encode(container), "&tailLines=", lines,
                            "&limitBytes=65536", previous ? "&previous=true" : ""),
                        pod));
  std::vector<std::string> result;
  for (std::string_view line : base::split(text, '\n'))
    if (line = base::trim(line); !line.empty()) result.emplace_back(line.substr(0, kMostLine));
  return result;
}

Result<ObjectName> name_of(const Json& object) {
  const Kind* kind = find_kind(object);
  const std::string* word = text::find_string(object, "kind");
  if (kind == nullptr)
    return fail(Code::kUnsupported, "kube.kind_unsupported",
                cat("objects of kind ", base::quoted(word == nullptr ? "" : *word), " are not known"),
                "apply them with kubectl");
  const Json* metadata = text::find_object(object, "metadata");
  TRY_ASSIGN(std::string name,
             text::require_string(metadata == nullptr ? object : *metadata, "name", kind->kind));
  const std::string* space = metadata == nullptr ? nullptr : text::find_string(*metadata, "namespace");
  return ObjectName{kind, space == nullptr ? std::string() : *space, std::move(name)};
}

}  // namespace wherry::kube
