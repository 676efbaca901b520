#include "pipeline/write.h"

#include <optional>

#include "base/text.h"

namespace wherry::pipeline {
namespace {

using base::cat;

constexpr std::uint64_t kMostBytes = 4 << 20;

struct Step {
  const File* file;
  std::optional<std::string> before;  // nothing: the file is not there
  bool same() const { return before && *before == file->content; }
};

// Puts back what was there. A second failure leaves the first one's message, with this in its context.
base::Error undo(std::span<const Step> done, const std::filesystem::path& folder, base::FileSystem& disk,
                 base::Error error) {
  for (const Step& step : done) {
    if (step.same()) continue;
    const base::Status status =
        step.before ? disk.write(folder / step.file->path, *step.before, step.file->executable)
                    : disk.remove_all(folder / step.file->path);
    if (!status) error.context.push_back(cat("and ", step.file->path, " could not be put back"));
  }
  return error;
}

}  // namespace

std::string_view name(Change change) {
  switch (change) {
    case Change::kCreated:
      return "created";
    case Change::kUnchanged:
      return "unchanged";
    case Change::kReplaced:
      return "replaced";
  }
  return {};
}

base::Result<std::vector<Written>> write_files(const std::vector<File>& files,
                                               const std::filesystem::path& folder, bool replace,
                                               base::FileSystem& disk) {
  std::vector<Step> steps;
  std::vector<std::string> different;
  for (const File& file : files) {
    Step step{&file, {}};
    if (disk.exists(folder / file.path)) {
      TRY_ASSIGN(step.before, disk.read(folder / file.path, kMostBytes));
      if (!step.same()) different.push_back(file.path);
    }
    steps.push_back(std::move(step));
  }
  if (!different.empty() && !replace)
    return base::fail(base::Code::kUsage, "pipeline.file_differs",
                      cat(base::join(different, ", "), " exist", different.size() == 1 ? "s" : "",
                          " with other content; nothing was written"),
                      cat("'--into FOLDER' writes elsewhere, for 'diff -u ", different[0], " FOLDER/",
                          different[0], "'; '--force' replaces"));
  std::vector<Written> written;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    written.push_back({step.file->path, step.same()   ? Change::kUnchanged
                                        : step.before ? Change::kReplaced
                                                      : Change::kCreated});
    if (step.same()) continue;
    if (base::Status status = disk.write(folder / step.file->path, step.file->content, step.file->executable);
        !status)
      return std::unexpected(undo(std::span(steps).first(i), folder, disk, std::move(status).error()));
  }
  return written;
}

}  // namespace wherry::pipeline
