#include "serve/lambda.h"

#include <algorithm>

#include "base/text.h"
#include "serve/lambda_event.h"
#include "text/json.h"

namespace wherry::serve {

using base::cat;
using base::Status;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t kMostEvent = 8u << 20;
// What Lambda takes back (413 beyond); the answer must say so itself, or the caller waits for the time-out.
constexpr std::size_t kMostAnswer = 6u << 20;
constexpr milliseconds kSendTime{10'000};
constexpr std::uint64_t kLastMillisecond = 253'402'300'799'999;  // of the year 9999

struct Invocation {
  std::string_view id, trace;
  std::string_view deadline;  // milliseconds since 1970, as Lambda says them
};

class Runtime {
 public:
  Runtime(http::Fetcher& fetcher, std::string_view api)
      : fetcher_(fetcher), base_(cat("http://", api, "/2018-06-01/runtime/")) {}

  // Waits for as long as there is nothing to do: Lambda freezes the process meanwhile.
  base::Result<http::FetchAnswer> next(const std::atomic<bool>& stop) {
    const std::string url = cat(base_, "invocation/next");
    return fetcher_.fetch({.url = url,
                           .headers = {},
                           .deadline = milliseconds{0},
                           .most_answer = kMostEvent,
                           .cancelled = &stop});
  }
  Status send(std::string_view path, std::string_view body, std::string_view error_type = {}) {
    const std::string url = cat(base_, path);
    http::FetchHeaders headers{{"Content-Type", "application/json"}};
    if (!error_type.empty()) headers.emplace_back("Lambda-Runtime-Function-Error-Type", error_type);
    TRY_ASSIGN(const http::FetchAnswer answer, fetcher_.fetch({.method = "POST",
                                                               .url = url,
                                                               .headers = std::move(headers),
                                                               .body = body,
                                                               .deadline = kSendTime}));
    if (answer.status / 100 == 2) return {};
    return base::fail(base::Code::kUnavailable, "serve.lambda_refused",
                      cat("Lambda's runtime refused what was sent to ", path, ": status ", answer.status,
                          ", ", base::quoted(answer.body)));
  }

 private:
  http::Fetcher& fetcher_;
  const std::string base_;
};

// "{"error": "…"}" → "…".
std::string error_text(const http::Response& response) {
  const auto json = text::parse_json(response.body, "the answer");
  const std::string* error = json ? text::find_string(*json, "error") : nullptr;
  return error != nullptr ? *error : cat("status ", response.status);
}

// "1234", what is left until then; empty for none. Lambda ends the function at its deadline, so whatever
// would take longer is given up in time for an answer that says so.
std::string time_left(std::string_view deadline, base::Clock& clock) {
  const auto end = base::parse_unsigned(deadline);
  if (!end || *end == 0 || *end > kLastMillisecond) return {};
  const auto now = std::chrono::duration_cast<milliseconds>(clock.now().time_since_epoch()).count();
  return cat(std::max<std::int64_t>(static_cast<std::int64_t>(*end) - now, 1));
}

// What a caller over HTTP would have sent, from what Lambda says beside the event.
void add_headers(const Invocation& invocation, base::Clock& clock, LambdaEvent& event) {
  const auto add = [&](std::string_view name, std::string value) {
    if (event.header(name).empty() && !value.empty()) event.headers.emplace_back(name, std::move(value));
  };
  add("X-Request-Id", std::string(invocation.id));
  add("X-Amzn-Trace-Id", std::string(invocation.trace));
  add("X-Envoy-Expected-Rq-Timeout-Ms", time_left(invocation.deadline, clock));
}

void answer_event(const LambdaEvent& event, http::InProcess& service, http::Response& response) {
  http::Peer peer;
  peer.address = event.source.empty() ? "lambda" : event.source;
  peer.tls = event.kind != LambdaEventKind::kPlain;
  std::vector<http::HeaderView> headers;
  for (const auto& [name, value] : event.headers) headers.push_back({name, value});
  http::Request request;
  request.method = event.method;
  request.path = event.path;
  request.query = event.query;
  request.body = event.body;
  request.headers = headers;
  request.received = std::chrono::steady_clock::now();
  request.peer = &peer;
  service.answer(request, response);
}

Status answer_invocation(Runtime& runtime, const Invocation& invocation, std::string_view body,
                         http::InProcess& service, base::Clock& clock) {
  const std::string address = cat("invocation/", invocation.id);
  auto event = read_lambda_event(body);
  if (!event)
    return runtime.send(cat(address, "/error"), lambda_error("BadEvent", base::describe(event.error())),
                        "Function.BadEvent");
  add_headers(invocation, clock, *event);
  http::Response response;
  answer_event(*event, service, response);
  if (event->kind == LambdaEventKind::kPlain && response.status >= 400) {
    const std::string_view type = response.status >= 500 ? "ServerError" : "BadRequest";
    return runtime.send(cat(address, "/error"), lambda_error(type, error_text(response)),
                        cat("Function.", type));
  }
  std::string answer = lambda_answer(*event, response);
  if (answer.size() > kMostAnswer) {
    const std::string why =
        "the answer is larger than the 6 MB which Lambda passes on; send fewer rows at once";
    if (event->kind == LambdaEventKind::kPlain)
      return runtime.send(cat(address, "/error"), lambda_error("AnswerTooLarge", why),
                          "Function.AnswerTooLarge");
    response.clear();
    response.set_error(413, why);
    answer = lambda_answer(*event, response);
  }
  return runtime.send(cat(address, "/response"), answer);
}

// It goes into an address.
bool is_request_id(std::string_view id) {
  return !id.empty() && id.size() <= 128 && std::ranges::all_of(id, [](char c) {
    return base::is_ascii_alphanumeric(c) || c == '-' || c == '_';
  });
}

}  // namespace

Status run_lambda(http::Fetcher& fetcher, std::string_view api, http::InProcess& service, base::Clock& clock,
                  const std::atomic<bool>& stop) {
  Runtime runtime(fetcher, api);
  while (!stop) {
    const auto next = runtime.next(stop);
    if (!next && stop) return {};
    if (!next) return std::unexpected(next.error());
    Invocation invocation{.id = next->header("Lambda-Runtime-Aws-Request-Id"),
                          .trace = next->header("Lambda-Runtime-Trace-Id"),
                          .deadline = next->header("Lambda-Runtime-Deadline-Ms")};
    if (next->status != 200 || !is_request_id(invocation.id))
      return base::fail(
          base::Code::kUnavailable, "serve.lambda_refused",
          cat("Lambda's runtime gave no event: status ", next->status, ", ", base::quoted(next->body)));
    TRY(answer_invocation(runtime, invocation, next->body, service, clock));
  }
  return {};
}

Status report_lambda_init_error(http::Fetcher& fetcher, std::string_view api, const base::Error& error) {
  std::string message = base::describe(error);
  if (!error.hint.empty()) message += cat("; ", error.hint);
  return Runtime(fetcher, api).send("init/error", lambda_error("InitError", message), "Runtime.InitError");
}

}  // namespace wherry::serve
