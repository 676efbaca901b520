#include "serve/predict.h"

#include "serve/call.h"

namespace wherry::serve {

using std::chrono::steady_clock;

namespace {

class InFlight {
 public:
  explicit InFlight(std::atomic<std::uint32_t>& gauge) : gauge_(gauge) {
    gauge_.store(1, std::memory_order_relaxed);
  }
  ~InFlight() { gauge_.store(0, std::memory_order_relaxed); }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  std::atomic<std::uint32_t>& gauge_;
};

}  // namespace

void predict(Call& call, const Model& model, const Codec& codec) {
  ThreadMetrics& metrics = call.thread.metrics;
  const InFlight in_flight(metrics.in_flight);
  const auto observe = [&](Phase phase, steady_clock::duration duration) {
    metrics.phases[static_cast<std::size_t>(phase)].observe(duration);
  };
  auto& [prediction, workspace, results] = call.thread.predictor;
  prediction.model = &model;
  const auto begin = steady_clock::now();
  const base::Result<engine::OutputSet> wanted = codec.decode(prediction, call.request);
  const auto decoded = steady_clock::now();
  observe(Phase::kDecode, decoded - begin);
  if (!wanted) return codec.refuse(wanted.error(), call.response);
  prediction.wanted = *wanted;
  const base::Status ran = model.plan.run(prediction.decoded.table, *wanted, workspace);
  const auto computed = steady_clock::now();
  observe(Phase::kCompute, computed - decoded);
  if (!ran) return codec.refuse(ran.error(), call.response);
  codec.encode(prediction, call.request, results.collect(model.plan, workspace, *wanted), call.response);
  const auto encoded = steady_clock::now();
  observe(Phase::kEncode, encoded - computed);
  metrics.total.observe(encoded - call.request.received);
  metrics.rows.add(prediction.decoded.table.rows);
}

}  // namespace wherry::serve
