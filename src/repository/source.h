// What there is to be served on disk.
//
//   a bundle       FOLDER/bundle.json                        one model under the bundle's own name, version 1
//   a repository   FOLDER/NAME/bundle.json                   version 1 of NAME
//                  FOLDER/NAME/model/bundle.json            the same, as SageMaker lays models out
//                  FOLDER/NAME/VERSION/bundle.json           VERSION: 1, 2, … without leading zeros
//   a list         NAME=FOLDER, where FOLDER is a bundle or holds versions
//
// serving.json stands beside bundle.json, or in the folder of the versions. Folders beginning with a dot are
// left out, as Kubernetes keeps the generations of a mounted volume there; symbolic links are followed.
//
// Thread-safety: values, pure functions of the disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace wherry::repository {

struct Source {
  std::filesystem::path bundle;  // exactly one of the three is not empty
  std::filesystem::path repository;
  std::vector<std::pair<std::string, std::filesystem::path>> models;
};

// A folder with a bundle.json.
struct Found {
  std::string name;  // empty: the bundle's own
  std::uint64_t version = 1;
  std::filesystem::path folder;
  std::filesystem::path settings;  // of serving.json; empty: there is none
  std::string fingerprint;         // other when any of its files was changed, replaced, added or removed
};

// Letters, digits, '-', '_' and '.', at most 128, not beginning with a dot: cannot leave a folder.
bool is_model_name(std::string_view name);

// By name and version. Errors: "repository.no_folder", "repository.bad_name"; what is merely no bundle is
// left out.
base::Result<std::vector<Found>> scan(const Source& source);

}  // namespace wherry::repository
