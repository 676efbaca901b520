#include "cli/running_server.h"

#include "base/text.h"
#include "cli/places.h"

namespace wherry::cli {
namespace {

using base::cat;
using base::Code;
using base::fail;

constexpr int kMostPolls = 1500;  // of 10 ms and more: large models take a while to load
constexpr std::chrono::milliseconds kBetweenPolls{10};

bool answers(http_client::Transport& transport, const std::string& url, int& status) {
  http_client::Request request;
  request.url = url;
  request.timeouts.connect = std::chrono::milliseconds(1000);
  request.timeouts.idle = std::chrono::milliseconds(2000);
  const auto response = transport.send(request);
  if (response) status = response->status;
  return response.has_value();
}

}  // namespace

std::string address(const ServerRequest& request) {
  const bool everywhere = request.host == "0.0.0.0" || request.host == "::";
  return cat("http://", everywhere ? "127.0.0.1" : request.host, ":", request.port);
}

base::Result<base::Child> start_server(const ServerRequest& request, Context& context) {
  TRY_ASSIGN(const std::filesystem::path server, server_binary());
  const auto transport = context.make_transport({});
  const std::string ready = cat(address(request), "/v2/health/ready");
  int status = 0;
  if (answers(*transport, ready, status))
    return fail(Code::kUnavailable, "cli.port_taken",
                cat("something answers at ", address(request), " already"),
                "end it, or choose another port with --port");
  std::vector<std::string> arguments{server.string(), request.bundle.string(), "--host", request.host,
                                     "--port",        cat(request.port)};
  arguments.insert(arguments.end(), request.further.begin(), request.further.end());
  TRY_ASSIGN(base::Child child, base::Child::start(arguments));
  for (int poll = 0; poll < kMostPolls; ++poll) {
    if (answers(*transport, ready, status) && status == 200) {
      child.keep_signals();
      return child;
    }
    if (const auto ended = child.poll())
      return fail(Code::kUnavailable, "cli.server_failed",
                  cat("the server ended with status ", *ended, " before it was ready"),
                  "its own words stand above; is the port taken? choose another with --port");
    context.clock.sleep_for(kBetweenPolls);
  }
  return fail(Code::kUnavailable, "cli.server_failed", "the server did not become ready",
              "its own words stand above");
}

int wait_for_end(base::Child server) {
  return server.wait();
}

}  // namespace wherry::cli
