#include "serve/call.h"

#include "base/text.h"

namespace wherry::serve {

using base::cat;

namespace {

const Model* unavailable(Call& call, std::string message) {
  call.response.set_error(503, message);
  call.response.add_header("Retry-After", "1");
  return nullptr;
}

// A segment of the path as it is meant; `decoded` keeps it where it has escapes. One with a malformed escape
// stays as it is: no model and no version has such a name.
std::string_view plain(std::string_view segment, std::string& decoded) {
  if (segment.find('%') == segment.npos) return segment;
  auto text = http::percent_decode(segment);
  if (!text) return segment;
  decoded = std::move(*text);
  return decoded;
}

}  // namespace

http::Later Call::later() {
  http::Later right = exchange->later();
  kept = std::make_shared<Observed>(std::move(observed));
  kept_request = &right.request();
  return right;
}

void count_later(Thread& thread, const Observed& observed) {
  const Observed::Prediction& ended = observed.prediction;
  if (!ended.metrics) return;
  ended.metrics->of_thread(thread.number).ended(ended.succeeded);
  if (ended.rejection) thread.metrics.reject(*ended.rejection);
}

int status_of(const base::Error& error) {
  if (error.id == "schedule.queue_full") return 429;
  if (error.id == "schedule.deadline") return 504;
  return base::http_status(error.code);
}

void set_error(http::Response& response, const base::Error& error) {
  std::string text = base::describe(error);
  if (!error.hint.empty()) text += cat("; ", error.hint);
  response.set_error(status_of(error), text);
}

const Model* only_model(Call& call) {
  if (const auto* model = call.models.only()) return model->newest().get();
  if (!call.service.loaded()) return unavailable(call, "the model is still being loaded and checked");
  if (call.models.models.empty()) return unavailable(call, "no model is loaded");
  call.response.set_error(404, cat("there are ", call.models.models.size(),
                                   " models here; name one: POST /v2/models/NAME/infer"));
  return nullptr;
}

base::Result<const Model*> find_model(const Call& call, std::string_view name, std::string_view version) {
  const auto* model = call.models.find(name);
  if (model != nullptr && version.empty()) return model->newest().get();
  if (model != nullptr)
    if (const auto* found = model->find(version)) return found->get();
  if (const auto* status = call.models.status(name, version))
    return base::fail(base::Code::kUnavailable, "serve.not_ready",
                      cat("model ", base::quoted(name), " version ", status->version,
                          " is not ready: ", repository::name(status->state),
                          status->reason.empty() ? "" : cat(" (", status->reason, ")")),
                      "ask again soon");
  if (!call.service.loaded())
    return base::fail(base::Code::kUnavailable, "serve.not_ready",
                      "the model is still being loaded and checked", "ask again soon");
  if (model == nullptr)
    return base::fail(
        base::Code::kNotFound, "serve.no_model", cat("there is no model ", base::quoted(name), " here"),
        call.models.only() == nullptr ? "the index of the repository says which there are"
                                      : cat("this is ", base::quoted(call.models.only()->name)));
  return base::fail(base::Code::kNotFound, "serve.no_model",
                    cat("model ", base::quoted(name), " has no version ", base::quoted(version)),
                    cat("it has ", base::join(model->version_names(), ", ")));
}

const Model* named_model(Call& call) {
  std::string name, version;
  const auto found = find_model(call, plain(call.match.model(), name), plain(call.match.version(), version));
  if (found) return *found;
  set_error(call.response, found.error());
  if (found.error().code == base::Code::kUnavailable) call.response.add_header("Retry-After", "1");
  return nullptr;
}

std::optional<protocol::MediaType> body_type(Call& call) {
  const http::Request& request = call.request;
  const std::string_view type = request.header("Content-Type");
  const auto media = protocol::media_type(type);
  if (!media)
    call.response.set_error(415,
                            cat("Content-Type ", base::quoted(type),
                                " is not understood; send application/json, or text/csv to /invocations"));
  return media;
}

}  // namespace wherry::serve
