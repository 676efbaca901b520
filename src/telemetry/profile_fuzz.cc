// Profiles of any bytes: no crash; what is accepted survives writing and reading, and can be counted with.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "telemetry/drift.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry::telemetry;
  const auto profile = read_profile({reinterpret_cast<const char*>(data), size});
  if (!profile) return 0;
  const std::string written = write_profile(*profile);
  const auto again = read_profile(written);
  if (!again || write_profile(*again) != written) std::abort();
  std::vector<std::string> names;
  for (const ColumnProfile& column : profile->columns) names.push_back(column.name);
  Drift drift(*profile, names, 1, std::chrono::seconds(60));
  wherry::tensor::Table table;
  table.reset(3, names.size());
  for (std::size_t cell = 0; cell < names.size(); ++cell) {
    table.set_number(cell, static_cast<double>(cell));
    table.set_text(cell + names.size(), "x");
  }
  drift.count(0, table);
  for (const Drift::Column& column : drift.measure())
    if (column.cells != 3) std::abort();
  return 0;
}
