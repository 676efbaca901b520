#include "base/file_errors.h"

#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace wherry::base {

std::unexpected<Error> unreadable(const std::filesystem::path& path, int error) {
  if (error == ENOENT || error == ENOTDIR)
    return fail(Code::kUsage, "base.file_not_found", cat(path.string(), ": no such file"), "check the path");
  if (error == EISDIR)
    return fail(Code::kUsage, "base.file_unreadable", cat(path.string(), ": is a folder, not a file"),
                "name a file in it");
  return fail(Code::kUsage, "base.file_unreadable", cat(path.string(), ": ", std::strerror(error)),
              "check the path and its permissions");
}

std::unexpected<Error> unwritable(const std::filesystem::path& path, std::string_view reason) {
  return fail(Code::kUnavailable, "base.file_unwritable", cat(path.string(), ": ", reason),
              "check the permissions and the free space of the folder");
}

}  // namespace wherry::base
