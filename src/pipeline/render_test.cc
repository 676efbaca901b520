// The rendered files: golden copies, and what must hold for every system, registry and cluster.
// WHERRY_ACCEPT=1 rewrites the golden copies.
#include <cstdlib>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/text.h"
#include "pipeline/pins.h"
#include "pipeline/systems.h"
#include "text/yaml.h"

namespace wherry::pipeline {
namespace {

using base::cat;
using testing::HasSubstr;
using testing::Not;
using text::Json;

constexpr std::string_view kImages[] = {
    "",
    "ghcr.io/acme/fraud",
    "registry.gitlab.com/acme/fraud",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/fraud",
    "europe-west1-docker.pkg.dev/project/models/fraud",
    "acme.azurecr.io/fraud",
    "de.icr.io/acme/fraud",
    "registry.example.com:5000/fraud",
    "127.0.0.1:5000/fraud",
};
constexpr std::string_view kClusters[] = {"", "kubeconfig", "eks", "gke", "aks", "iks"};

Request request_for(std::string_view image, std::string_view cluster) {
  return {.name = "fraud",
          .model = "models/fraud v2, a: b #c.joblib",
          .image = std::string(image),
          .cluster = std::string(cluster),
          .name_space = "scoring",
          .branch = {},
          .pins = {}};
}

struct Rendered {
  std::string label;
  Spec spec;
  Pipeline pipeline;
};

// Everything which can be rendered of one system.
std::vector<Rendered> all_of(const System& system) {
  std::vector<Rendered> all;
  for (const std::string_view image : kImages)
    for (const std::string_view cluster : kClusters) {
      const auto spec = make_spec(request_for(image, cluster));
      EXPECT_TRUE(spec) << image << " " << cluster;
      if (!spec) continue;
      auto pipeline = system.render(*spec);
      if (!pipeline) {
        EXPECT_EQ(pipeline.error().id, "pipeline.unsupported_combination");
        EXPECT_FALSE(pipeline.error().hint.empty());
        continue;
      }
      all.push_back({cat(system.name, " ", image, " ", cluster), *spec, std::move(*pipeline)});
    }
  EXPECT_FALSE(all.empty()) << system.name;
  return all;
}

class EverySystem : public testing::TestWithParam<System> {};

TEST_P(EverySystem, WritesFilesWhichAreYamlAgain) {
  for (const Rendered& rendered : all_of(GetParam()))
    for (const File& file : rendered.pipeline.files) {
      if (!file.path.ends_with(".yml")) continue;
      const auto document = text::parse_yaml(file.content, file.path);
      EXPECT_TRUE(document) << rendered.label << " " << file.path;
    }
}

TEST_P(EverySystem, BringsTheHelperScript) {
  for (const Rendered& rendered : all_of(GetParam())) {
    EXPECT_EQ(rendered.pipeline.files.back().path, "ci/wherry.sh");
    EXPECT_TRUE(rendered.pipeline.files.back().executable);
  }
}

TEST_P(EverySystem, VerifiesBuildsPushesAndDeploysByReference) {
  for (const Rendered& rendered : all_of(GetParam())) {
    std::string all;
    for (const File& file : rendered.pipeline.files) all += file.content;
    for (const std::string_view command :
         {"wherry verify \"$MODEL\"", "wherry build \"$MODEL\" --name \"$NAME\" -t ", "--push",
          "wherry deploy \"$NAME\" --image "})
      EXPECT_THAT(all, HasSubstr(command)) << rendered.label;
  }
}

TEST_P(EverySystem, NamesEverySettingItsFilesNeedOnce) {
  for (const Rendered& rendered : all_of(GetParam())) {
    std::vector<std::string> names;
    for (const Setting& setting : rendered.pipeline.settings) {
      EXPECT_FALSE(setting.meaning.empty());
      names.push_back(setting.name);
    }
    std::ranges::sort(names);
    EXPECT_EQ(std::ranges::adjacent_find(names), names.end()) << rendered.label;
  }
}

TEST_P(EverySystem, RendersTheSameTwice) {
  const std::vector<Rendered> first = all_of(GetParam()), second = all_of(GetParam());
  ASSERT_EQ(first.size(), second.size());
  for (std::size_t i = 0; i < first.size(); ++i)
    for (std::size_t k = 0; k < first[i].pipeline.files.size(); ++k)
      EXPECT_EQ(first[i].pipeline.files[k].content, second[i].pipeline.files[k].content);
}

INSTANTIATE_TEST_SUITE_P(Render, EverySystem, testing::ValuesIn(systems().begin(), systems().end()),
                         [](const auto& row) { return std::string(row.param.name); });

struct Golden {
  std::string_view system, image, cluster, folder;
};
constexpr Golden kGolden[] = {
    {"github", "", "", "github"},
    {"github", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/fraud", "", "github-aws"},
    {"github", "europe-west1-docker.pkg.dev/project/models/fraud", "", "github-google"},
    {"github", "acme.azurecr.io/fraud", "", "github-azure"},
    {"github", "de.icr.io/acme/fraud", "", "github-ibm"},
    {"gitlab", "", "", "gitlab"},
    {"gitlab", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/fraud", "", "gitlab-aws"},
    {"jenkins", "", "", "jenkins"},
    {"jenkins", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/fraud", "", "jenkins-aws"},
    {"jenkins", "europe-west1-docker.pkg.dev/project/models/fraud", "", "jenkins-google"},
    {"travis", "", "", "travis"},
    {"travis", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/fraud", "", "travis-aws"},
    {"codepipeline", "", "", "codepipeline"},
};

class GoldenFiles : public testing::TestWithParam<Golden> {};

TEST_P(GoldenFiles, AreWhatIsRendered) {
  const Golden& row = GetParam();
  const auto system = find_system(row.system);
  ASSERT_TRUE(system);
  const auto spec = make_spec(request_for(row.image, row.cluster));
  ASSERT_TRUE(spec);
  const auto pipeline = system->render(*spec);
  ASSERT_TRUE(pipeline) << pipeline.error().message;
  const std::filesystem::path folder =
      std::filesystem::path(WHERRY_SOURCE_DIR) / "src/pipeline/testdata" / row.folder;
  const char* accept = std::getenv("WHERRY_ACCEPT");
  for (const File& file : pipeline->files) {
    if (file.path == "ci/wherry.sh" && row.folder != "github") continue;  // one copy is enough
    if (accept != nullptr && std::string_view(accept) == "1") {
      ASSERT_TRUE(base::real_files().write(folder / file.path, file.content, file.executable));
    }
    const auto golden = base::real_files().read(folder / file.path, 1 << 20);
    ASSERT_TRUE(golden) << golden.error().message << "; WHERRY_ACCEPT=1 makes it";
    EXPECT_EQ(*golden, file.content) << file.path;
  }
}

INSTANTIATE_TEST_SUITE_P(Render, GoldenFiles, testing::ValuesIn(kGolden), [](const auto& row) {
  std::string name(row.param.folder);
  std::ranges::replace(name, '-', '_');
  return name;
});

// Every step of every job of a workflow.
std::vector<Json> steps_of(const Json& workflow) {
  std::vector<Json> steps;
  for (const auto& [name, job] : workflow["jobs"].items())
    for (const Json& step : job["steps"]) steps.push_back(step);
  return steps;
}

std::vector<std::pair<std::string, Json>> all_workflows() {
  std::vector<std::pair<std::string, Json>> workflows;
  for (const Rendered& rendered : all_of(*find_system("github")))
    workflows.emplace_back(rendered.label, *text::parse_yaml(rendered.pipeline.files[0].content, "workflow"));
  return workflows;
}

TEST(Github, ExpandsNoExpressionInsideShellText) {
  for (const auto& [label, workflow] : all_workflows())
    for (const Json& step : steps_of(workflow))
      if (const std::string* run = text::find_string(step, "run")) {
        EXPECT_THAT(*run, Not(HasSubstr("${{"))) << label;
      }
}

TEST(Github, PinsEveryActionToACommit) {
  for (const auto& [label, workflow] : all_workflows())
    for (const Json& step : steps_of(workflow))
      if (const std::string* uses = text::find_string(step, "uses")) {
        EXPECT_THAT(*uses, testing::MatchesRegex("[a-z-]+/[a-z-]+@[0-9a-f]{40}")) << label;
      }
}

TEST(Github, SaysTheVersionBehindEveryCommit) {
  for (const Rendered& rendered : all_of(*find_system("github")))
    for (const std::string_view line : base::split(rendered.pipeline.files[0].content, '\n'))
      if (line.find("uses: ") != line.npos) {
        EXPECT_THAT(std::string(line), testing::MatchesRegex(".*@[0-9a-f]{40} # v[0-9]+\\.[0-9]+\\.[0-9]+"));
      }
}

TEST(Github, GivesAnIdTokenOnlyToJobsWhichSignInToACloud) {
  for (const auto& [label, workflow] : all_workflows())
    for (const auto& [name, job] : workflow["jobs"].items()) {
      const Json* permissions = text::find_object(job, "permissions");
      const bool has = permissions != nullptr && permissions->contains("id-token");
      bool signs_in = false;
      for (const Json& step : job["steps"])
        if (const std::string* uses = text::find_string(step, "uses"))
          signs_in = signs_in || uses->starts_with("aws-actions/") || uses->starts_with("azure/login") ||
                     uses->starts_with("google-github-actions/auth");
      EXPECT_EQ(has, signs_in) << label << " job " << name;
    }
}

TEST(Github, PushesAndDeploysNothingOnPullRequests) {
  for (const auto& [label, workflow] : all_workflows()) {
    EXPECT_EQ(workflow["jobs"]["publish"]["if"], "github.event_name == 'push'") << label;
    EXPECT_EQ(workflow["jobs"]["deploy"]["needs"], "publish") << label;
    EXPECT_EQ(workflow["permissions"], Json({{"contents", "read"}})) << label;
  }
}

TEST(Github, KeepsNoSecretOfACloudWhichTakesOidc) {
  for (const Rendered& rendered : all_of(*find_system("github")))
    for (const Setting& setting : rendered.pipeline.settings)
      if (setting.secret) {
        EXPECT_THAT(setting.name, testing::AnyOf("REGISTRY_PASSWORD", "KUBECONFIG", "IBMCLOUD_API_KEY"))
            << rendered.label;
      }
}

TEST(Github, TakesAnotherCommitOfAnActionWhenAsked) {
  Request request = request_for("", "");
  const std::string commit(40, 'a');
  request.pins = {cat("actions/checkout@", commit, "#v9.8.7")};
  const auto pipeline = find_system("github")->render(*make_spec(request));
  ASSERT_TRUE(pipeline);
  EXPECT_THAT(pipeline->files[0].content, HasSubstr(cat("uses: actions/checkout@", commit, " # v9.8.7\n")));
}

TEST(Settings, NameEveryVariableGithubReads) {
  for (const Rendered& rendered : all_of(*find_system("github"))) {
    const std::string& text = rendered.pipeline.files[0].content;
    for (const Setting& setting : rendered.pipeline.settings)
      EXPECT_THAT(text, HasSubstr(cat(setting.secret ? "secrets." : "vars.", setting.name, " ")))
          << rendered.label;
    for (const std::string_view prefix : {"vars.", "secrets."})
      for (std::size_t at = text.find(prefix); at != text.npos; at = text.find(prefix, at + 1)) {
        const std::string used = text.substr(at + prefix.size(), text.find(' ', at) - at - prefix.size());
        EXPECT_TRUE(
            used == "GITHUB_TOKEN" ||
            std::ranges::any_of(rendered.pipeline.settings, [&](const Setting& s) { return s.name == used; }))
            << rendered.label << " " << used;
      }
  }
}

TEST(Systems, SuggestTheNearestName) {
  const auto system = find_system("githib");
  ASSERT_FALSE(system);
  EXPECT_EQ(system.error().id, "pipeline.unknown_system");
  EXPECT_EQ(system.error().hint, "did you mean github?");
}

}  // namespace
}  // namespace wherry::pipeline
