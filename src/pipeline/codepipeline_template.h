// The CloudFormation template of a CodePipeline: artifact bucket, log group, one role per part with the least
// it needs, two CodeBuild projects, access of the deploying one to a namespace of the cluster, the pipeline.
#pragma once

#include <string>

#include "pipeline/spec.h"
#include "text/json.h"

namespace wherry::pipeline {

struct EcrImage {
  std::string account;     // empty: the stack's own
  std::string region;      // empty: the stack's own
  std::string repository;  // "team/fraud"
  std::string reference;   // REGISTRY/REPOSITORY; empty: composed by the stack
};

text::Json codepipeline_template(const Spec& spec, const EcrImage& image);

}  // namespace wherry::pipeline
