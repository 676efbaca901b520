#include "cli/registries.h"

#include <array>
#include <utility>

#include "base/text.h"
#include "cli/version.h"

namespace wherry::cli {

using base::cat;

Registries::Registries(Context& context, bool insecure)
    : context_(context),
      insecure_(insecure),
      credentials_(oci::docker_credentials(oci::process_environment(), context.files, context.processes)) {
  http_client::TransportOptions options;
  options.tls.insecure = insecure;
  options.user_agent = cat("wherry/", kVersion);
  transport_ = context.make_transport(std::move(options));
}

Registries::~Registries() = default;

oci::RegistrySession& Registries::session(const std::string& registry) {
  std::unique_ptr<oci::RegistrySession>& session = sessions_[registry];
  if (session) return *session;
  oci::RegistryOptions options;
  options.insecure = insecure_;
  options.on_warning = [this, registry](std::string_view text) {
    context_.terminal.warning(cat(registry, " says: ", base::quoted(text, 300)));
  };
  options.retry.on_retry = [this, registry](std::string_view why, std::chrono::milliseconds wait) {
    context_.terminal.note(cat(registry, ": ", why, "; trying again in ", wait.count() / 1000, " s"));
  };
  session = std::make_unique<oci::RegistrySession>(
      registry, oci::RegistryServices{*transport_, context_.clock, *credentials_}, std::move(options));
  return *session;
}

oci::PushOptions Registries::push_options(std::vector<std::string> mount_from) const {
  return {.mount_from = std::move(mount_from), .on_progress = [this](const oci::PushProgress& progress) {
            const std::uint64_t percent = progress.size == 0 ? 100 : progress.sent * 100 / progress.size;
            context_.terminal.progress(cat("pushing ", progress.digest.substr(0, 19), " ", percent, " % of ",
                                           base::human_size(progress.size)));
          }};
}

std::string summary(const oci::PushResult& result) {
  struct Row {
    oci::BlobOutcome outcome;
    std::string_view saying;
  };
  constexpr std::array kRows{Row{oci::BlobOutcome::kUploaded, "uploaded"},
                             Row{oci::BlobOutcome::kMounted, "mounted"},
                             Row{oci::BlobOutcome::kExisted, "there already"}};
  std::string text;
  for (const Row& row : kRows) {
    std::size_t count = 0;
    std::uint64_t bytes = 0;
    for (const oci::PushedBlob& blob : result.blobs) {
      if (blob.outcome != row.outcome) continue;
      ++count;
      bytes += blob.size;
    }
    if (count > 0)
      text += cat(text.empty() ? "" : ", ", count, count == 1 ? " blob " : " blobs ", row.saying, " (",
                  base::human_size(bytes), ")");
  }
  return text;
}

}  // namespace wherry::cli
