// What a pipeline is for: the application, where its image goes and where it runs. Pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace wherry::pipeline {

enum class Cloud { kNone, kAws, kGoogle, kAzure, kIbm };

// How to sign in to the registry, decided by its host.
enum class Registry {
  kAnonymous,  // loopback
  kPassword,   // user and password
  kGithub,     // ghcr.io; GitHub Actions sign in with the token of the run
  kGitlab,     // $CI_REGISTRY; GitLab signs in with the token of the job
  kEcr,
  kArtifactRegistry,
  kAcr,
  kIcr,
};

enum class Cluster { kKubeconfig, kEks, kGke, kAks, kIks };

// A GitHub action at one commit.
struct Pin {
  std::string action;   // "actions/checkout"
  std::string commit;   // 40 hex digits
  std::string version;  // "v6.0.2"

  bool operator==(const Pin&) const = default;
};

// As the user gave it; empty means "not given".
struct Request {
  std::string name;
  std::string model;
  std::string image;
  std::string cluster;
  std::string name_space;
  std::string branch;
  std::vector<std::string> pins;  // "ACTION@SHA#VERSION", before the built-in ones
};

// Every member holds only characters which need no escape in YAML values, Groovy strings and quoted shell
// words; make_spec is the only place which decides that.
struct Spec {
  std::string name;
  std::string model;
  std::string image;  // REGISTRY/REPOSITORY; empty: the CI system's own registry, or its variable IMAGE
  std::optional<Registry> registry;  // nothing when `image` is empty
  std::optional<Cluster> cluster;    // nothing when neither it nor an image of a cloud was given
  std::string name_space;
  std::string branch;
  std::vector<Pin> pins;
};

// Errors: "pipeline.invalid_name", "pipeline.invalid_image", "pipeline.invalid_model",
// "pipeline.invalid_branch", "pipeline.unknown_cluster", "pipeline.invalid_pin".
base::Result<Spec> make_spec(const Request& request);

// The nearest DNS label to `text` ("Fraud Model_2" -> "fraud-model-2"), "service" when nothing is left.
std::string to_label(std::string_view text);

std::string_view name(Cluster cluster);
Cloud cloud_of(Registry registry);
Cloud cloud_of(Cluster cluster);

}  // namespace wherry::pipeline
