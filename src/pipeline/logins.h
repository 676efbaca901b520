// Signing in to clouds, registries and clusters in shell, shared by the CI systems. All values are
// environment variables, so nothing is ever spliced into shell text. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipeline/systems.h"

namespace wherry::pipeline {

struct Login {
  std::vector<std::string> lines;  // POSIX shell, one command each
  std::vector<Setting> settings;   // the variables they read
};

// With an OIDC token of the CI system in the file $OIDC_TOKEN_FILE (AWS reads $AWS_WEB_IDENTITY_TOKEN_FILE
// itself); IBM Cloud with an API key.
Login cloud_login(Cloud cloud);

// Makes `wherry build --push` to $IMAGE possible, once signed in to the registry's cloud.
Login registry_login(Registry registry);

// Makes the cluster the current context, once signed in to its cloud.
Login cluster_login(Cluster cluster);

// The parts every system shares: the first line of each file, and the settings as comment lines.
std::string header(std::string_view system, std::string_view marker, const std::vector<Setting>& settings);

void append(std::vector<Setting>& to, const std::vector<Setting>& more);  // each name once

std::unexpected<base::Error> unsupported(std::string_view system, std::string_view what,
                                         std::string_view hint);

}  // namespace wherry::pipeline
