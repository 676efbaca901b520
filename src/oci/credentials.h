// Logins for registries, from where docker and podman keep them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/files.h"
#include "base/process.h"

namespace wherry::oci {

// At most one of (username and password), identity token and registry token is set; none: anonymous.
struct Credentials {
  std::string username;
  std::string password;
  std::string identity_token;  // exchanged for access tokens (OAuth2 refresh token)
  std::string registry_token;  // sent as Bearer as it is

  bool is_anonymous() const { return username.empty() && identity_token.empty() && registry_token.empty(); }
};

// Where logins come from. Implementations are thread-safe.
class CredentialStore {
 public:
  virtual ~CredentialStore() = default;
  // Anonymous when there is no login for this registry.
  virtual base::Result<Credentials> find(std::string_view registry, std::string_view repository) = 0;
};

// A variable's value, or nothing when it is not set or empty.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;
Environment process_environment();

// The first of $DOCKER_CONFIG/config.json (else ~/.docker/config.json), $REGISTRY_AUTH_FILE,
// $XDG_RUNTIME_DIR/containers/auth.json and $XDG_CONFIG_HOME (else ~/.config)/containers/auth.json that
// exists. In it, by registry: credHelpers, credsStore, auths (the key "registry/repository" or a prefix of it
// before "registry"). Helpers run as docker-credential-NAME get; each registry is asked once.
// Errors of find(): "oci.credentials_invalid", "oci.credential_helper", "base.command_*".
std::unique_ptr<CredentialStore> docker_credentials(Environment environment, base::FileSystem& files,
                                                    base::Processes& processes);

// The same login for every registry asked about (command line, tests).
std::unique_ptr<CredentialStore> fixed_credentials(Credentials credentials);

// Looks for a login in the text of a configuration file only, without helpers; exposed for tests and fuzzing.
base::Result<Credentials> find_in_config(std::string_view document, std::string_view what,
                                         std::string_view registry, std::string_view repository);

}  // namespace wherry::oci
