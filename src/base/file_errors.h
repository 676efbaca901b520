// What the operating system says of files, as errors. For files.h and file_stream.h.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/error.h"

namespace wherry::base {

// `error` is an errno: "base.file_not_found" or "base.file_unreadable".
std::unexpected<Error> unreadable(const std::filesystem::path& path, int error);
std::unexpected<Error> unwritable(const std::filesystem::path& path,
                                  std::string_view reason);  // "base.file_unwritable"

}  // namespace wherry::base
