#include "telemetry/metrics.h"

#include <algorithm>

#include "telemetry/process_metrics.h"

#include "base/text.h"

namespace wherry::telemetry {

using base::cat;

namespace {

constexpr std::size_t kMostModels = 256;  // versions which were ever loaded; then unloaded ones are forgotten
constexpr double kNanosecond = 1e9;

using ModelRow = std::pair<ModelLabels, std::shared_ptr<const ModelMetrics>>;

std::array<Label, 2> labels_of(const ModelLabels& labels) {
  return {{{"model", labels.name}, {"version", labels.version}}};
}

std::uint64_t sum(const ModelMetrics& model, Counter ModelThread::* member) {
  std::uint64_t total = 0;
  for (unsigned i = 0; i < model.threads(); ++i) total += (model.of_thread(i).*member).value();
  return total;
}

std::uint64_t in_flight(const ModelMetrics& model) {
  const std::uint64_t ended = sum(model, &ModelThread::succeeded) + sum(model, &ModelThread::failed);
  const std::uint64_t begun = sum(model, &ModelThread::begun);
  return begun > ended ? begun - ended : 0;
}

template <const auto& Bounds>
struct Summed {
  std::array<std::uint64_t, Bounds.size() + 1> counts{};
  std::uint64_t sum = 0;
  void add(const Histogram<Bounds>& histogram) {
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += histogram.bucket(i);
    sum += histogram.sum();
  }
  std::uint64_t count() const {
    std::uint64_t total = 0;
    for (const std::uint64_t bucket : counts) total += bucket;
    return total;
  }
};

Summed<kDurationBounds> summed(const ModelMetrics& model, auto&& of) {
  Summed<kDurationBounds> total;
  for (unsigned i = 0; i < model.threads(); ++i) total.add(of(model.of_thread(i)));
  return total;
}
Summed<kDurationBounds> summed_phase(const ModelMetrics& model, Phase phase) {
  return summed(model, [&](const ModelThread& thread) -> const Durations& {
    return thread.phases[static_cast<std::size_t>(phase)];
  });
}
Summed<kDurationBounds> summed_total(const ModelMetrics& model) {
  return summed(model, [](const ModelThread& thread) -> const Durations& { return thread.total; });
}
Summed<kBatchBounds> summed_batches(const ModelMetrics& model) {
  Summed<kBatchBounds> total;
  for (unsigned i = 0; i < model.threads(); ++i) total.add(model.of_thread(i).batch_rows);
  return total;
}

void write_totals(Exposition& out, const std::vector<ModelRow>& models) {
  out.family("wherry_request_duration_seconds", Type::kHistogram,
             "Time from the first byte of a prediction request to its answer.", "seconds");
  for (const auto& [labels, model] : models) {
    const auto total = summed_total(*model);
    // Of each bucket the latest exemplar of all threads.
    std::array<std::optional<Exemplar>, kDurationBounds.size() + 1> exemplars;
    for (unsigned thread = 0; thread < model->threads(); ++thread)
      for (std::size_t i = 0; i < exemplars.size(); ++i)
        if (const auto found = model->of_thread(thread).exemplars[i].get();
            found && (!exemplars[i] || found->milliseconds > exemplars[i]->milliseconds))
          exemplars[i] = found;
    out.histogram(labels_of(labels), {kDurationBounds, total.counts, total.sum, kNanosecond, exemplars});
  }
}

void write_phases(Exposition& out, const std::vector<ModelRow>& models) {
  out.family("wherry_phase_duration_seconds", Type::kHistogram, "Time of one phase of a prediction.",
             "seconds");
  for (const auto& [labels, model] : models)
    for (std::size_t phase = 0; phase < kPhaseCount; ++phase) {
      const auto total = summed_phase(*model, static_cast<Phase>(phase));
      const std::array<Label, 3> with_phase{
          {{"model", labels.name}, {"version", labels.version}, {"phase", kPhaseNames[phase]}}};
      out.histogram(with_phase, {kDurationBounds, total.counts, total.sum, kNanosecond});
    }
}

void write_models(Exposition& out, const std::vector<ModelRow>& models) {
  write_totals(out, models);
  write_phases(out, models);
  out.family("wherry_batch_rows", Type::kHistogram, "Rows computed together.");
  for (const auto& [labels, model] : models) {
    const auto total = summed_batches(*model);
    out.histogram(labels_of(labels), {kBatchBounds, total.counts, total.sum});
  }
  out.family("wherry_predicted_rows", Type::kCounter, "Rows predicted.");
  for (const auto& [labels, model] : models) out.sample(labels_of(labels), sum(*model, &ModelThread::rows));
  out.family("wherry_predictions", Type::kCounter, "Requests for predictions by outcome.");
  for (const auto& [labels, model] : models)
    for (const auto& [outcome, member] :
         {std::pair<std::string_view, Counter ModelThread::*>{"success", &ModelThread::succeeded},
          {"failure", &ModelThread::failed}})
      out.sample({{"model", labels.name}, {"version", labels.version}, {"outcome", outcome}},
                 sum(*model, member));
  out.family("wherry_requests_in_flight", Type::kGauge, "Predictions being worked on.");
  for (const auto& [labels, model] : models) {
    out.sample(labels_of(labels), in_flight(*model));
  }
}

struct TritonDuration {
  std::string_view name, help;
  std::uint64_t (*nanoseconds)(const ModelMetrics&);
};

// Names of Triton's core/src/metrics.cc; microseconds, as there.
void write_triton_names(Exposition& out, const std::vector<ModelRow>& models) {
  const auto counter = [&](std::string_view name, std::string_view help, auto&& value) {
    out.family(name, Type::kOldCounter, help);
    for (const auto& [labels, model] : models) out.sample(labels_of(labels), std::uint64_t{value(*model)});
  };
  counter("nv_inference_request_success", "Number of successful inference requests, all batch sizes",
          [](const ModelMetrics& model) { return sum(model, &ModelThread::succeeded); });
  out.family("nv_inference_request_failure", Type::kOldCounter, "Number of failed inference requests");
  for (const auto& [labels, model] : models)
    out.sample({{"model", labels.name}, {"version", labels.version}, {"reason", "OTHER"}},
               sum(*model, &ModelThread::failed));
  counter("nv_inference_count", "Number of inferences performed (does not include cached requests)",
          [](const ModelMetrics& model) { return sum(model, &ModelThread::rows); });
  counter("nv_inference_exec_count", "Number of model executions performed",
          [](const ModelMetrics& model) { return summed_batches(model).count(); });
  static constexpr TritonDuration kDurations[] = {
      {"nv_inference_request_duration_us", "Cumulative inference request duration in microseconds",
       [](const ModelMetrics& model) { return summed_total(model).sum; }},
      {"nv_inference_queue_duration_us", "Cumulative inference queuing duration in microseconds",
       [](const ModelMetrics& model) { return summed_phase(model, Phase::kQueue).sum; }},
      {"nv_inference_compute_input_duration_us", "Cumulative compute input duration in microseconds",
       [](const ModelMetrics& model) { return summed_phase(model, Phase::kDecode).sum; }},
      {"nv_inference_compute_infer_duration_us", "Cumulative compute inference duration in microseconds",
       [](const ModelMetrics& model) { return summed_phase(model, Phase::kCompute).sum; }},
      {"nv_inference_compute_output_duration_us",
       "Cumulative inference compute output duration in microseconds",
       [](const ModelMetrics& model) { return summed_phase(model, Phase::kEncode).sum; }},
  };
  for (const TritonDuration& row : kDurations)
    counter(row.name, row.help, [&](const ModelMetrics& model) { return row.nanoseconds(model) / 1000; });
}

}  // namespace

void count_status(StatusCounters& counters, int status) {
  const auto found = std::ranges::find(kStatuses, status);
  const std::size_t column =
      found == kStatuses.end() ? kStatuses.size() - 1 : static_cast<std::size_t>(found - kStatuses.begin());
  counters[column].add(1);
}

void ModelThread::observe_total(std::chrono::nanoseconds duration, const TraceContext* trace) {
  const std::size_t bucket = total.observe(duration);
  if (trace == nullptr || !trace->sampled) return;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  exemplars[bucket].set({trace->trace_high, trace->trace_low, trace->span,
                         static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0)),
                         std::chrono::duration_cast<std::chrono::milliseconds>(now).count()});
}

