#include "serve/model_observers.h"

namespace wherry::serve {

ModelObservers observe_model(const repository::Model& model, telemetry::Metrics& metrics,
                             const telemetry::PredictionLog* log, std::chrono::seconds drift_window) {
  ModelObservers observers{.metrics = metrics.model(model.labels), .drift = nullptr, .predictions = {}};
  std::vector<std::string> columns;
  for (const program::InputColumn& column : model.schema.columns()) columns.push_back(column.name);
  if (model.profile)
    observers.drift =
        std::make_unique<telemetry::Drift>(*model.profile, columns, metrics.threads(), drift_window);
  if (log != nullptr) observers.predictions = log->plan(columns);
  return observers;
}

}  // namespace wherry::serve
