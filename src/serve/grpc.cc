#include "serve/grpc.h"

#include <algorithm>

#include "base/text.h"
#include "text/json.h"

namespace wherry::serve {

namespace {

constexpr std::string_view kHealthServices[] = {"", "inference.GRPCInferenceService",
                                                "grpc.health.v1.Health"};

// A stream which was ended before it began.
class RefusedStream final : public http::StreamHandler {
 public:
  void data(std::string_view) override {}
  void end() override {}
  void writable() override {}
  void expired() override {}
  void closed() override {}
};

}  // namespace

rpc::Status grpc_status(const base::Error& error) {
  rpc::Status status = rpc::status_of(error);
  if (error.id == "schedule.queue_full") status.code = rpc::Code::kResourceExhausted;
  if (error.id == "schedule.deadline") status.code = rpc::Code::kDeadlineExceeded;
  if (error.id == "schedule.abandoned") status.code = rpc::Code::kCancelled;
  return status;
}

base::Status permitted(Call& call, Permission permission, std::optional<std::string_view> model) {
  if (admitted(call, permission, model)) return {};
  return base::fail(base::Code::kDenied, "serve.denied", error_text(call.response));
}

std::unique_ptr<http::StreamHandler> refuse_stream(http::Stream& stream, const http::Response& refusal) {
  stream.finish(refusal);
  return std::make_unique<RefusedStream>();
}

std::unique_ptr<http::StreamHandler> refuse_stream(http::Stream& stream, const rpc::Status& status) {
  http::Response refusal;
  rpc::finish(refusal, status);
  return refuse_stream(stream, refusal);
}

std::span<const std::string_view> health_services() {
  return kHealthServices;
}

std::optional<rpc::Health> health_of(Service& service, std::string_view name) {
  const bool known = std::ranges::find(kHealthServices, name) != std::end(kHealthServices) ||
                     service.catalog().share()->find(name) != nullptr;
  if (!known) return std::nullopt;
  return service.ready() ? rpc::Health::kServing : rpc::Health::kNotServing;
}

std::string error_text(const http::Response& response) {
  const auto document = text::parse_json(response.body, "an answer");
  const std::string* const message = document ? text::find_string(*document, "error") : nullptr;
  return message != nullptr ? *message : std::string(http::reason_phrase(response.status));
}

void end_call_with_http_status(const http::Request& request, http::Response& response) {
  if (response.status < 400 || request.version != http::Version::k2 || !rpc::is_grpc(request)) return;
  rpc::Status status{rpc::code_of_http(response.status), error_text(response)};
  if (response.status == 404 || response.status == 405)  // methods answer for themselves
    status = {rpc::Code::kUnimplemented,
              base::cat("there is no method ", base::quoted(request.path), " here")};
  response.body.clear();
  rpc::finish(response, status);
}

rpc::Result<std::string_view> only_message(const http::Request& request, rpc::Inflater& inflater) {
  constexpr std::size_t kMost = std::size_t{1} << 31;  // the limit of bodies comes first
  const auto head = rpc::read_head(request);
  if (!head) return std::unexpected(head.error());
  const auto frame = rpc::only_frame(request.body);
  if (!frame) return std::unexpected(frame.error());
  return inflater.message(*frame, head->coding, kMost);
}

bool admitted(Call& call, Permission permission, std::optional<std::string_view> model) {
  Admission& admission = call.thread.admission;
  return !admission.is_on() ||
         (admission.enter(call.request, call.response) && admission.permit(permission, model, call.response));
}

bool is_call(Call& call) {
  if (!rpc::is_grpc(call.request)) {
    call.response.set_error(415, "this is a gRPC method; send application/grpc");
    return false;
  }
  if (call.request.version == http::Version::k2) return true;
  call.response.set_error(426, "gRPC needs HTTP/2");
  call.response.add_header("Upgrade", "h2c");
  return false;
}

void answer_unary(Call& call, Method method) {
  if (!is_call(call)) return;
  rpc::Inflater inflater;
  const auto message = only_message(call.request, inflater);
  if (!message) return rpc::finish(call.response, message.error());
  std::string& out = call.response.body;
  const std::size_t frame = rpc::begin_frame(out);
  if (const base::Status done = method(call, *message, out); !done) {
    if (call.response.status >= 400) return;  // not admitted: that says more than a code
    out.clear();
    return rpc::finish(call.response, grpc_status(done.error()));
  }
  rpc::end_frame(frame, out);
  rpc::finish(call.response, {});
}

}  // namespace wherry::serve
