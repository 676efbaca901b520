// Putting a pipeline's files into a folder: unchanged ones are left alone, different ones replaced only when
// asked to, and either all are written or none.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "pipeline/systems.h"

namespace wherry::pipeline {

enum class Change { kCreated, kUnchanged, kReplaced };
std::string_view name(Change change);  // "created"

struct Written {
  std::string path;  // as in File
  Change change;
};

// Errors: "pipeline.file_differs" (all of them named, nothing written) unless `replace`;
// "base.file_unreadable"; "base.file_unwritable" after putting back what was written before.
base::Result<std::vector<Written>> write_files(const std::vector<File>& files,
                                               const std::filesystem::path& folder, bool replace,
                                               base::FileSystem& disk);

}  // namespace wherry::pipeline
