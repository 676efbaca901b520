// The CI/CD systems wherry writes pipelines for: one row and one file pair each. Pure functions; nothing here
// touches the disk.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "pipeline/spec.h"

namespace wherry::pipeline {

// What a person sets in the CI system once, because it is no part of the repository.
struct Setting {
  std::string name;
  std::string meaning;
  bool secret = false;
};

struct File {
  std::string path;  // relative to the repository, '/' between folders
  std::string content;
  bool executable = false;
};

struct Pipeline {
  std::vector<File> files;
  std::vector<Setting> settings;
};

struct System {
  std::string_view name;   // "github"
  std::string_view title;  // "GitHub Actions"
  std::string_view files;  // what it writes, for lists
  // Error: "pipeline.unsupported_combination".
  base::Result<Pipeline> (*render)(const Spec& spec);
};

std::span<const System> systems();

// Error: "pipeline.unknown_system" with the nearest name.
base::Result<System> find_system(std::string_view name);

}  // namespace wherry::pipeline
