#include "serve/predict.h"

#include <algorithm>

#include "base/text.h"
#include "serve/call.h"
#include "serve/deadline.h"

namespace wherry::serve {

using std::chrono::steady_clock;
using std::chrono::system_clock;
using telemetry::Phase;
using Time = steady_clock::time_point;

namespace {

// Counts a prediction among those in flight, and how it ended.
class Counted {
 public:
  explicit Counted(telemetry::ModelThread& metrics) : metrics_(metrics) { metrics_.begun.add(1); }
  ~Counted() {
    if (!deferred) metrics_.ended(succeeded);  // else Handler::answered() counts it
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

  bool succeeded = false;
  bool deferred = false;

 private:
  telemetry::ModelThread& metrics_;
};

// When things happened to one request.
struct Times {
  Time received, begun, decoded, queued, started, computed;
};

// The thread on which a request was computed and encoded: whose counters it writes.
struct Teller {
  Service& service;
  unsigned thread;
  telemetry::Ids& ids;
};

// What happens beside the answer: counters, the trace, drift, and a sample of predictions to the log.
void tell(const Teller& teller, const Prediction& prediction, const http::Request& request,
          std::span<const tensor::NamedResult> results, const Times& times, repository::Answered answered,
          Observed& observed) {
  const Model& model = *prediction.model;
  const ModelObservers& observers = served(model).observers;
  const Time encoded = steady_clock::now();
  telemetry::ModelThread& metrics = observers.metrics->of_thread(teller.thread);
  const auto observe = [&](Phase phase, Time from, Time to) {
    metrics.observe(phase, to - from);
    if (observed.span) observed.span->phases[static_cast<std::size_t>(phase)] = {from, to};
  };
  observe(Phase::kDecode, times.begun, times.decoded);
  if (times.started != times.queued) observe(Phase::kQueue, times.queued, times.started);
  observe(Phase::kCompute, times.started, times.computed);
  observe(Phase::kEncode, times.computed, encoded);
  metrics.observe_total(encoded - times.received, observed.context());
  metrics.rows.add(answered.rows);
  if (answered.first_of_batch) metrics.batch_rows.observe(answered.batch_rows);
  if (observed.span) observed.span->rows = answered.rows;

  const auto now = system_clock::now();
  answered.total = encoded - times.received;
  answered.input = times.decoded - times.begun;
  answered.queue = times.started - times.queued;
  answered.infer = times.computed - times.started;
  answered.output = encoded - times.computed;
  model.statistics->answered(teller.thread, answered, now);

  if (observers.drift != nullptr) observers.drift->count(teller.thread, prediction.decoded.table);
  telemetry::PredictionLog* log = teller.service.extras().predictions;
  if (log == nullptr || !log->wants(teller.ids)) return;
  log->write(teller.thread, observers.predictions,
             {.model = model.name,
              .version = model.version,
              .request_id = telemetry::usable_request_id(request.header("X-Request-Id")),
              .trace = observed.context(),
              .table = &prediction.decoded.table,
              .results = results},
             now);
}

std::optional<telemetry::Rejection> rejection_of(schedule::Failure failure) {
  using schedule::Failure;
  using telemetry::Rejection;
  switch (failure) {
    case Failure::kModel:
      return std::nullopt;
    case Failure::kFull:
      return Rejection::kQueueFull;
    case Failure::kLate:
      return Rejection::kDeadline;
    case Failure::kAbandoned:
      return Rejection::kAbandoned;
    case Failure::kEnding:
      return Rejection::kDraining;
  }
  return std::nullopt;
}

// A request on its way through the scheduler.
class ScheduledPrediction : public schedule::Job {
 public:
  ScheduledPrediction(Call& call, const Codec& codec, std::unique_ptr<Prediction> prediction,
                      const Times& times)
      : service_(call.service),
        codec_(codec),
        prediction_(std::move(prediction)),
        times_(times),
        later_(call.later()),
        observed_(call.kept) {
    const Model& model = *prediction_->model;
    observed_->prediction.metrics = served(model).observers.metrics;
    target = repository::target_of(model);
    table = &prediction_->decoded.table;
    wanted = prediction_->wanted;
    priority = static_cast<unsigned>(std::min<std::uint64_t>(prediction_->decoded.priority, 1'000'000));
    constexpr std::uint64_t kDay = 86'400'000'000;
    timeout = std::chrono::microseconds(std::min(prediction_->decoded.timeout_us, kDay));
  }

  // The request's bytes may have moved while the right to answer it was taken; what was decoded borrows them.
  base::Status follow(const char* body_before) {
    if (later_.request().body.data() == body_before) return {};
    TRY_ASSIGN(prediction_->wanted, codec_.decode(*prediction_, later_.request()));
    return {};
  }

