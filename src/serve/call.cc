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

// A segment of the path as it is meant; `decoded` keeps it where it has escapes. "" for a malformed escape,
// which is no name.
std::string_view plain(std::string_view segment, std::string& decoded) {
  if (segment.find('%') == segment.npos) return segment;
  decoded = http::percent_decode(segment).value_or("");
  return decoded;
}

// Why a model that is known is not there to answer.
const Model* not_ready(Call& call, const repository::VersionStatus& status) {
  std::string message = cat("model ", base::quoted(status.name), " version ", status.version,
                            " is not ready: ", repository::name(status.state));
  if (!status.reason.empty()) message += cat(" (", status.reason, ")");
  return unavailable(call, std::move(message));
}

const Model* no_such_model(Call& call, std::string_view name) {
  const auto* only = call.models.only();
  call.response.set_error(404, only == nullptr ? cat("there is no model ", base::quoted(name), " here")
                                               : cat("there is no model ", base::quoted(name),
                                                     " here; this is ", base::quoted(only->name)));
  return nullptr;
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
  telemetry::ModelThread& metrics = ended.metrics->of_thread(thread.number);
  (ended.succeeded ? metrics.succeeded : metrics.failed).add(1);
  metrics.finished.add(1);
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

const Model* named_model(Call& call) {
  std::string decoded_name, decoded_version;
  const std::string_view name = plain(call.match.model(), decoded_name);
  const std::string_view version = plain(call.match.version(), decoded_version);
  const auto* model = call.models.find(name);
  if (model == nullptr) {
    if (const auto* status = call.models.status(name, version)) return not_ready(call, *status);
    if (!call.service.loaded()) return unavailable(call, "the model is still being loaded and checked");
    return no_such_model(call, name);
  }
  if (call.match.version().empty()) return model->newest().get();  // "%00" is a version too, which nobody has
  if (const auto* found = model->find(version)) return found->get();
  if (const auto* status = version.empty() ? nullptr : call.models.status(name, version))
    return not_ready(call, *status);
  const std::vector<std::string> versions = model->version_names();
  call.response.set_error(404, cat("model ", base::quoted(model->name), " has no version ",
                                   base::quoted(version), "; it has ", base::join(versions, ", ")));
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
