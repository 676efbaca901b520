// Registries as commands use them: logins from docker's and podman's configuration, progress and warnings on
// the terminal.
//
// Thread-safety: none; the command line runs in one thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "cli/command.h"
#include "oci/push.h"
#include "oci/registry.h"

namespace wherry::cli {

class Registries {
 public:
  // `insecure`: plain HTTP and unverified certificates are accepted (the loopback interface needs no such
  // permission).
  Registries(Context& context, bool insecure);
  ~Registries();

  // The session of one registry, made at the first call and kept; lives as long as this object.
  oci::RegistrySession& session(const std::string& registry);

  // Options for a push: `mount_from`, and progress on the terminal.
  oci::PushOptions push_options(std::vector<std::string> mount_from) const;

 private:
  Context& context_;
  bool insecure_;
  std::unique_ptr<http_client::Transport> transport_;
  std::unique_ptr<oci::CredentialStore> credentials_;
  std::map<std::string, std::unique_ptr<oci::RegistrySession>> sessions_;
};

// "3 blobs uploaded (4.1 MB), 1 mounted, 2 there already".
std::string summary(const oci::PushResult& result);

}  // namespace wherry::cli
