// The server's TLS: loaded at start, watched while it runs.
#pragma once

#include <memory>

#include "telemetry/exposition.h"
#include "telemetry/log.h"

#include "http/tls.h"

namespace wherry::serve {

struct TlsSetup {
  std::shared_ptr<http::TlsContext> context;  // null: plain HTTP
  std::unique_ptr<http::TlsWatcher> watcher;
};

// What happens to the files later is logged as events "tls_reloaded" and "tls_not_reloaded".
// Errors: those of TlsContext::load.
base::Result<TlsSetup> open_tls(const http::TlsOptions& options, const telemetry::Logger& logger);

// When the certificate in use ends, for alarms before it does.
void write_tls_metrics(const http::TlsStatus& status, telemetry::Exposition& out);

}  // namespace wherry::serve
