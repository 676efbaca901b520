// What watches one model version: its counters, its drift, its part of the prediction log.
#pragma once

#include <chrono>
#include <memory>

#include "repository/model.h"
#include "telemetry/drift.h"
#include "telemetry/metrics.h"
#include "telemetry/prediction_log.h"

namespace wherry::serve {

struct ModelObservers {
  std::shared_ptr<telemetry::ModelMetrics> metrics;  // of all threads
  std::unique_ptr<telemetry::Drift> drift;           // null: the bundle has no profile
  telemetry::PredictionPlan predictions;
};

ModelObservers observe_model(const repository::Model& model, telemetry::Metrics& metrics,
                             const telemetry::PredictionLog* log, std::chrono::seconds drift_window);

}  // namespace wherry::serve