  void computed(std::span<const tensor::NamedResult> results, const schedule::Timing& timing) override {
    codec_.encode(*prediction_, later_.request(), results, response_);
    times_.queued = timing.submitted;
    times_.started = timing.started;
    times_.computed = timing.finished;
    tell({service_, service_.threads() + timing.worker, service_.worker_ids(timing.worker)}, *prediction_,
         later_.request(), results, times_,
         {.rows = table->rows, .batch_rows = timing.batch_rows, .first_of_batch = timing.first_of_batch},
         *observed_);
    observed_->prediction.succeeded = true;
  }

  void failed(const schedule::Failed& why) override {
    response_.clear();
    codec_.refuse(response_, why.error);
    if (why.retry_after.count() > 0) response_.add_header("Retry-After", base::cat(why.retry_after.count()));
    prediction_->model->statistics->failed(steady_clock::now() - times_.received);
    observed_->prediction.rejection = rejection_of(why.failure);
  }

  void answer() override { later_.answer(std::move(response_)); }
  bool abandoned() const override { return later_.abandoned(); }

 private:
  Service& service_;
  const Codec& codec_;
  std::unique_ptr<Prediction> prediction_;
  Times times_;
  http::Later later_;
  std::shared_ptr<Observed> observed_;
  http::Response response_;
};

void refuse(Call& call, const Model& model, const Codec& codec, const base::Error& error) {
  model.statistics->failed(steady_clock::now() - call.request.received);
  codec.refuse(call.response, error);
}

bool is_dear(const Call& call, const Model& model, const tensor::Table& table) {
  return call.exchange != nullptr && call.service.pool() != nullptr &&
         model.target.cost.of(table) > model.settings.inline_limit;
}

void submit(Call& call, const Codec& codec, const Times& times, Time deadline) {
  const char* body = call.request.body.data();
  auto job =
      std::make_unique<ScheduledPrediction>(call, codec, std::move(call.thread.predictor.prediction), times);
  job->deadline = deadline;
  if (const base::Status followed = job->follow(body); !followed) {
    job->failed({schedule::Failure::kModel, followed.error(), {}});
    return job->answer();
  }
  call.service.pool()->submit(std::move(job));
}

bool compute(Call& call, const Codec& codec, Times times) {
  auto& [held, workspace, results] = call.thread.predictor;
  const Prediction& prediction = *held;
  const Model& model = *prediction.model;
  times.queued = times.started = times.decoded;
  const base::Status ran = model.plan().run(prediction.decoded.table, prediction.wanted, workspace);
  times.computed = steady_clock::now();
  if (!ran) {
    refuse(call, model, codec, ran.error());
    return false;
  }
  const auto answers = results.collect(model.plan(), workspace, prediction.wanted);
  codec.encode(prediction, call.request, answers, call.response);
  const std::size_t rows = prediction.decoded.table.rows;
  tell({call.service, call.thread.number, call.thread.span_ids}, prediction, call.request, answers, times,
       {.rows = rows, .batch_rows = rows}, call.observed);
  return true;
}

const base::Error& too_late() {
  static const base::Error kError{base::Code::kUnavailable,
                                  "schedule.deadline",
                                  "the time given to the request was over before it was computed",
                                  "allow more time",
                                  {}};
  return kError;
}

}  // namespace

engine::OutputSet wanted_outputs(const Prediction& prediction) {
  const Model& model = *prediction.model;
  if (prediction.decoded.tensors.empty()) return model.plan().all_outputs();
  engine::OutputSet wanted = 0;
  for (const std::uint32_t tensor : prediction.decoded.tensors)
    wanted |= engine::only(model.schema.tensors()[tensor].output);
  return wanted;
}

void predict(Call& call, const Model& model, const Codec& codec) {
  Counted counted(served(model).observers.metrics->of_thread(call.thread.number));
  if (auto& span = call.observed.span) {
    span->model = model.name;
    span->version = model.version;
  }
  std::unique_ptr<Prediction>& prediction = call.thread.predictor.prediction;
  if (!prediction) prediction = std::make_unique<Prediction>();
  prediction->model = &model;
  Times times{.received = call.request.received,
              .begun = steady_clock::now(),
              .decoded = {},
              .queued = {},
              .started = {},
              .computed = {}};
  const base::Result<engine::OutputSet> wanted = codec.decode(*prediction, call.request);
  times.decoded = steady_clock::now();
  if (!wanted) return refuse(call, model, codec, wanted.error());
  prediction->wanted = *wanted;
  const base::Result<Time> deadline = deadline_of(call.request);
  if (!deadline) return refuse(call, model, codec, deadline.error());
  if (*deadline <= times.decoded) {
    call.thread.metrics.reject(telemetry::Rejection::kDeadline);
    return refuse(call, model, codec, too_late());
  }
  if (is_dear(call, model, prediction->decoded.table)) {
    counted.deferred = true;
    submit(call, codec, times, *deadline);
  } else {
    counted.succeeded = compute(call, codec, times);
  }
}

}  // namespace wherry::serve
