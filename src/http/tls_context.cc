#include <condition_variable>
#include <mutex>
#include <openssl/crypto.h>
#include <thread>

#include "base/digest.h"
#include "base/text.h"
#include "http/tls.h"
#include "http/tls_generation.h"

namespace wherry::http {

using base::Result;

namespace {

constexpr std::uint64_t kMostFile = 4u << 20;

Result<TlsTexts> read_files(const TlsOptions& options, base::FileSystem& files) {
  TlsTexts texts;
  TRY_ASSIGN(texts.certificate, files.read(options.certificate, kMostFile));
  TRY_ASSIGN(texts.key, files.read(options.key, kMostFile));
  if (options.client_certificate != ClientCertificate::kNone && !options.client_authorities.empty()) {
    TRY_ASSIGN(texts.client_authorities, files.read(options.client_authorities, kMostFile));
  }
  return texts;
}

std::string digest_of(const TlsTexts& texts) {
  std::string all;
  for (const std::string* text : {&texts.certificate, &texts.key, &texts.client_authorities})
    all += base::sha256_hex(*text);
  return all;
}

void forget(TlsTexts& texts) {
  OPENSSL_cleanse(texts.key.data(), texts.key.size());
}

}  // namespace

struct TlsContext::State {
  std::shared_ptr<TicketSource> tickets;
  std::string served;   // digest of the texts which serve; refresh() only, as is the next
  std::string refused;  // digest of texts, or message, that an error was reported for
  mutable std::mutex mutex;
  std::shared_ptr<const TlsGeneration> current;
  std::uint64_t reloads = 0;
  std::optional<base::Error> problem;
};

TlsContext::TlsContext(TlsOptions options, base::FileSystem& files, base::Clock& clock)
    : options_(std::move(options)), files_(files), clock_(clock), state_(std::make_unique<State>()) {
  state_->tickets = std::make_shared<TicketSource>(clock);
}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<TlsContext>> TlsContext::load(TlsOptions options, base::FileSystem& files,
                                                     base::Clock& clock) {
  const std::shared_ptr<TlsContext> made(new TlsContext(std::move(options), files, clock));
  State& state = *made->state_;
  TRY_ASSIGN(TlsTexts texts, read_files(made->options_, files));
  auto generation = make_generation(made->options_, texts, state.tickets);
  state.served = digest_of(texts);
  forget(texts);
  if (!generation) return std::unexpected(std::move(generation).error());
  state.current = std::move(*generation);
  return made;
}

Result<bool> TlsContext::refresh() {
  State& state = *state_;
  const auto refuse = [&](base::Error error, const std::string& what) -> Result<bool> {
    const std::lock_guard lock(state.mutex);
    state.problem = error;
    if (state.refused == what) return false;
    state.refused = what;
    return std::unexpected(std::move(error));
  };
  auto texts = read_files(options_, files_);
  if (!texts) return refuse(texts.error(), texts.error().message);
  const std::string digest = digest_of(*texts);
  if (digest == state.served) {
    forget(*texts);
    state.refused.clear();
    const std::lock_guard lock(state.mutex);
    state.problem.reset();
    return false;
  }
  auto generation = make_generation(options_, *texts, state.tickets);
  forget(*texts);
  if (!generation) return refuse(generation.error(), digest);
  state.served = digest;
  state.refused.clear();
  const std::lock_guard lock(state.mutex);
  state.current = std::move(*generation);
  state.problem.reset();
  ++state.reloads;
  return true;
}

TlsStatus TlsContext::status() const {
  const std::lock_guard lock(state_->mutex);
  return {state_->current->subject, state_->current->not_after, state_->reloads, state_->problem};
}

std::shared_ptr<const TlsGeneration> TlsContext::current() const {
  const std::lock_guard lock(state_->mutex);
  return state_->current;
}

struct TlsWatcher::State {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::jthread thread;
};

TlsWatcher::TlsWatcher(std::vector<std::shared_ptr<TlsContext>> contexts, std::chrono::milliseconds interval,
                       Report report)
    : state_(std::make_unique<State>()) {
  state_->thread = std::jthread([state = state_.get(), contexts = std::move(contexts), interval,
                                 report = std::move(report)](const std::stop_token& stop) {
    std::unique_lock lock(state->mutex);
    while (!state->wake.wait_for(lock, stop, interval, [&] { return stop.stop_requested(); }))
      for (const auto& context : contexts) {
        const Result<bool> refreshed = context->refresh();
        if (!refreshed || *refreshed) report(*context, refreshed);
      }
  });
}
TlsWatcher::~TlsWatcher() = default;

}  // namespace wherry::http
