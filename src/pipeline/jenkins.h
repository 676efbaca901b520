// Jenkins, declarative: Jenkinsfile.
#pragma once

#include "base/error.h"
#include "pipeline/systems.h"

namespace wherry::pipeline {

// Error: "pipeline.unsupported_combination".
base::Result<Pipeline> render_jenkins(const Spec& spec);

}  // namespace wherry::pipeline
