#include "pipeline/systems.h"

#include <array>

#include "base/text.h"
#include "pipeline/codepipeline.h"
#include "pipeline/github.h"
#include "pipeline/gitlab.h"
#include "pipeline/jenkins.h"
#include "pipeline/travis.h"

namespace wherry::pipeline {
namespace {

constexpr std::array<System, 5> kSystems{{
    {"github", "GitHub Actions", ".github/workflows/wherry.yml", render_github},
    {"gitlab", "GitLab CI/CD", ".gitlab-ci.yml", render_gitlab},
    {"jenkins", "Jenkins", "Jenkinsfile", render_jenkins},
    {"travis", "Travis CI", ".travis.yml", render_travis},
    {"codepipeline", "AWS CodePipeline and CodeBuild",
     "buildspec.yml, ci/deploy.buildspec.yml, ci/codepipeline.yml", render_codepipeline},
}};

}  // namespace

std::span<const System> systems() {
  return kSystems;
}

base::Result<System> find_system(std::string_view name) {
  std::vector<std::string_view> names;
  for (const System& system : kSystems) {
    if (system.name == name) return system;
    names.push_back(system.name);
  }
  const auto close = base::nearest(name, names);
  return base::fail(base::Code::kUsage, "pipeline.unknown_system",
                    base::cat("no CI system ", base::quoted(name)),
                    close ? base::cat("did you mean ", *close, "?")
                          : "one of github, gitlab, jenkins, travis, codepipeline");
}

}  // namespace wherry::pipeline
