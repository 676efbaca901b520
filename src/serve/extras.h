// Makes what the options switch on: the authority, the exporter of traces, the prediction log.
#pragma once

#include <memory>

#include "base/error.h"
#include "base/files.h"
#include "http/fetch.h"
#include "serve/options.h"
#include "serve/service.h"

namespace wherry::serve {

// Owns them; view() is what a Service takes. start() after the signals are blocked, stop() when no request
// can come any more.
class OwnedExtras {
 public:
  // Errors: those of the parts. `logger` outlives it.
  static base::Result<std::unique_ptr<OwnedExtras>> make(const Options& options,
                                                         const Environment& environment, unsigned threads,
                                                         base::FileSystem& files,
                                                         const telemetry::Logger& logger);
  Extras view() const;
  void start();
  void stop();
  bool has_secrets() const { return authority_ != nullptr || has_log_key_; }
  // Columns named for the prediction log which the model does not have are told in the log.
  void check(const Model& model, const telemetry::Logger& logger) const;

 private:
  OwnedExtras() = default;
  base::Status make_authority(const Options& options, base::FileSystem& files,
                              const telemetry::Logger& logger);
  base::Status make_prediction_log(const ObserveOptions& options, unsigned threads, base::FileSystem& files);
  void make_exporter(const Options& options, const Environment& environment, const telemetry::Logger& logger);

  std::unique_ptr<http::Fetcher> key_fetcher_, trace_fetcher_;  // each of one thread
  std::unique_ptr<auth::Authority> authority_;
  std::unique_ptr<telemetry::Exporter> exporter_;
  std::unique_ptr<telemetry::PredictionLog> predictions_;
  Extras view_;
  bool has_log_key_ = false;
};

// No core dump and no other process of the same user shall see keys in our memory.
void protect_memory();

}  // namespace wherry::serve
