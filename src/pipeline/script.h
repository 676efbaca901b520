// ci/wherry.sh, the one script which every pipeline brings along.
#pragma once

#include "pipeline/systems.h"

namespace wherry::pipeline {

// `setup` makes the command wherry available, `login` stores a registry login without Docker.
File helper_script();

// Where the pipeline gets wherry from when the runner has none: WHERRY_REPOSITORY and WHERRY_VERSION.
std::vector<Setting> helper_settings();

}  // namespace wherry::pipeline
