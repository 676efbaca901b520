// The process_* metrics which every Prometheus client library gives (prometheus.io/docs/instrumenting/
// writing_clientlibs), read from /proc.
#pragma once

#include "telemetry/exposition.h"

namespace wherry::telemetry {

void write_process_metrics(Exposition& out);

}  // namespace wherry::telemetry
