#include "serve/call.h"

#include "base/text.h"

namespace wherry::serve {

using base::cat;

namespace {

// The name in the address, percent-encoded or not, against the one served.
bool names(std::string_view segment, std::string_view name) {
  if (segment == name) return true;
  if (segment.find('%') == segment.npos) return false;
  const auto decoded = http::percent_decode(segment);
  return decoded && *decoded == name;
}

}  // namespace

void set_error(http::Response& response, const base::Error& error) {
  std::string text = base::describe(error);
  if (!error.hint.empty()) text += cat("; ", error.hint);
  response.set_error(base::http_status(error.code), text);
}

const Model* only_model(Call& call) {
  const Model* model = call.service.model();
  if (model == nullptr) {
    call.response.set_error(503, "the model is still being loaded and checked");
    call.response.add_header("Retry-After", "1");
  }
  return model;
}

const Model* named_model(Call& call) {
  const Model* model = only_model(call);
  if (model == nullptr) return nullptr;
  if (!names(call.match.model(), model->name)) {
    call.response.set_error(404, cat("there is no model ", base::quoted(call.match.model()),
                                     " here; this is ", base::quoted(model->name)));
    return nullptr;
  }
  const std::string_view version = call.match.version();
  if (!version.empty() && version != kModelVersion) {
    call.response.set_error(404, cat("model ", base::quoted(model->name), " has no version ",
                                     base::quoted(version), "; it has ", kModelVersion));
    return nullptr;
  }
  return model;
}

std::optional<protocol::MediaType> body_type(Call& call) {
  const http::Request& request = call.request;
  const std::string_view encoding = request.header("Content-Encoding");
  if (!encoding.empty() && !http::equal_without_case(encoding, "identity")) {
    call.response.set_error(
        415, cat("Content-Encoding ", base::quoted(encoding), " is not understood; send plain text"));
    return std::nullopt;
  }
  const std::string_view type = request.header("Content-Type");
  const auto media = protocol::media_type(type);
  if (!media)
    call.response.set_error(415,
                            cat("Content-Type ", base::quoted(type),
                                " is not understood; send application/json, or text/csv to /invocations"));
  return media;
}

}  // namespace wherry::serve
