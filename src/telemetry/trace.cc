#include "telemetry/trace.h"

#include <algorithm>
#include <charconv>
#include <sys/random.h>

#include "base/text.h"

namespace wherry::telemetry {

namespace {

constexpr std::size_t kMostState = 512;

// Lower-case digits only, as the recommendation wants.
std::optional<std::uint64_t> hex(std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return std::nullopt;
    value = value << 4 | static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return value;
}

}  // namespace

std::optional<Traceparent> parse_traceparent(std::string_view header) {
  constexpr std::size_t kSize = 55;
  if (header.size() < kSize || header[2] != '-' || header[35] != '-' || header[52] != '-')
    return std::nullopt;
  const auto version = hex(header.substr(0, 2)), high = hex(header.substr(3, 16)),
             low = hex(header.substr(19, 16)), parent = hex(header.substr(36, 16)),
             flags = hex(header.substr(53, 2));
  if (!version || !high || !low || !parent || !flags) return std::nullopt;
  if (*version == 0xff || (*high == 0 && *low == 0) || *parent == 0) return std::nullopt;
  // A later version may have more behind another dash.
  if (header.size() > kSize && (*version == 0 || header[kSize] != '-')) return std::nullopt;
  return Traceparent{*high, *low, *parent, (*flags & 1) != 0};
}

bool is_usable_tracestate(std::string_view header) {
  return !header.empty() && header.size() <= kMostState && header.find('=') != header.npos &&
         std::ranges::all_of(header, [](char c) { return (c >= 0x20 && c < 0x7f) || c == '\t'; });
}

void append_hex(std::string& out, std::uint64_t value) {
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[value >> shift & 15];
}

void append_trace_id(std::string& out, const TraceContext& context) {
  append_hex(out, context.trace_high);
  append_hex(out, context.trace_low);
}

void append_traceparent(std::string& out, const TraceContext& context) {
  out += "00-";
  append_trace_id(out, context);
  out += '-';
  append_hex(out, context.span);
  out += context.sampled ? "-01" : "-00";
}

Ids::Ids() : state_(static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count())) {
  std::uint64_t random = 0;
  if (::getrandom(&random, sizeof random, GRND_NONBLOCK) == sizeof random) state_ ^= random;
}

std::uint64_t Ids::next() {
  // splitmix64 (Steele, Lea, Flood 2014).
  for (;;) {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    if (z != 0) return z;
  }
}

bool Sampler::samples(std::uint64_t trace_low, const Traceparent* parent) const {
  if (parent_based && parent != nullptr) return parent->sampled;
  if (ratio >= 1) return true;
  // The 56 random bits at the end, as the SDKs' TraceIdRatioBased: every service of a trace decides alike.
  constexpr std::uint64_t kMask = (std::uint64_t{1} << 56) - 1;
  return static_cast<double>(trace_low & kMask) < ratio * static_cast<double>(kMask + 1);
}

std::optional<Sampler> find_sampler(std::string_view name, std::string_view argument) {
  constexpr std::string_view kParent = "parentbased_";
  Sampler sampler{.parent_based = name.starts_with(kParent)};
  if (sampler.parent_based) name.remove_prefix(kParent.size());
  if (name == "always_on") return sampler;
  if (name == "always_off") {
    sampler.ratio = 0;
    return sampler;
  }
  if (name != "traceidratio") return std::nullopt;
  if (argument.empty()) return sampler;
  const auto [end, problem] =
      std::from_chars(argument.data(), argument.data() + argument.size(), sampler.ratio);
  const bool is_number = problem == std::errc() && end == argument.data() + argument.size();
  return is_number && sampler.ratio >= 0 && sampler.ratio <= 1 ? std::optional(sampler) : std::nullopt;
}

TraceContext begin_trace(std::string_view traceparent, std::string_view tracestate, const Sampler& sampler,
                         Ids& ids) {
  TraceContext context;
  const auto parent = parse_traceparent(traceparent);
  if (parent) {
    context.trace_high = parent->trace_high;
    context.trace_low = parent->trace_low;
    context.parent = parent->parent;
    if (is_usable_tracestate(tracestate)) context.state = tracestate;
  } else {
    context.trace_high = ids.next();
    context.trace_low = ids.next();
  }
  context.span = ids.next();
  context.sampled = sampler.samples(context.trace_low, parent ? &*parent : nullptr);
  return context;
}

}  // namespace wherry::telemetry
