#include "import/pickle/limits.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace wherry::pickle {
namespace {

using base::cat;
using base::Code;
using base::fail;

struct Row {
  std::string_view name;
  std::uint64_t Limits::* member;
  std::uint64_t most = UINT64_MAX;
};

// Nesting is bounded by the 16 bits in which the reader keeps it.
constexpr std::array<Row, 14> kRows{{
    {"file", &Limits::file_bytes},
    {"decompressed", &Limits::decompressed_bytes},
    {"ratio", &Limits::decompressed_ratio},
    {"stack", &Limits::stack_depth},
    {"depth", &Limits::nesting, 64'999},
    {"marks", &Limits::mark_depth},
    {"memo", &Limits::memo_entries},
    {"objects", &Limits::objects},
    {"string", &Limits::string_bytes},
    {"big_int", &Limits::big_int_bytes},
    {"array", &Limits::array_elements},
    {"nested", &Limits::nested_pickles, 100},
    {"imports", &Limits::imports},
    {"memory", &Limits::memory_bytes},
}};

base::Result<std::uint64_t> parse_value(std::string_view text) {
  std::uint64_t unit = 1;
  if (text.ends_with('k')) unit = std::uint64_t{1} << 10;
  if (text.ends_with('M')) unit = std::uint64_t{1} << 20;
  if (text.ends_with('G')) unit = std::uint64_t{1} << 30;
  const auto number = base::parse_unsigned(unit == 1 ? text : text.substr(0, text.size() - 1));
  if (!number || *number > UINT64_MAX / unit)
    return fail(Code::kUsage, "pickle.bad_limit", cat("limit value ", base::quoted(text), " is not a number"),
                "give e.g. 5000, or 2G");
  return *number * unit;
}

}  // namespace

base::Status set_limit(Limits& limits, std::string_view name, std::string_view value) {
  const auto row = std::ranges::find(kRows, name, &Row::name);
  if (row == kRows.end()) {
    const auto names = limit_names();
    const auto close = base::nearest(name, names);
    std::vector<std::string> known(names.begin(), names.end());
    return fail(Code::kUsage, "pickle.unknown_limit", cat("no limit ", base::quoted(name)),
                close ? cat("did you mean ", *close, "?") : cat("there are ", base::join(known, ", ")));
  }
  TRY_ASSIGN(const std::uint64_t number, parse_value(value));
  if (number > row->most)
    return fail(Code::kUsage, "pickle.bad_limit", cat("limit ", name, " cannot be more than ", row->most),
                "give a smaller number");
  limits.*(row->member) = number;
  return {};
}

std::vector<std::string_view> limit_names() {
  std::vector<std::string_view> names;
  for (const Row& row : kRows) names.push_back(row.name);
  return names;
}

}  // namespace wherry::pickle
