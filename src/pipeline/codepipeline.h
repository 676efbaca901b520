// AWS CodePipeline (V2) with two CodeBuild projects: their buildspecs and the CloudFormation template.
#pragma once

#include "base/error.h"
#include "pipeline/systems.h"

namespace wherry::pipeline {

// Error: "pipeline.unsupported_combination".
base::Result<Pipeline> render_codepipeline(const Spec& spec);

}  // namespace wherry::pipeline
