// traceparent and tracestate of any bytes: what is accepted is written as it was read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "telemetry/exposition.h"
#include "telemetry/trace.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry::telemetry;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)is_usable_tracestate(text);
  (void)negotiate(text);
  const auto parent = parse_traceparent(text);
  if (!parent) return 0;
  const TraceContext context{parent->trace_high, parent->trace_low, parent->parent, 0, parent->sampled, {}};
  std::string written;
  append_traceparent(written, context);
  if (written.substr(2, 51) != text.substr(2, 51)) std::abort();
  return 0;
}
