#include "serve/tls_setup.h"

#include "base/text.h"
#include "http/message.h"
#include "serve/access_log.h"

namespace wherry::serve {

using base::cat;

namespace {

// Kubernetes brings a changed secret into a container within about a minute; certificates are renewed days
// before their end.
constexpr std::chrono::seconds kInterval{10};

std::string json_member(std::string_view name, std::string_view value) {
  std::string out = cat("\"", name, "\":");
  http::append_json_string(out, value);
  return out;
}

}  // namespace

base::Result<TlsSetup> open_tls(const http::TlsOptions& options, int log_file) {
  TlsSetup setup;
  if (options.certificate.empty()) return setup;
  TRY_ASSIGN(setup.context, http::TlsContext::load(options, base::real_files(), base::system_clock()));
  const auto report = [log_file](const http::TlsContext& context, const base::Result<bool>& refreshed) {
    if (!refreshed)
      return log_event(log_file, "tls_not_reloaded",
                       cat(json_member("error", base::describe(refreshed.error())), ",",
                           json_member("hint", refreshed.error().hint)));
    const http::TlsStatus status = context.status();
    log_event(log_file, "tls_reloaded",
              cat(json_member("subject", status.subject), ",",
                  json_member("not_after", base::format_time(status.not_after))));
  };
  setup.watcher = std::make_unique<http::TlsWatcher>(std::vector{setup.context}, kInterval, report);
  return setup;
}

}  // namespace wherry::serve
