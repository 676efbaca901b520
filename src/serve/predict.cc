#include "serve/predict.h"

#include "serve/call.h"

namespace wherry::serve {

using std::chrono::steady_clock;

using telemetry::Phase;

namespace {

// Counts a prediction among those in flight, and how it ended.
class Counted {
 public:
  explicit Counted(telemetry::ModelThread& metrics) : metrics_(metrics) { metrics_.begun.add(1); }
  ~Counted() {
    (succeeded ? metrics_.succeeded : metrics_.failed).add(1);
    metrics_.finished.add(1);
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

  bool succeeded = false;

 private:
  telemetry::ModelThread& metrics_;
};

// What happens beside the answer: drift, and a sample of predictions to the log.
void tell_observers(Call& call, const Prediction& prediction, std::span<const tensor::NamedResult> results) {
  const Model& model = *prediction.model;
  if (model.observers.drift != nullptr)
    model.observers.drift->count(call.thread.number, prediction.decoded.table);
  telemetry::PredictionLog* log = call.service.extras().predictions;
  if (log == nullptr || !log->wants(call.thread.span_ids)) return;
  log->write(call.thread.number, model.observers.predictions,
             {.model = model.name,
              .version = model.labels.version,
              .request_id = telemetry::usable_request_id(call.request.header("X-Request-Id")),
              .trace = call.observed.context(),
              .table = &prediction.decoded.table,
              .results = results},
             std::chrono::system_clock::now());
}

}  // namespace

void predict(Call& call, const Model& model, const Codec& codec) {
  telemetry::ModelThread& metrics = model.observers.metrics->of_thread(call.thread.number);
  Counted counted(metrics);
  auto& span = call.observed.span;
  const auto observe = [&](Phase phase, steady_clock::time_point from, steady_clock::time_point to) {
    metrics.observe(phase, to - from);
    if (span) span->phases[static_cast<std::size_t>(phase)] = {from, to};
  };
  if (span) {
    span->model = model.name;
    span->version = model.labels.version;
  }
  auto& [prediction, workspace, results] = call.thread.predictor;
  prediction.model = &model;
  const auto begin = steady_clock::now();
  const base::Result<engine::OutputSet> wanted = codec.decode(prediction, call.request);
  const auto decoded = steady_clock::now();
  observe(Phase::kDecode, begin, decoded);
  if (!wanted) return codec.refuse(wanted.error(), call.response);
  prediction.wanted = *wanted;
  const base::Status ran = model.plan.run(prediction.decoded.table, *wanted, workspace);
  const auto computed = steady_clock::now();
  observe(Phase::kCompute, decoded, computed);
  if (!ran) return codec.refuse(ran.error(), call.response);
  const auto answers = results.collect(model.plan, workspace, *wanted);
  codec.encode(prediction, call.request, answers, call.response);
  const auto encoded = steady_clock::now();
  observe(Phase::kEncode, computed, encoded);
  const std::size_t rows = prediction.decoded.table.rows;
  metrics.observe_total(encoded - call.request.received, call.observed.context());
  metrics.rows.add(rows);
  metrics.batch_rows.observe(rows);
  if (span) span->rows = rows;
  counted.succeeded = true;
  tell_observers(call, prediction, answers);
}

}  // namespace wherry::serve
