#include "telemetry/exporter.h"

#include <algorithm>
#include <iterator>
#include <sys/random.h>

#include "base/text.h"

namespace wherry::telemetry {

using base::cat;
using std::chrono::milliseconds;

namespace {

constexpr unsigned kMostTries = 6;       // of one batch: 1, 2, 4, 8 and 16 seconds apart
constexpr std::size_t kMostText = 1024;  // of one text in a span

// One member of "key=value,key2=value2" as OTEL_RESOURCE_ATTRIBUTES and …_HEADERS have it: W3C Baggage,
// with %XX in values.
std::string percent_decoded(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool is_clean(std::string_view text) {
  return base::is_valid_utf8(text) && std::ranges::none_of(text, [](char c) { return c >= 0 && c < 0x20; });
}

// False when a member is malformed: then the specification wants the whole value dropped.
bool read_pairs(std::string_view text, Attributes& out) {
  for (const std::string_view part : base::split(text, ',')) {
    const std::string_view pair = base::trim(part);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    if (equals == pair.npos || equals == 0) return false;
    std::string name = percent_decoded(base::trim(pair.substr(0, equals)));
    std::string value = percent_decoded(base::trim(pair.substr(equals + 1)));
    if (!is_clean(name) || !is_clean(value)) return false;
    out.emplace_back(std::move(name), std::move(value));
  }
  return true;
}

void set(Attributes& attributes, std::string_view name, std::string_view value) {
  const auto found = std::ranges::find(attributes, name, &Attributes::value_type::first);
  if (found != attributes.end()) {
    found->second = value;
  } else {
    attributes.emplace_back(name, value);
  }
}

void set_default(Attributes& attributes, std::string_view name, std::string_view value) {
  if (std::ranges::find(attributes, name, &Attributes::value_type::first) == attributes.end())
    attributes.emplace_back(name, value);
}

class OptionReader {
 public:
  OptionReader(const Environment& environment, TraceOptions& options)
      : environment_(environment), options_(options) {}

  std::string get(std::string_view name) const { return environment_(name).value_or(""); }
  // Of the traces' own variable, else of the general one.
  std::string of_traces(std::string_view rest) const {
    const std::string own = get(cat("OTEL_EXPORTER_OTLP_TRACES_", rest));
    return own.empty() ? get(cat("OTEL_EXPORTER_OTLP_", rest)) : own;
  }

  void endpoint() {
    options_.endpoint = get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    if (options_.endpoint.empty()) {
      options_.endpoint = get("OTEL_EXPORTER_OTLP_ENDPOINT");
      if (options_.endpoint.empty()) return;
      if (!options_.endpoint.ends_with('/')) options_.endpoint += '/';
      options_.endpoint += "v1/traces";
    }
    if (!options_.endpoint.starts_with("http://") && !options_.endpoint.starts_with("https://"))
      return warn("OTEL_EXPORTER_OTLP_ENDPOINT does not begin with http:// or https://; nothing is traced");
    options_.enabled = true;
  }

  void number(std::string_view name, std::uint64_t least, std::uint64_t most, auto use) {
    const std::string text = get(name);
    if (text.empty()) return;
    const auto value = base::parse_unsigned(text);
    if (!value || *value < least || *value > most)
      return warn(cat(name, " is not a number from ", least, " to ", most));
    use(*value);
  }

  void warn(std::string text) { options_.warnings.push_back(std::move(text)); }

 private:
  const Environment& environment_;
  TraceOptions& options_;
};

std::string random_instance() {
  std::string text;
  Ids ids;
  append_hex(text, ids.next());
  append_hex(text, ids.next());
  return text;
}

}  // namespace

TraceOptions read_trace_options(const Environment& environment, std::string_view server_version) {
  TraceOptions options;
  OptionReader reader(environment, options);
  if (base::to_lower(reader.get("OTEL_SDK_DISABLED")) == "true") return options;
  const std::string exporter = reader.get("OTEL_TRACES_EXPORTER");
  if (exporter == "none") return options;
  if (!exporter.empty() && exporter != "otlp")
    reader.warn("OTEL_TRACES_EXPORTER: only otlp and none are known");
  reader.endpoint();
  if (!options.enabled) return options;
  if (const std::string protocol = reader.of_traces("PROTOCOL");
      !protocol.empty() && protocol != "http/protobuf")
    reader.warn("OTEL_EXPORTER_OTLP_PROTOCOL: traces are sent as http/protobuf, whatever it says");
  if (!read_pairs(reader.of_traces("HEADERS"), options.headers)) {
    options.headers.clear();
    reader.warn("OTEL_EXPORTER_OTLP_HEADERS is malformed and not used");
  }
  if (!read_pairs(reader.get("OTEL_RESOURCE_ATTRIBUTES"), options.resource)) {
    options.resource.clear();
    reader.warn("OTEL_RESOURCE_ATTRIBUTES is malformed and not used");
  }
  if (const std::string name = reader.get("OTEL_SERVICE_NAME"); is_clean(name) && !name.empty())
    set(options.resource, "service.name", name);
  set_default(options.resource, "service.name", "wherry-server");
  set_default(options.resource, "service.instance.id", random_instance());
  set(options.resource, "telemetry.sdk.name", "wherry");
  set(options.resource, "telemetry.sdk.language", "cpp");
  set(options.resource, "telemetry.sdk.version", server_version);
  if (const std::string name = reader.get("OTEL_TRACES_SAMPLER"); !name.empty()) {
    if (const auto sampler = find_sampler(name, reader.get("OTEL_TRACES_SAMPLER_ARG"))) {
      options.sampler = *sampler;
    } else {
      reader.warn("OTEL_TRACES_SAMPLER or its _ARG is not understood; parentbased_always_on is used");
    }
  }
  reader.number("OTEL_BSP_SCHEDULE_DELAY", 10, 600'000,
                [&](std::uint64_t value) { options.delay = milliseconds(value); });
  reader.number("OTEL_BSP_MAX_QUEUE_SIZE", 1, 1'000'000,
                [&](std::uint64_t value) { options.most_queued = value; });
  reader.number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1, 10'000,
                [&](std::uint64_t value) { options.most_batch = value; });
  options.most_batch = std::min(options.most_batch, options.most_queued);
  return options;
}

Exporter::Exporter(TraceOptions options, Post post) : options_(std::move(options)), post_(std::move(post)) {}

Exporter::~Exporter() {
  stop();
}

void Exporter::add(RequestSpan span) {
  for (std::string* text : {&span.method, &span.path, &span.route, &span.model, &span.version})
    if (text->size() > kMostText) text->resize(kMostText);
  bool is_batch = false;
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() < options_.most_queued) {
      waiting_.push_back(std::move(span));
      is_batch = waiting_.size() == options_.most_batch;
    } else {
      dropped_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  if (is_batch) wake_.notify_one();
}

bool Exporter::deliver(std::string body) {
  PostRequest request{options_.endpoint, options_.headers, std::move(body)};
  set(request.headers, "Content-Type", "application/x-protobuf");
  const auto status = post_(request);
  if (status && *status >= 200 && *status < 300) {
    exported_.fetch_add(batch_.size(), std::memory_order_relaxed);
    return true;
  }
  // What may go well later (OTLP specification, "Failures"); all else never will.
  const bool may_go_well = !status || *status == 429 || *status == 502 || *status == 503 || *status == 504;
  if (may_go_well && ++failures_ < kMostTries) return false;
  dropped_.fetch_add(batch_.size(), std::memory_order_relaxed);
  return true;
}

milliseconds Exporter::step(std::chrono::system_clock::time_point wall, SteadyTime steady) {
  if (batch_.empty()) {
    const std::scoped_lock lock(mutex_);
    const auto count = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), options_.most_batch));
    batch_.assign(std::make_move_iterator(waiting_.begin()),
                  std::make_move_iterator(waiting_.begin() + count));
    waiting_.erase(waiting_.begin(), waiting_.begin() + count);
  }
  if (batch_.empty()) return options_.delay;
  if (!deliver(encode_spans(batch_, options_.resource, wall, steady, ids_)))
    return std::chrono::seconds(1u << (failures_ - 1));
  failures_ = 0;
  batch_.clear();
  const std::scoped_lock lock(mutex_);
  return waiting_.size() >= options_.most_batch ? milliseconds{0} : options_.delay;
}

void Exporter::start() {
  thread_ = std::thread([this] {
    for (;;) {
      const milliseconds wait = step(std::chrono::system_clock::now(), std::chrono::steady_clock::now());
      std::unique_lock lock(mutex_);
      const bool retrying = failures_ > 0;
      wake_.wait_for(lock, wait,
                     [&] { return stopping_ || (!retrying && waiting_.size() >= options_.most_batch); });
      if (stopping_) return;
    }
  });
}

void Exporter::stop() {
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  wake_.notify_all();
  if (!thread_.joinable()) return;
  thread_.join();
  failures_ = kMostTries - 1;  // one try for each batch
  for (;;) {
    step(std::chrono::system_clock::now(), std::chrono::steady_clock::now());
    failures_ = kMostTries - 1;
    const std::scoped_lock lock(mutex_);
    if (waiting_.empty()) return;
  }
}

void Exporter::write_metrics(Exposition& out) const {
  out.family("wherry_spans_exported", Type::kCounter, "Traced requests delivered to the collector.");
  out.sample({}, exported());
  out.family("wherry_spans_dropped", Type::kCounter,
             "Traced requests lost because the queue was full or the collector did not take them.");
  out.sample({}, dropped());
}

}  // namespace wherry::telemetry