ModelMetrics::ModelMetrics(ModelLabels labels, unsigned threads) : labels_(std::move(labels)) {
  for (unsigned i = 0; i < threads; ++i) threads_.push_back(std::make_unique<ModelThread>());
}

Metrics::Metrics(unsigned threads, std::vector<std::string> routes) : routes_(std::move(routes)) {
  for (unsigned i = 0; i < threads; ++i) threads_.push_back(std::make_unique<ThreadMetrics>(routes_.size()));
}

std::shared_ptr<ModelMetrics> Metrics::model(const ModelLabels& labels) {
  const std::scoped_lock lock(mutex_);
  auto& known = models_[{labels.name, labels.version}];
  if (known != nullptr) {
    known->labels_ = labels;
    return known;
  }
  known = std::make_shared<ModelMetrics>(labels, threads());
  const std::shared_ptr<ModelMetrics> made = known;
  if (models_.size() > kMostModels)
    std::erase_if(models_, [](const auto& row) { return row.second.use_count() == 1; });
  return made;
}

void Metrics::add_collector(Collector collector) {
  const std::scoped_lock lock(mutex_);
  collectors_.push_back(std::move(collector));
}

Metrics::Models Metrics::models() const {
  const std::scoped_lock lock(mutex_);
  Models rows;
  for (const auto& [key, model] : models_) rows.emplace_back(model->labels_, model);
  return rows;
}

