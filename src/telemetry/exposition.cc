#include "telemetry/exposition.h"

#include <charconv>
#include <cmath>

#include "telemetry/trace.h"

#include "base/text.h"

namespace wherry::telemetry {

using base::cat;

namespace {

constexpr std::string_view kTypeNames[] = {"counter", "counter", "gauge", "histogram"};
constexpr std::string_view kOpenTypeNames[] = {"counter", "unknown", "gauge", "histogram"};

// \, " and newline, as both formats want label values (and OpenMetrics help texts).
void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

void append_number(std::string& out, std::uint64_t value) {
  out += cat(value);
}
void append_number(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value < 0 ? "-Inf" : "+Inf";
  } else {
    out += cat(value);
  }
}

// OpenMetrics wants a bound to look like a float: "1.0".
std::string bound_text(double bound, Format format) {
  char digits[32];  // as Go and Python write it: "0.0001", "5e-05"
  std::string text(digits,
                   std::to_chars(digits, digits + sizeof digits, bound, std::chars_format::general).ptr);
  if (format == Format::kOpenMetrics && text.find_first_of(".e") == text.npos) text += ".0";
  return text;
}

// "q=0.5" among the parameters of one media range, in thousandths; 1000 when absent or malformed.
int weight_of(std::string_view range) {
  for (const std::string_view part : base::split(range, ';')) {
    const std::string_view parameter = base::trim(part);
    if (!parameter.starts_with("q=")) continue;
    double weight = 1;
    std::from_chars(parameter.data() + 2, parameter.data() + parameter.size(), weight);
    return static_cast<int>(std::min(std::max(weight, 0.0), 1.0) * 1000);
  }
  return 1000;
}

}  // namespace

Format negotiate(std::string_view accept) {
  int open = 0, text = 0;
  for (const std::string_view part : base::split(accept, ',')) {
    const std::string_view range = base::trim(part);
    const std::string_view type = base::trim(range.substr(0, range.find(';')));
    if (type == "application/openmetrics-text") open = std::max(open, weight_of(range));
    if (type == "text/plain") text = std::max(text, weight_of(range));
  }
  return open > 0 && open >= text ? Format::kOpenMetrics : Format::kText;
}

std::string_view content_type(Format format) {
  return format == Format::kOpenMetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                        : "text/plain; version=0.0.4; charset=utf-8";
}

void Exposition::family(std::string_view name, Type type, std::string_view help, std::string_view unit) {
  name_ = name;
  type_ = type;
  const bool open = format_ == Format::kOpenMetrics;
  const std::string_view suffix = type == Type::kCounter && !open ? "_total" : "";
  out_ += cat("# HELP ", name, suffix, " ");
  append_escaped(out_, help);
  out_ += cat("\n# TYPE ", name, suffix, " ",
              (open ? kOpenTypeNames : kTypeNames)[static_cast<std::size_t>(type)], "\n");
  if (open && !unit.empty()) out_ += cat("# UNIT ", name, " ", unit, "\n");
}

void Exposition::line(std::string_view suffix, std::span<const Label> labels, std::string_view bound,
                      auto value) {
  out_ += name_;
  out_ += suffix;
  char separator = '{';
  for (const Label& label : labels) {
    out_ += separator;
    separator = ',';
    out_ += label.name;
    out_ += "=\"";
    append_escaped(out_, label.value);
    out_ += '"';
  }
  if (!bound.empty()) {
    out_ += cat(separator, "le=\"", bound, "\"");
    separator = ',';
  }
  out_ += separator == '{' ? " " : "} ";
  append_number(out_, value);
}

void Exposition::sample(std::span<const Label> labels, double value) {
  line(type_ == Type::kCounter ? "_total" : "", labels, "", value);
  end_line();
}

void Exposition::sample(std::span<const Label> labels, std::uint64_t value) {
  line(type_ == Type::kCounter ? "_total" : "", labels, "", value);
  end_line();
}

void Exposition::histogram(std::span<const Label> labels, const Buckets& buckets) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < buckets.counts.size(); ++i) {
    count += buckets.counts[i];
    const std::string bound =
        i < buckets.bounds.size()
            ? bound_text(static_cast<double>(buckets.bounds[i]) / buckets.scale, format_)
            : "+Inf";
    line("_bucket", labels, bound, count);
    if (format_ == Format::kOpenMetrics && i < buckets.exemplars.size() && buckets.exemplars[i]) {
      const Exemplar& exemplar = *buckets.exemplars[i];
      out_ += " # {trace_id=\"";
      append_hex(out_, exemplar.trace_high);
      append_hex(out_, exemplar.trace_low);
      out_ += "\",span_id=\"";
      append_hex(out_, exemplar.span);
      out_ += cat("\"} ", static_cast<double>(exemplar.value) / buckets.scale, " ",
                  exemplar.milliseconds / 1000, ".", cat(1000 + exemplar.milliseconds % 1000).substr(1));
    }
    end_line();
  }
  line("_sum", labels, "", static_cast<double>(buckets.sum) / buckets.scale);
  end_line();
  line("_count", labels, "", count);
  end_line();
}

std::string Exposition::finish() {
  if (format_ == Format::kOpenMetrics) out_ += "# EOF\n";
  return std::move(out_);
}

}  // namespace wherry::telemetry
