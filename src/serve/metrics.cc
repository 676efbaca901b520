#include "serve/metrics.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <sstream>
#include <unistd.h>

#include "base/text.h"

namespace wherry::serve {

using base::cat;

namespace {

// \, " and newline, as the exposition format wants label values.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

void head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out += cat("# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n");
}

void sample(std::string& out, std::string_view name, std::string_view labels, auto value) {
  out += cat(name, labels.empty() ? "" : "{", labels, labels.empty() ? "" : "}", " ", value, "\n");
}

using Threads = std::vector<std::unique_ptr<ThreadMetrics>>;

void histogram(std::string& out, std::string_view name, const std::string& labels, const Threads& threads,
               const std::function<const Histogram&(const ThreadMetrics&)>& of) {
  std::uint64_t count = 0, nanoseconds = 0;
  for (std::size_t i = 0; i <= Histogram::kBounds.size(); ++i) {
    for (const auto& thread : threads) count += of(*thread).buckets[i].value();
    const std::string bound =
        i < Histogram::kBounds.size() ? cat(static_cast<double>(Histogram::kBounds[i]) / 1e6) : "+Inf";
    sample(out, cat(name, "_bucket"), cat(labels, ",le=\"", bound, "\""), count);
  }
  for (const auto& thread : threads) nanoseconds += of(*thread).nanoseconds.value();
  sample(out, cat(name, "_sum"), labels, static_cast<double>(nanoseconds) / 1e9);
  sample(out, cat(name, "_count"), labels, count);
}

// Fields of /proc/self/stat behind the command name, which may contain anything; [0] is the state.
std::vector<std::string> process_stat() {
  std::ifstream file("/proc/self/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::istringstream rest(text.substr(std::min(text.rfind(')') + 2, text.size())));
  return {std::istream_iterator<std::string>(rest), {}};
}

double boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;)
    if (word == "btime") {
      double seconds = 0;
      file >> seconds;
      return seconds;
    }
  return 0;
}

// The names and meanings of prometheus.io/docs/instrumenting/writing_clientlibs (process metrics).
void process_metrics(std::string& out) {
  const std::vector<std::string> stat = process_stat();
  constexpr std::size_t kUserTicks = 11, kSystemTicks = 12, kStartTicks = 19, kResidentPages = 21;
  if (stat.size() <= kResidentPages) return;
  const auto number = [&](std::size_t i) {
    return static_cast<double>(base::parse_unsigned(stat[i]).value_or(0));
  };
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  head(out, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.");
  sample(
      out, "process_resident_memory_bytes", "",
      static_cast<std::uint64_t>(number(kResidentPages)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)));
  head(out, "process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.");
  sample(out, "process_start_time_seconds", "", boot_time() + number(kStartTicks) / ticks);
  head(out, "process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.");
  sample(out, "process_cpu_seconds_total", "", (number(kUserTicks) + number(kSystemTicks)) / ticks);
}

constexpr std::string_view kPhaseNames[kPhaseCount] = {"decode", "compute", "encode"};

}  // namespace

void Histogram::observe(std::chrono::nanoseconds duration) {
  const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
  std::size_t bucket = 0;
  while (bucket < kBounds.size() && count > kBounds[bucket] * 1000) ++bucket;
  buckets[bucket].add(1);
  nanoseconds.add(count);
}

void count_status(StatusCounters& counters, int status) {
  const auto found = std::ranges::find(kStatuses, status);
  const std::size_t column =
      found == kStatuses.end() ? kStatuses.size() - 1 : static_cast<std::size_t>(found - kStatuses.begin());
  counters[column].add(1);
}

Metrics::Metrics(unsigned threads, const Routes& routes) : routes_(routes) {
  for (unsigned i = 0; i < threads; ++i)
    threads_.push_back(std::make_unique<ThreadMetrics>(routes.rows().size()));
}

void Metrics::render_requests(std::string& out) const {
  head(out, "wherry_http_requests_total", "counter", "Answered requests by route and status.");
  std::map<std::string_view, std::array<std::uint64_t, kStatuses.size()>> sums;  // rows may share a name
  for (const auto& thread : threads_) {
    const auto add = [&](std::string_view name, const StatusCounters& counters) {
      for (std::size_t i = 0; i < counters.size(); ++i) sums[name][i] += counters[i].value();
    };
    for (std::size_t row = 0; row < thread->requests.size(); ++row)
      add(routes_.rows()[row].name, thread->requests[row]);
    add("unknown", thread->unknown);
    add("refused", thread->refused);
  }
  for (const auto& [name, counts] : sums)
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] == 0) continue;
      const std::string code = kStatuses[i] == 0 ? "other" : std::to_string(kStatuses[i]);
      sample(out, "wherry_http_requests_total", cat("route=\"", name, "\",code=\"", code, "\""), counts[i]);
    }
}

std::string Metrics::render(const ModelLabels& model, bool ready, std::string_view version) const {
  std::string out;
  const std::string label = cat("model=\"", escaped(model.name), "\"");
  render_requests(out);

  head(out, "wherry_request_duration_seconds", "histogram",
       "Time from the first byte of a prediction request to its answer.");
  histogram(out, "wherry_request_duration_seconds", label, threads_,
            [](const ThreadMetrics& thread) -> const Histogram& { return thread.total; });
  head(out, "wherry_phase_duration_seconds", "histogram", "Time of one phase of a prediction.");
  for (std::size_t phase = 0; phase < kPhaseCount; ++phase)
    histogram(out, "wherry_phase_duration_seconds", cat(label, ",phase=\"", kPhaseNames[phase], "\""),
              threads_,
              [phase](const ThreadMetrics& thread) -> const Histogram& { return thread.phases[phase]; });

  std::uint64_t rows = 0, in_flight = 0;
  for (const auto& thread : threads_) {
    rows += thread->rows.value();
    in_flight += thread->in_flight.load(std::memory_order_relaxed);
  }
  head(out, "wherry_predicted_rows_total", "counter", "Rows predicted.");
  sample(out, "wherry_predicted_rows_total", label, rows);
  head(out, "wherry_requests_in_flight", "gauge", "Predictions being worked on.");
  sample(out, "wherry_requests_in_flight", label, in_flight);
  head(out, "wherry_ready", "gauge", "1 when the model answers and its golden predictions agree.");
  sample(out, "wherry_ready", label, ready ? 1 : 0);
  head(out, "wherry_build_info", "gauge", "1; the labels say what is served.");
  sample(out, "wherry_build_info",
         cat("version=\"", version, "\",", label, ",framework=\"", escaped(model.framework),
             "\",framework_version=\"", escaped(model.framework_version), "\",digest=\"", model.digest, "\""),
         1);
  process_metrics(out);
  return out;
}

}  // namespace wherry::serve
