// Finds the answer to each request in the table of addresses, and says afterwards what was answered.
#include <new>
#include <tuple>
#include <unordered_map>

#include "base/text.h"
#include "serve/grpc.h"

namespace wherry::serve {

using base::cat;
using http::Request;
using http::Response;
using std::chrono::steady_clock;
using std::chrono::system_clock;

namespace {

class ServiceHandler : public http::Handler {
 public:
  ServiceHandler(Service& service, unsigned thread) : service_(service), thread_(service, thread) {}

  void handle(const Request& request, Response& response, http::Exchange& exchange) override;
  std::unique_ptr<http::StreamHandler> stream(const Request& head, http::Stream& stream) override;
  void answered(const Request& request, Response& response, bool abandoned) override;
  void refusing(const Request& head, Response& refusal) override { end_call_with_http_status(head, refusal); }
  void refused(const http::Refusal& refusal) override;
  void tick() override {
    thread_.log.flush();
    service_.tick(steady_clock::now());
  }

 private:
  void answer(Call& call);
  bool admits(Call& call, const RouteRow& row);
  // What every answer gets, and what is counted and told of it.
  void finish(const Request& request, Response& response, const Match& match, Observed& observed,
              std::string_view identity);

  // What is known of a request that is answered later.
  struct Kept {
    std::shared_ptr<Observed> observed;
    std::string identity;
  };

  Service& service_;
  Thread thread_;
  std::unordered_map<const Request*, Kept> kept_;
};

void ServiceHandler::handle(const Request& request, Response& response, http::Exchange& exchange) {
  const Match match = service_.routes().find(request.path, request.method);
  Observed observed = begin_observing(service_, request, thread_.span_ids);
  const auto models = service_.catalog().pin(thread_.number);
  thread_.admission.leave();
  Call call{service_, thread_, request, response, match, observed, *models, &exchange, nullptr, nullptr};
  if (!answer_preflight(service_.cors(), request, response)) answer(call);
  const auth::Identity* identity = thread_.admission.identity();
  const std::string_view name = identity == nullptr ? std::string_view() : std::string_view(identity->name);
  if (call.kept)
    kept_[call.kept_request] = {std::move(call.kept), std::string(name)};
  else
    finish(request, response, match, observed, name);
}

void ServiceHandler::answered(const Request& request, Response& response, bool) {
  const auto found = kept_.find(&request);
  if (found == kept_.end()) return;
  const Kept kept = std::move(found->second);
  kept_.erase(found);
  count_later(thread_, *kept.observed);
  finish(request, response, service_.routes().find(request.path, request.method), *kept.observed,
         kept.identity);
}

void ServiceHandler::answer(Call& call) {
  const auto& [request, response, match] = std::tie(call.request, call.response, call.match);
  if (!match.row && match.allowed.empty())
    return response.set_error(404, cat("there is nothing at ", base::quoted(request.path),
                                       "; GET /v2 is the start for machines, GET / the page for people"));
  if (!match.row) {
    response.set_error(
        405, cat("method ", base::quoted(request.method), " is not allowed here; use ", match.allowed));
    return response.add_header("Allow", match.allowed);
  }
  const RouteRow& row = service_.routes().rows()[*match.row];
  if (!admits(call, row)) return;
  try {
    row.answer(call);
  } catch (const std::bad_alloc&) {  // of a request within its limits, but too large for this machine now
    response.clear();
    response.set_error(503, "there is not enough memory for this request; send fewer rows");
  }
}

// The model's name is decoded first, as it is for serving: "fr%61ud" is no way around a permission.
bool ServiceHandler::admits(Call& call, const RouteRow& row) {
  if (row.permission == Permission::kNothing || row.admits_itself || !thread_.admission.is_on()) return true;
  if (!thread_.admission.enter(call.request, call.response)) return false;
  const std::string_view segment = call.match.model();
  if (!segment.empty()) {
    const auto decoded = http::percent_decode(segment);
    return thread_.admission.permit(row.permission, decoded ? std::string_view(*decoded) : segment,
                                    call.response);
  }
  const auto* only = call.models.only();
  if (row.permission == Permission::kPredict && only != nullptr)
    return thread_.admission.permit(row.permission, only->name, call.response);
  return thread_.admission.permit(row.permission, std::nullopt, call.response);
}

void ServiceHandler::finish(const Request& request, Response& response, const Match& match,
                            Observed& observed, std::string_view identity) {
  end_call_with_http_status(request, response);
  std::string_view id = telemetry::usable_request_id(request.header("X-Request-Id"));
  if (id.empty()) id = thread_.ids.next();
  response.add_header("X-Request-Id", id);
  response.add_header("X-Content-Type-Options", "nosniff");
  if (request.method != "OPTIONS") allow_origin(service_.cors(), request, response);
  telemetry::count_status(match.row ? thread_.metrics.requests[*match.row] : thread_.metrics.unknown,
                          response.status);
  const auto& trace = observed.trace;
  if (thread_.log.enabled()) {
    thread_.log.write({id,
                       request.method,
                       request.path,
                       response.status,
                       response.body.size(),
                       steady_clock::now() - request.received,
                       {},
                       trace ? trace->trace_high : 0,
                       trace ? trace->trace_low : 0,
                       identity},
                      system_clock::now());
  }
  end_observing(service_, match.row ? &service_.routes().rows()[*match.row] : nullptr, request,
                response.status, observed);
}

std::unique_ptr<http::StreamHandler> ServiceHandler::stream(const Request& head, http::Stream& stream) {
  const Match match = service_.routes().find(head.path, head.method);
  if (!match.row || !rpc::is_grpc(head)) return nullptr;
  const RouteRow& row = service_.routes().rows()[*match.row];
  if (row.stream == nullptr) return nullptr;
  Response refusal;
  Observed observed;
  const auto models = service_.catalog().pin(thread_.number);
  Call call{service_, thread_, head, refusal, match, observed, *models, nullptr, nullptr, nullptr};
  if (!admits(call, row)) {
    finish(head, refusal, match, observed, {});
    return refuse_stream(stream, refusal);
  }
  telemetry::count_status(thread_.metrics.requests[*match.row], 200);
  return row.stream({service_, thread_, head, match}, stream);
}

void ServiceHandler::refused(const http::Refusal& refusal) {
  telemetry::count_status(thread_.metrics.refused, refusal.status);
  thread_.log.write({thread_.ids.next(), "", "", refusal.status, refusal.bytes, {}, refusal.reason},
                    system_clock::now());
}

}  // namespace

std::unique_ptr<http::Handler> make_handler(Service& service, unsigned thread) {
  return std::make_unique<ServiceHandler>(service, thread);
}

}  // namespace wherry::serve
