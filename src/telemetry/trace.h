// W3C trace context (www.w3.org/TR/trace-context-1), and which requests are traced.
//
// Thread-safety: values and pure functions; an Ids per thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace wherry::telemetry {

// One request's place in its trace.
struct TraceContext {
  std::uint64_t trace_high = 0, trace_low = 0;
  std::uint64_t span = 0;    // our own
  std::uint64_t parent = 0;  // the caller's; 0: we begin the trace
  bool sampled = false;
  std::string_view state;  // tracestate, borrowed; "" when absent
};

struct Traceparent {
  std::uint64_t trace_high = 0, trace_low = 0, parent = 0;
  bool sampled = false;
};
// nullopt for anything that is not one: the trace begins here then, as the recommendation wants.
std::optional<Traceparent> parse_traceparent(std::string_view header);

// At most 512 bytes of printable ASCII with list members KEY=VALUE; anything else is dropped as a whole.
bool is_usable_tracestate(std::string_view header);

// Appends "00-…-…-01".
void append_traceparent(std::string& out, const TraceContext& context);
void append_trace_id(std::string& out, const TraceContext& context);  // 32 hexadecimal digits
void append_hex(std::string& out, std::uint64_t value);               // 16 of them

// Random numbers which are never 0. One per thread.
class Ids {
 public:
  Ids();  // seeded by the system
  explicit Ids(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();

 private:
  std::uint64_t state_;
};

// The samplers of OTEL_TRACES_SAMPLER. Immutable.
struct Sampler {
  bool parent_based = true;
  double ratio = 1;  // of traces which begin here, or of all when not parent_based
  bool samples(std::uint64_t trace_low, const Traceparent* parent) const;
};
// "always_on", "always_off", "traceidratio", and these with "parentbased_"; nullopt for others. `argument`
// only for ratios: nullopt unless it is a number from 0 to 1 (or empty: 1).
std::optional<Sampler> find_sampler(std::string_view name, std::string_view argument);

// The context of a request that came with these headers ("" when absent).
TraceContext begin_trace(std::string_view traceparent, std::string_view tracestate, const Sampler& sampler,
                         Ids& ids);

}  // namespace wherry::telemetry
