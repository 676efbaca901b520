#include "serve/extras.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/text.h"

namespace wherry::serve {

using base::cat;
using base::Result;
using base::Status;
using telemetry::json_member;
using telemetry::Level;

namespace {

constexpr std::uint64_t kMostKeyBytes = 4096;
constexpr std::chrono::seconds kFetchTime{10};

bool is_failure(std::string_view event) {
  return event.ends_with("_failed") || event.ends_with("_not_fetched");
}

// A status other than 200 is a failure here.
auth::Fetch fetch_with(http::Fetcher& fetcher) {
  return [&fetcher](const std::string& url, std::size_t most) -> Result<std::string> {
    TRY_ASSIGN(http::FetchAnswer answer,
               fetcher.fetch({.url = url, .headers = {}, .deadline = kFetchTime, .most_answer = most}));
    if (answer.status != 200)
      return base::fail(base::Code::kUnavailable, "auth.keys_refused",
                        cat(url, " answered ", answer.status, " instead of the keys"),
                        "check the URL: an issuer's metadata has it as jwks_uri");
    return std::move(answer.body);
  };
}

telemetry::Post post_with(http::Fetcher& fetcher) {
  return [&fetcher](const telemetry::PostRequest& request) -> Result<int> {
    TRY_ASSIGN(const http::FetchAnswer answer, fetcher.fetch({.method = "POST",
                                                              .url = request.url,
                                                              .headers = request.headers,
                                                              .body = request.body,
                                                              .deadline = kFetchTime}));
    return answer.status;
  };
}

}  // namespace

Result<std::unique_ptr<OwnedExtras>> OwnedExtras::make(const Options& options, const Environment& environment,
                                                       unsigned threads, base::FileSystem& files,
                                                       const telemetry::Logger& logger) {
  std::unique_ptr<OwnedExtras> made(new OwnedExtras());
  TRY(made->make_authority(options, files, logger));
  TRY(made->make_prediction_log(options.observe, threads, files));
  made->make_exporter(options, environment, logger);
  made->view_ = {.authority = made->authority_.get(),
                 .exporter = made->exporter_.get(),
                 .predictions = made->predictions_.get(),
                 .drift_window = options.observe.drift_window,
                 .triton_names = options.observe.triton_metrics,
                 .debug = options.observe.debug};
  return made;
}

Status OwnedExtras::make_authority(const Options& options, base::FileSystem& files,
                                   const telemetry::Logger& logger) {
  const AccessOptions& access = options.access;
  if (access.file.empty()) return {};
  key_fetcher_ = http::make_fetcher({.authorities = options.observe.authorities});
  auth::Config config{
      .access_file = access.file,
      .key_set = access.token_keys,
      .token_rules = {.issuer = access.issuer, .audiences = access.audiences, .leeway = access.leeway}};
  TRY_ASSIGN(authority_, auth::Authority::open(std::move(config), files, fetch_with(*key_fetcher_),
                                               [&logger](std::string_view event, std::string_view detail) {
                                                 logger.event(
                                                     is_failure(event) ? Level::kWarning : Level::kInfo,
                                                     event, json_member("detail", detail));
                                               }));
  return {};
}

Status OwnedExtras::make_prediction_log(const ObserveOptions& options, unsigned threads,
                                        base::FileSystem& files) {
  if (!options.log_predictions) return {};
  telemetry::PredictionLogOptions log = options.predictions;
  if (!options.prediction_key.empty()) {
    TRY_ASSIGN(log.key, files.read(options.prediction_key, kMostKeyBytes));
    has_log_key_ = true;
  }
  TRY_ASSIGN(predictions_, telemetry::PredictionLog::open(std::move(log), threads));
  return {};
}

void OwnedExtras::make_exporter(const Options& options, const Environment& environment,
                                const telemetry::Logger& logger) {
  telemetry::TraceOptions traces = telemetry::read_trace_options(environment, WHERRY_VERSION);
  for (const std::string& warning : traces.warnings)
    logger.event(Level::kWarning, "trace_option", json_member("detail", warning));
  if (!traces.enabled) return;
  trace_fetcher_ = http::make_fetcher({.authorities = options.observe.authorities});
  logger.event(Level::kInfo, "tracing", json_member("endpoint", traces.endpoint));
  exporter_ = std::make_unique<telemetry::Exporter>(std::move(traces), post_with(*trace_fetcher_));
}

Extras OwnedExtras::view() const {
  return view_;
}

void OwnedExtras::start() {
  if (authority_ != nullptr) authority_->start();
  if (exporter_ != nullptr) exporter_->start();
  if (predictions_ != nullptr) predictions_->start();
}

void OwnedExtras::stop() {
  if (authority_ != nullptr) authority_->stop();
  if (exporter_ != nullptr) exporter_->stop();
  if (predictions_ != nullptr) predictions_->stop();
}

void OwnedExtras::check(const Model& model, const telemetry::Logger& logger) const {
  if (predictions_ == nullptr) return;
  for (const std::string& column : predictions_->unknown_columns(served(model).observers.predictions))
    logger.event(Level::kWarning, "prediction_log_column",
                 cat(json_member("model", model.name), ",", json_member("unknown", column)));
}

// A limit of 1 byte also keeps a core_pattern which is a program from being started (core(5)).
void protect_memory() {
  const rlimit none{1, 1};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace wherry::serve
