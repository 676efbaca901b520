// The statistics of training data which travel with a model (profile.json).
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "protocol/schema.h"

namespace wherry::app {

// Of the rows in a CSV file with the model's columns; others, such as the target, are ignored. Errors:
// "app.bad_profile" and those of files and CSV.
base::Result<std::string> make_profile(const std::filesystem::path& csv, const protocol::Schema& schema,
                                       base::FileSystem& files);

}  // namespace wherry::app
