#include "app/profile.h"

#include <vector>

#include "telemetry/profile.h"

#include "base/text.h"
#include "protocol/request.h"

namespace wherry::app {

using base::cat;

namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;
constexpr std::size_t kMostCells = 50'000'000;

}  // namespace

base::Result<std::string> make_profile(const std::filesystem::path& csv, const protocol::Schema& schema,
                                       base::FileSystem& files) {
  TRY_ASSIGN(const std::string content, files.read(csv, kMostBytes));
  protocol::Request rows;
  if (auto read = protocol::read_csv(content, schema.ignoring_extra(), {.cells = kMostCells}, rows); !read)
    return base::with_context(std::move(read).error(), cat("in ", csv.string()));
  std::vector<std::string> names;
  for (const program::InputColumn& column : schema.columns())
    names.push_back(column.type == program::ColumnType::kRecord ? "" : column.name);
  telemetry::ProfileMaker maker(std::move(names));
  maker.add(rows.table);
  telemetry::Profile profile = std::move(maker).finish();
  std::erase_if(profile.columns, [](const telemetry::ColumnProfile& column) { return column.name.empty(); });
  if (profile.columns.empty())
    return base::fail(base::Code::kInvalidInput, "app.bad_profile",
                      cat(csv.string(), " has no cell which could be counted"),
                      "give the data the model was trained with, as CSV with its column names");
  return telemetry::write_profile(profile);
}

}  // namespace wherry::app