void Metrics::write_requests(Exposition& out) const {
  std::map<std::string_view, std::array<std::uint64_t, kStatuses.size()>> sums;
  std::array<std::uint64_t, std::size(kRejectionNames)> rejected{};
  for (const auto& thread : threads_) {
    const auto add = [&](std::string_view name, const StatusCounters& counters) {
      for (std::size_t i = 0; i < counters.size(); ++i) sums[name][i] += counters[i].value();
    };
    for (std::size_t row = 0; row < thread->requests.size(); ++row) add(routes_[row], thread->requests[row]);
    add("unknown", thread->unknown);
    add("refused", thread->refused);
    for (std::size_t i = 0; i < rejected.size(); ++i) rejected[i] += thread->rejected[i].value();
  }
  out.family("wherry_http_requests", Type::kCounter, "Answered requests by route and status.");
  for (const auto& [name, counts] : sums)
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] == 0) continue;
      const std::string code = kStatuses[i] == 0 ? "other" : cat(kStatuses[i]);
      out.sample({{"route", name}, {"code", code}}, counts[i]);
    }
  out.family("wherry_rejected_requests", Type::kCounter,
             "Requests turned away before they were worked on, by reason.");
  for (std::size_t i = 0; i < rejected.size(); ++i) out.sample({{"reason", kRejectionNames[i]}}, rejected[i]);
}

std::string Metrics::render(const RenderOptions& options) const {
  Exposition out(options.format);
  const Models rows = models();
  write_requests(out);
  write_models(out, rows);
  out.family("wherry_ready", Type::kGauge, "1 when the models answer and their golden predictions agree.");
  out.sample({}, std::uint64_t{options.ready ? 1u : 0u});
  out.family("wherry_build_info", Type::kGauge, "1; the label says which server this is.");
  out.sample({{"version", options.server_version}}, std::uint64_t{1});
  out.family("wherry_model_info", Type::kGauge, "1; the labels say what is served.");
  for (const auto& [labels, model] : rows) {
    const std::array<Label, 5> all{{{"model", labels.name},
                                    {"version", labels.version},
                                    {"framework", labels.framework},
                                    {"framework_version", labels.framework_version},
                                    {"digest", labels.digest}}};
    out.sample(all, std::uint64_t{1});
  }
  std::vector<Collector> collectors;
  {
    const std::scoped_lock lock(mutex_);
    collectors = collectors_;
  }
  for (const Collector& collect : collectors) collect(out);
  if (options.triton_names) write_triton_names(out, rows);
  write_process_metrics(out);
  return out.finish();
}

std::vector<Metrics::ModelTotals> Metrics::totals() const {
  std::vector<ModelTotals> totals;
  for (const auto& [labels, model] : models()) {
    ModelTotals row{labels};
    row.succeeded = sum(*model, &ModelThread::succeeded);
    row.failed = sum(*model, &ModelThread::failed);
    row.rows = sum(*model, &ModelThread::rows);
    row.executions = summed_batches(*model).count();
    row.in_flight = in_flight(*model);
    row.total_nanoseconds = summed_total(*model).sum;
    for (std::size_t i = 0; i < kPhaseCount; ++i) {
      const auto phase = summed_phase(*model, static_cast<Phase>(i));
      row.phase_nanoseconds[i] = phase.sum;
      row.phase_count[i] = phase.count();
    }
    totals.push_back(std::move(row));
  }
  return totals;
}

}  // namespace wherry::telemetry
