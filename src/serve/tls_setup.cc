#include "serve/tls_setup.h"

#include "base/text.h"

namespace wherry::serve {

using base::cat;
using telemetry::json_member;
using telemetry::Level;

namespace {

// Kubernetes brings a changed secret into a container within about a minute; certificates are renewed days
// before their end.
constexpr std::chrono::seconds kInterval{10};

}  // namespace

base::Result<TlsSetup> open_tls(const http::TlsOptions& options, const telemetry::Logger& logger) {
  TlsSetup setup;
  if (options.certificate.empty()) return setup;
  TRY_ASSIGN(setup.context, http::TlsContext::load(options, base::real_files(), base::system_clock()));
  const auto report = [&logger](const http::TlsContext& context, const base::Result<bool>& refreshed) {
    if (!refreshed)
      return logger.event(Level::kError, "tls_not_reloaded",
                          cat(json_member("error", base::describe(refreshed.error())), ",",
                              json_member("hint", refreshed.error().hint)));
    const http::TlsStatus status = context.status();
    logger.event(Level::kInfo, "tls_reloaded",
                 cat(json_member("subject", status.subject), ",",
                     json_member("not_after", base::format_time(status.not_after))));
  };
  setup.watcher = std::make_unique<http::TlsWatcher>(std::vector{setup.context}, kInterval, report);
  return setup;
}

void write_tls_metrics(const http::TlsStatus& status, telemetry::Exposition& out) {
  out.family("wherry_tls_certificate_not_after_timestamp_seconds", telemetry::Type::kGauge,
             "When the server's certificate ends, in seconds since 1970.", "seconds");
  const auto end = std::chrono::duration_cast<std::chrono::seconds>(status.not_after.time_since_epoch());
  out.sample({}, static_cast<double>(end.count()));
}

}  // namespace wherry::serve
