// Travis CI: .travis.yml.
#pragma once

#include "base/error.h"
#include "pipeline/systems.h"

namespace wherry::pipeline {

// Error: "pipeline.unsupported_combination".
base::Result<Pipeline> render_travis(const Spec& spec);

}  // namespace wherry::pipeline
