#include "cli/cmd_serve.h"

#include <memory>

#include "app/image.h"
#include "base/text.h"
#include "cli/model_options.h"
#include "cli/places.h"
#include "cli/running_server.h"

namespace wherry::cli {
namespace {

using base::cat;

struct ServeOptions {
  ModelOptions model;
  std::string host = "127.0.0.1";
  std::int64_t port = 8080;
  std::int64_t threads = 0;
  std::vector<std::string> further;
};

base::Result<int> serve(const ServeOptions& options, Context& context) {
  TRY_ASSIGN(const app::Model model, load(options.model, context));
  ServerRequest request{.bundle = {}, .host = options.host, .port = options.port, .further = {}};
  TRY_ASSIGN(request.bundle, app::cached_bundle(model, cache_folder(), context.files));
  if (options.threads > 0) request.further = {"--threads", cat(options.threads)};
  request.further.insert(request.further.end(), options.further.begin(), options.further.end());
  TRY_ASSIGN(base::Child server, start_server(request, context));
  context.terminal.note(cat("serving ", model.bundle.name, " at ", address(request), " (Ctrl-C ends it)"));
  return wait_for_end(std::move(server));
}

}  // namespace

Action define_serve(Options& options) {
  auto given = std::make_shared<ServeOptions>();
  define_service_options(options, given->model);
  options.text("--host", "ADDRESS", given->host, "address to listen on; 0.0.0.0 for every interface")
      .number("--port,-p", "PORT", given->port, "port to listen on", 1, 65535)
      .number("--threads", "COUNT", given->threads,
              "threads; 0: as many as the machine or container has CPUs", 0, 1024)
      .positionals("SERVER_OPTIONS", given->further,
                   "behind --: further options, as `wherry-server --help` lists them");
  return [given](Context& context) { return serve(*given, context); };
}

}  // namespace wherry::cli
