#include "pipeline/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/pins.h"

namespace wherry::pipeline {
namespace {

Request good() {
  return {.name = "fraud",
          .model = "model.joblib",
          .image = {},
          .cluster = {},
          .name_space = {},
          .branch = {},
          .pins = {}};
}

std::string error_id(const Request& request) {
  const auto spec = make_spec(request);
  if (spec) return "accepted";
  EXPECT_FALSE(spec.error().hint.empty());
  return spec.error().id;
}

TEST(Spec, FillsInNamespaceAndBranch) {
  const auto spec = make_spec(good());
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->name_space, "default");
  EXPECT_EQ(spec->branch, "main");
  EXPECT_FALSE(spec->registry);
  EXPECT_FALSE(spec->cluster);
}

TEST(Spec, RefusesNamesKubernetesRefuses) {
  for (const char* name :
       {"", "Fraud", "fraud_1", "-fraud", "fraud-", "1fraud", "a b", "x;rm -rf", "$(id)"}) {
    Request request = good();
    request.name = name;
    EXPECT_EQ(error_id(request), "pipeline.invalid_name") << name;
  }
  Request request = good();
  request.name = std::string(64, 'a');
  EXPECT_EQ(error_id(request), "pipeline.invalid_name");
  request = good();
  request.name_space = "Prod";
  EXPECT_EQ(error_id(request), "pipeline.invalid_name");
}

TEST(Spec, RefusesModelPathsWhichLeaveTheRepositoryOrMeanSomethingToAShell) {
  for (const char* model :
       {"", "/etc/passwd", "../model.joblib", "a/../b", "a//b", "-rf", "~/m", "$(id).joblib", "`id`", "a'b",
        "a\"b", "a\\b", "a\nb", "${{ secrets.X }}", "a;b", "a|b", " a", "a ", "\xff"}) {
    Request request = good();
    request.model = model;
    EXPECT_EQ(error_id(request), "pipeline.invalid_model") << model;
  }
}

TEST(Spec, AcceptsModelPathsWhichQuotingHandles) {
  for (const char* model :
       {"a: b #c.joblib", "models/Modèle (2).joblib", "x=1,y@2~.joblib", "yes", "0x10", "[a]"}) {
    Request request = good();
    request.model = model;
    EXPECT_EQ(error_id(request), "accepted") << model;
  }
}

TEST(Spec, RefusesImagesWithTagDigestUpperCaseOrNoRegistry) {
  for (const char* image :
       {"fraud", "acme/fraud", "ghcr.io/Acme/fraud", "ghcr.io/acme/fraud:1", "ghcr.io/acme/fraud@sha256:00",
        "ghcr.io//fraud", "ghcr.io/acme/-fraud", "ghcr.io:0/a", "ghcr.io:99999/a", "https://ghcr.io/a",
        "ghcr.io/$x", "ghcr.io/a b", "-x.io/a"}) {
    Request request = good();
    request.image = image;
    EXPECT_EQ(error_id(request), "pipeline.invalid_image") << image;
  }
}

struct Kind {
  const char* image;
  Registry registry;
  std::optional<Cluster> cluster;
};

TEST(Spec, RecognisesRegistriesAndTheClusterBesideThem) {
  for (const Kind& kind :
       {Kind{"ghcr.io/a/b", Registry::kGithub, {}}, Kind{"registry.gitlab.com/a/b", Registry::kGitlab, {}},
        Kind{"123456789012.dkr.ecr.eu-west-1.amazonaws.com/b", Registry::kEcr, Cluster::kEks},
        Kind{"europe-docker.pkg.dev/p/r/b", Registry::kArtifactRegistry, Cluster::kGke},
        Kind{"acme.azurecr.io/b", Registry::kAcr, Cluster::kAks},
        Kind{"us.icr.io/a/b", Registry::kIcr, Cluster::kIks},
        Kind{"icr.io/a/b", Registry::kIcr, Cluster::kIks}, Kind{"notghcr.io/a/b", Registry::kPassword, {}},
        Kind{"ghcr.io.evil.example/a/b", Registry::kPassword, {}},
        Kind{"docker.io/acme/b", Registry::kPassword, {}}, Kind{"localhost:5000/b", Registry::kAnonymous, {}},
        Kind{"127.0.0.1:5000/b", Registry::kAnonymous, {}}}) {
    Request request = good();
    request.image = kind.image;
    const auto spec = make_spec(request);
    ASSERT_TRUE(spec) << kind.image;
    EXPECT_EQ(spec->registry, kind.registry) << kind.image;
    EXPECT_EQ(spec->cluster, kind.cluster) << kind.image;
  }
}

TEST(Spec, SuggestsTheNearestKindOfCluster) {
  Request request = good();
  request.cluster = "kubeconfg";
  const auto spec = make_spec(request);
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.error().id, "pipeline.unknown_cluster");
  EXPECT_EQ(spec.error().hint, "did you mean kubeconfig?");
}

TEST(Spec, RefusesBranchesWithPatterns) {
  for (const char* branch : {"feature/*", "a b", "-x", "$x", "a\"b"}) {
    Request request = good();
    request.branch = branch;
    EXPECT_EQ(error_id(request), "pipeline.invalid_branch") << branch;
  }
}

TEST(Spec, RefusesPinsWhichCanMoveOrAreNotUsed) {
  const std::string commit(40, '0');
  for (const std::string& pin :
       {std::string("actions/checkout@v6"), "actions/checkout@" + commit,
        "actions/checkout@" + commit + "#main", "actions/checkout@" + commit.substr(1) + "#v1",
        "evil/action@" + commit + "#v1.0.0", std::string("#"), std::string("")}) {
    Request request = good();
    request.pins = {pin};
    EXPECT_EQ(error_id(request), "pipeline.invalid_pin") << pin;
  }
}

TEST(Label, IsMadeOfAnyText) {
  EXPECT_EQ(to_label("Fraud Model_2"), "fraud-model-2");
  EXPECT_EQ(to_label("2024-model"), "model");
  EXPECT_EQ(to_label("--"), "service");
  EXPECT_EQ(to_label(""), "service");
  EXPECT_EQ(to_label("x" + std::string(80, '-') + "y").size(), 3U);
  EXPECT_LE(to_label(std::string(80, 'x')).size(), 63U);
}

}  // namespace
}  // namespace wherry::pipeline
