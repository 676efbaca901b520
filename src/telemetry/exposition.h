// Metrics as text: Prometheus' exposition format 0.0.4, or OpenMetrics 1.0, as the scraper asks for.
//
// Thread-safety: one thread per Exposition.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/counter.h"

namespace wherry::telemetry {

enum class Format : std::uint8_t { kText, kOpenMetrics };

// By the Accept header and its weights (RFC 9110 section 12.5.1); text when nothing decides.
Format negotiate(std::string_view accept);
std::string_view content_type(Format format);  // static storage

// kOldCounter: a counter whose name does not end in _total, which OpenMetrics does not know: there "unknown".
enum class Type : std::uint8_t { kCounter, kOldCounter, kGauge, kHistogram };

struct Label {
  std::string_view name, value;
};

class Exposition {
 public:
  explicit Exposition(Format format) : format_(format) {}

  // Begins a family, whose samples follow at once. `name` without "_total". `unit` ("seconds", "bytes") where
  // the name ends in it.
  void family(std::string_view name, Type type, std::string_view help, std::string_view unit = {});
  void sample(std::span<const Label> labels, double value);
  void sample(std::span<const Label> labels, std::uint64_t value);
  void sample(std::initializer_list<Label> labels, double value) { sample(std::span(labels), value); }
  void sample(std::initializer_list<Label> labels, std::uint64_t value) { sample(std::span(labels), value); }

  // Of a family of kHistogram. `buckets` not cumulative, one more than bounds; all divided by `scale`.
  struct Buckets {
    std::span<const std::uint64_t> bounds, counts;
    std::uint64_t sum = 0;
    double scale = 1;
    std::span<const std::optional<Exemplar>> exemplars = {};  // empty, or one per bucket
  };
  void histogram(std::span<const Label> labels, const Buckets& buckets);

  Format format() const { return format_; }
  std::string finish();  // everything; the object must not be used afterwards

 private:
  void line(std::string_view suffix, std::span<const Label> labels, std::string_view bound, auto value);
  void end_line() { out_ += '\n'; }

  Format format_;
  std::string name_;
  Type type_ = Type::kGauge;
  std::string out_;
};

}  // namespace wherry::telemetry
