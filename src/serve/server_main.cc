#include "serve/server_main.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "auth/api_key.h"
#include "repository/background.h"
#include "schedule/pool.h"

#include "base/cpus.h"
#include "base/files.h"
#include "base/text.h"
#include "http/in_process.h"
#include "serve/extras.h"
#include "serve/lambda.h"
#include "serve/options.h"
#include "serve/service.h"
#include "serve/tls_setup.h"

namespace wherry::serve {

using base::cat;
using std::chrono::milliseconds;
using telemetry::json_member;
using telemetry::Level;

namespace {

constexpr int kLogFile = STDERR_FILENO;
constexpr milliseconds kLastBatches{100};

int report(const base::Error& error) {
  std::string text = cat("error: ", base::describe(error), "\n");
  if (!error.hint.empty()) text += cat("hint: ", error.hint, "\n");
  std::fputs(text.c_str(), stderr);
  return base::exit_status(error.code);
}

std::optional<std::string> process_environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// Every connection is a file descriptor; the soft limit is often 1024.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// SIGTERM and SIGINT, blocked in every thread started later and waited for here. (As process 1 of a container
// they would be ignored otherwise.)
class EndSignals {
 public:
  EndSignals() {
    std::signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  int wait() const {
    int signal = 0;
    while (sigwait(&set_, &signal) != 0) {
    }
    return signal;
  }
  // Another signal ends the process at once, but not one which comes with the first: a terminal's Ctrl-C
  // reaches us directly and through the program that started us.
  void end_at_next() const {
    std::thread([set = set_] {
      const auto begin = std::chrono::steady_clock::now();
      for (int signal = 0;;)
        if (sigwait(&set, &signal) == 0 && std::chrono::steady_clock::now() - begin > milliseconds{500})
          _exit(130);
    }).detach();
  }

 private:
  sigset_t set_{};
};

std::string address(const Options& options, std::uint16_t port) {
  const bool v6 = options.host.find(':') != std::string::npos;
  return cat(options.tls.certificate.empty() ? "http://" : "https://", v6 ? "[" : "", options.host,
             v6 ? "]:" : ":", port);
}

// The key on standard output for whoever will use it, its line for the access file.
int print_key(std::string_view name) {
  const auto made = auth::make_key(name);
  if (!made) return report(made.error());
  std::fputs(
      cat("key, shown only now: ", made->key, "\nline for the file given as --access:\n", made->line, "\n")
          .c_str(),
      stdout);
  return 0;
}

// What happened to a model, as a line of the log.
void log_model(const telemetry::Logger& logger, const repository::Event& event) {
  using Kind = repository::Event::Kind;
  std::string members = cat(json_member("model", event.name), ",", json_member("version", event.version));
  if (!event.detail.empty())
    members += cat(",", json_member(event.kind == Kind::kFailed ? "reason" : "golden", event.detail));
  if (event.kind == Kind::kReady) members += cat(",\"load_ms\":", event.took.count());
  static constexpr std::string_view kNames[] = {"model_ready", "model_failed", "model_unloaded",
                                                "model_freed"};
  logger.event(event.kind == Kind::kFailed ? Level::kError : Level::kInfo,
               kNames[static_cast<std::size_t>(event.kind)], members);
}

std::unique_ptr<repository::Repository> make_repository(const Options& options, Service& service) {
  repository::Source source;
  source.repository = options.repository;
  source.models = options.models;
  if (source.repository.empty() && source.models.empty()) source.bundle = options.bundle;
  return std::make_unique<repository::Repository>(
      repository::RepositoryOptions{
          .source = std::move(source),
          .control = options.control,
          .defaults = options.settings,
          .memory_limit = options.model_memory,
          .threads = service.threads() + service.workers(),
          .load = options.load,
          .attach = [&service](const Model& model) { return service.attach(model); },
          .on_event =
              [&service](const repository::Event& event) {
                service.count(event);
                log_model(service.logger(), event);
              }},
      service.catalog(), base::real_files());
}

// The last line of a start: what there is.
std::string ready_members(const Snapshot& models) {
  std::string members = cat("\"models\":", models.models.size());
  if (const auto* only = models.only())
    members +=
        cat(",", json_member("model", only->name), ",", json_member("digest", only->newest()->labels.digest),
            ",", json_member("golden", only->newest()->golden_summary));
  return members;
}

// Sets the flag at the first signal.
std::shared_ptr<std::atomic<bool>> stop_at_signal(const EndSignals& signals) {
  auto stop = std::make_shared<std::atomic<bool>>(false);
  std::thread([stop, signals] {
    signals.wait();
    *stop = true;
  }).detach();
  return stop;
}

// In AWS Lambda: no listener; events are asked for, one after the other.
int serve_events(const Options& options, Service& service, const EndSignals& signals) {
  const std::string& api = options.contract.lambda_api;
  const auto fetcher = http::make_fetcher({});
  auto repository = make_repository(options, service);
  if (const base::Status started = repository->start(); !started) {
    (void)report_lambda_init_error(*fetcher, api, started.error());
    return std::min(report(started.error()), 1);
  }
  service.set_loaded();
  service.logger().event(Level::kInfo, "ready", ready_members(*service.catalog().share()));
  http::InProcess handler(make_handler(service, 0), {.most_body = options.most_body});
  const auto stop = stop_at_signal(signals);
  const base::Status ended = run_lambda(*fetcher, api, handler, base::system_clock(), *stop);
  service.logger().event(Level::kInfo, "ended");
  return ended ? 0 : report(ended.error());
}

int serve(const Options& options) {
  const EndSignals signals;
  raise_descriptor_limit();
  const unsigned threads = options.threads == 0 ? base::available_cpus() : options.threads;
  const unsigned workers =
      options.workers == 0 ? schedule::workers_for(base::available_cpus()) : options.workers;
  const std::vector<RouteRow> rows = contract_rows(options.contract);
  Service service(threads, options.access_log, kLogFile, workers, rows);
  schedule::Pool pool({.workers = workers});
  service.set_pool(&pool);
  service.set_cors(options.cors);
  http::ServerOptions listen{.threads = threads, .limits = {}, .listeners = {}};
  listen.limits.most_body = options.most_body;
  listen.limits.most_large_bodies = std::max(listen.limits.most_large_bodies, 4 * options.most_body);
  service.set_stream_limits(
      {.most_message = options.most_body,
       .memory = std::make_shared<http::MemoryBudget>(listen.limits.most_large_bodies)});
  service.logger().set_level(options.observe.log_level);
  auto extras = OwnedExtras::make(options, process_environment, threads + workers, base::real_files(),
                                  service.logger());
  if (!extras) return report(extras.error());
  service.set_extras((*extras)->view());
  (*extras)->start();
  if (options.contract.cloud == Cloud::kLambda) {
    const int status = serve_events(options, service, signals);
    (*extras)->stop();
    if (!pool.stop(kLastBatches)) std::_Exit(status);
    return status;
  }
  auto tls = open_tls(options.tls, service.logger());
  if (!tls) return report(tls.error());
  if ((*extras)->has_secrets() || tls->context) protect_memory();
  if (tls->context)
    service.metrics().add_collector(
        [&context = *tls->context](telemetry::Exposition& out) { write_tls_metrics(context.status(), out); });
  listen.listeners.push_back({.host = options.host, .port = options.port, .tls = tls->context});
  if (options.grpc_port)
    listen.listeners.push_back({.host = options.host, .port = *options.grpc_port, .tls = tls->context});
  if (!options.socket.empty())
    listen.listeners.push_back(
        {.unix_path = options.socket, .unix_mode = options.socket_mode, .tls = nullptr});
  auto server = http::Server::start(listen, [&](unsigned thread) { return make_handler(service, thread); });
  if (!server) return report(server.error());
  service.logger().event(Level::kInfo, "listening",
                         cat(json_member("address", address(options, (*server)->port())), ",\"threads\":",
                             threads, options.grpc_port ? cat(",\"grpc_port\":", (*server)->port(1)) : ""));

  auto repository = make_repository(options, service);
  if (const base::Status started = repository->start(); !started)
    return std::min(report(started.error()), 1);  // whatever it is, the models cannot be served
  std::optional<repository::Background> background;
  if (options.control != repository::Control::kNone) {
    background.emplace(std::move(repository), options.poll_interval);
    service.set_background(&*background);
  }
  service.set_loaded();
  {  // held no longer: the models of the start may be replaced
    const auto models = service.catalog().share();
    for (const repository::ModelVersions& model : models->models)
      (*extras)->check(*model.newest(), service.logger());
    service.logger().event(Level::kInfo, "ready", ready_members(*models));
  }

  const int signal = signals.wait();
  signals.end_at_next();
  service.begin_drain();
  (*server)->begin_drain();
  service.logger().event(Level::kInfo, "draining",
                         cat("\"signal\":", signal, ",\"delay_ms\":", options.drain_delay.count()));
  std::this_thread::sleep_for(options.drain_delay);
  const std::size_t cut = (*server)->stop(options.grace);
  service.set_background(nullptr);
  background.reset();
  (*extras)->stop();
  service.logger().event(Level::kInfo, "ended", cat("\"connections_cut\":", cut));
  // A computation which the grace was not enough for cannot be interrupted, and is nobody's any more.
  if (!pool.stop(kLastBatches)) std::_Exit(0);
  return 0;
}

}  // namespace

int run_server(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + std::min(argc, 1), argv + argc);
  auto options = parse_options(arguments, process_environment);
  if (!options) return report(options.error());
  switch (options->action) {
    case Action::kHelp:
      std::fputs(help_text().c_str(), stdout);
      return 0;
    case Action::kVersion:
      std::fputs("wherry-server " WHERRY_VERSION "\n", stdout);
      return 0;
    case Action::kMakeKey:
      return print_key(options->key_name);
    case Action::kServe:
      break;
  }
  const auto exists = [](const std::string& path) { return base::real_files().exists(path); };
  if (const base::Status found = find_bundle(*options, exists); !found) return report(found.error());
  return serve(*options);
}

}  // namespace wherry::serve
