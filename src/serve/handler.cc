// Finds the answer to each request in the table of addresses, and says afterwards what was answered.
#include <new>

#include "base/text.h"
#include "serve/call.h"

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
  void refused(const http::Refusal& refusal) override;
  void tick() override { thread_.log.flush(); }

 private:
  void answer(const Request& request, const Match& match, Response& response);
  void finish(const Request& request, const Match& match, Response& response);

  Service& service_;
  Thread thread_;
};

void ServiceHandler::handle(const Request& request, Response& response, http::Exchange&) {
  const Match match = service_.routes().find(request.path, request.method);
  answer(request, match, response);
  finish(request, match, response);
}

void ServiceHandler::answer(const Request& request, const Match& match, Response& response) {
  if (!match.row && match.allowed.empty())
    return response.set_error(404, cat("there is nothing at ", base::quoted(request.path),
                                       "; GET /v2 is the start for machines, GET / the page for people"));
  if (!match.row) {
    response.set_error(
        405, cat("method ", base::quoted(request.method), " is not allowed here; use ", match.allowed));
    return response.add_header("Allow", match.allowed);
  }
  Call call{service_, thread_, request, response, match};
  try {
    service_.routes().rows()[*match.row].answer(call);
  } catch (const std::bad_alloc&) {  // of a request within its limits, but too large for this machine now
    response.clear();
    response.set_error(503, "there is not enough memory for this request; send fewer rows");
  }
}

void ServiceHandler::finish(const Request& request, const Match& match, Response& response) {
  std::string_view id = usable_request_id(request.header("X-Request-Id"));
  if (id.empty()) id = thread_.ids.next();
  response.add_header("X-Request-Id", id);
  response.add_header("X-Content-Type-Options", "nosniff");
  count_status(match.row ? thread_.metrics.requests[*match.row] : thread_.metrics.unknown, response.status);
  if (service_.access_log())
    thread_.log.write({id,
                       request.method,
                       request.path,
                       response.status,
                       response.body.size(),
                       steady_clock::now() - request.received,
                       {}},
                      system_clock::now());
}

void ServiceHandler::refused(const http::Refusal& refusal) {
  count_status(thread_.metrics.refused, refusal.status);
  thread_.log.write({thread_.ids.next(), "", "", refusal.status, refusal.bytes, {}, refusal.reason},
                    system_clock::now());
}

}  // namespace

std::unique_ptr<http::Handler> make_handler(Service& service, unsigned thread) {
  return std::make_unique<ServiceHandler>(service, thread);
}

}  // namespace wherry::serve
