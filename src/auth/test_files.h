// Files in memory, for tests of module auth.
#pragma once

#include <map>
#include <string>

#include "base/files.h"

namespace wherry::auth {

class TestFiles final : public base::FileSystem {
 public:
  std::map<std::string, std::string> content;

  base::Result<std::string> read(const std::filesystem::path& path, std::uint64_t most) override {
    const auto found = content.find(path.string());
    if (found == content.end() || found->second.size() > most)
      return base::fail(base::Code::kNotFound, "base.file_not_found", "no file " + path.string());
    return found->second;
  }
  base::Status write(const std::filesystem::path& path, std::string_view text, bool) override {
    content[path.string()] = text;
    return {};
  }
  bool exists(const std::filesystem::path& path) override { return content.contains(path.string()); }
  base::Status remove_all(const std::filesystem::path& path) override {
    content.erase(path.string());
    return {};
  }
};

}  // namespace wherry::auth
