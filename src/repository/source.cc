#include "repository/source.h"

#include <algorithm>
#include <sys/stat.h>
#include <tuple>

#include "base/text.h"

namespace wherry::repository {

using base::cat;
using base::Result;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMostEntries = 10'000;  // of a folder

// Names of what is in the folder, sorted, without those that begin with a dot.
Result<std::vector<std::string>> list(const fs::path& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (!name.starts_with('.')) names.push_back(std::move(name));
    if (names.size() > kMostEntries) break;
  }
  if (error)
    return base::fail(base::Code::kNotFound, "repository.no_folder",
                      cat("cannot read folder ", base::quoted(folder.string()), ": ", error.message()),
                      "give a folder with one folder per model");
  std::ranges::sort(names);
  return names;
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// Where a file is, how large, and when it was changed; stat() follows links, so that a link turned to another
// generation is another file.
void add_print(std::string& print, const fs::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return;
  print += cat(path.filename().string(), " ", static_cast<std::uint64_t>(status.st_dev), " ",
               static_cast<std::uint64_t>(status.st_ino), " ", static_cast<std::int64_t>(status.st_size), " ",
               static_cast<std::int64_t>(status.st_mtim.tv_sec), ".",
               static_cast<std::int64_t>(status.st_mtim.tv_nsec), "\n");
}

Found found_at(std::string name, std::uint64_t version, const fs::path& folder, const fs::path& settings_in) {
  Found found{std::move(name), version, folder, {}, {}};
  for (const fs::path& place : {folder, settings_in})
    if (found.settings.empty() && is_file(place / "serving.json")) found.settings = place / "serving.json";
  if (const auto names = list(folder))
    for (const std::string& file : *names) add_print(found.fingerprint, folder / file);
  if (!found.settings.empty()) add_print(found.fingerprint, found.settings);
  return found;
}

void add_versions(const std::string& name, const fs::path& folder, std::vector<Found>& all) {
  if (is_file(folder / "bundle.json")) {
    all.push_back(found_at(name, 1, folder, folder));
    return;
  }
  if (is_file(folder / "model" / "bundle.json")) {
    all.push_back(found_at(name, 1, folder / "model", folder));
    return;
  }
  const auto entries = list(folder);
  if (!entries) return;  // gone while we were looking
  for (const std::string& entry : *entries) {
    const auto version = base::parse_unsigned(entry);
    if (!version || *version == 0 || entry.starts_with('0')) continue;
    if (is_file(folder / entry / "bundle.json"))
      all.push_back(found_at(name, *version, folder / entry, folder));
  }
}

std::unexpected<base::Error> bad_name(std::string_view name) {
  return base::fail(base::Code::kUsage, "repository.bad_name",
                    cat(base::quoted(name), " cannot be the name of a model"),
                    "use letters, digits, '-', '_' and '.', at most 128, and no dot at the beginning");
}

}  // namespace

bool is_model_name(std::string_view name) {
  return !name.empty() && name.size() <= 128 && name.front() != '.' && std::ranges::all_of(name, [](char c) {
    return base::is_ascii_alphanumeric(c) || c == '-' || c == '_' || c == '.';
  });
}

Result<std::vector<Found>> scan(const Source& source) {
  std::vector<Found> all;
  if (!source.bundle.empty()) all.push_back(found_at("", 1, source.bundle, source.bundle));
  if (!source.repository.empty()) {
    TRY_ASSIGN(const std::vector<std::string> names, list(source.repository));
    for (const std::string& name : names)
      if (is_model_name(name) && is_folder(source.repository / name))
        add_versions(name, source.repository / name, all);
  }
  for (const auto& [name, folder] : source.models) {
    if (!is_model_name(name)) return bad_name(name);
    if (!is_folder(folder))
      return base::fail(base::Code::kNotFound, "repository.no_folder",
                        cat("there is no folder ", base::quoted(folder.string()), " for model ", name),
                        "give NAME=FOLDER");
    add_versions(name, folder, all);
  }
  std::ranges::sort(all, {}, [](const Found& found) { return std::tie(found.name, found.version); });
  return all;
}

}  // namespace wherry::repository
