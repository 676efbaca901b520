// kubeconfig files, and what credential programs print, come from anywhere.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "kube/credentials.h"
#include "kube/kubeconfig.h"

using namespace wherry;

namespace {

// No file exists, no program runs: only what stands in the document itself is looked at.
class NoFiles final : public base::FileSystem {
 public:
  base::Result<std::string> read(const std::filesystem::path&, std::uint64_t) override {
    return base::fail(base::Code::kUsage, "base.file_not_found", "no file");
  }
  base::Status write(const std::filesystem::path&, std::string_view, bool) override { return {}; }
  bool exists(const std::filesystem::path&) override { return false; }
  base::Status remove_all(const std::filesystem::path&) override { return {}; }
};

class NoProcesses final : public base::Processes {
 public:
  base::Result<base::CommandOutput> run(const base::Command&) override {
    return base::fail(base::Code::kUnavailable, "base.command_not_found", "no program");
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view document(reinterpret_cast<const char*>(data), size);
  NoFiles files;
  NoProcesses processes;
  const kube::Machine machine{files, processes, base::system_clock()};
  const auto config = kube::parse_kubeconfig(document, "kubeconfig", "/home/me/.kube");
  if (config) {
    const kube::Kubeconfig merged = kube::merge({*config, *config});
    for (const kube::ContextEntry& context : merged.contexts) {
      const auto selection = kube::select_context(merged, context.name);
      if (!selection) continue;
      const auto access = kube::access_from(*selection, machine);
      if (access) (void)access->credentials->current();
    }
    (void)kube::select_context(merged, "");
  }
  kube::ExecPlugin plugin;
  plugin.api_version = "client.authentication.k8s.io/v1";
  plugin.command = "login";
  (void)kube::parse_exec_answer(document, plugin);
  return 0;
}
