#include "telemetry/profile.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "base/text.h"
#include "text/json.h"

namespace wherry::telemetry {

using base::cat;
using base::Result;
using base::Status;
using text::Json;

namespace {

constexpr std::size_t kMostColumns = 10'000;
constexpr std::size_t kMostBins = 1000;
constexpr std::size_t kMostValueBytes = 1024;
constexpr std::uint64_t kMostCount = std::uint64_t{1} << 53;

std::unexpected<base::Error> bad(std::string problem) {
  return base::fail(base::Code::kInvalidInput, "telemetry.bad_profile", cat("profile.json: ", problem),
                    "build the bundle again with --profile");
}

Result<std::uint64_t> count(const Json& object, std::string_view key, std::string_view where) {
  const auto number = text::find_integer(object, key);
  if (!number || *number < 0 || static_cast<std::uint64_t>(*number) > kMostCount)
    return bad(cat(where, ": \"", key, "\" is not a count"));
  return static_cast<std::uint64_t>(*number);
}

Result<const Json*> list(const Json& object, std::string_view key, std::string_view where) {
  const Json* found = text::find_array(object, key);
  if (found == nullptr || found->size() > kMostBins)
    return bad(cat(where, ": \"", key, "\" is not a list of at most ", kMostBins));
  return found;
}

Status read_edges(const Json& object, std::string_view where, ColumnProfile& column) {
  TRY_ASSIGN(const Json* edges, list(object, "edges", where));
  for (const Json& edge : *edges) {
    if (!edge.is_number() || !std::isfinite(edge.get<double>()) ||
        (!column.edges.empty() && !(edge.get<double>() > column.edges.back())))
      return bad(cat(where, ": \"edges\" are not ascending numbers"));
    column.edges.push_back(edge.get<double>());
  }
  return {};
}

Status read_values(const Json& object, std::string_view where, ColumnProfile& column) {
  TRY_ASSIGN(const Json* values, list(object, "values", where));
  std::unordered_set<std::string_view> seen;
  for (const Json& value : *values) {
    if (!value.is_string() || value.get_ref<const std::string&>().size() > kMostValueBytes ||
        !seen.insert(value.get_ref<const std::string&>()).second)
      return bad(cat(where, ": \"values\" are not different texts"));
    column.values.push_back(value.get<std::string>());
  }
  return {};
}

Result<ColumnProfile> read_column(const Json& object, std::size_t number) {
  const std::string where = cat("column ", number);
  ColumnProfile column;
  const std::string* name = text::find_string(object, "name");
  const std::string* kind = text::find_string(object, "kind");
  if (name == nullptr || kind == nullptr || (*kind != "number" && *kind != "category"))
    return bad(cat(where, " has no name, or its kind is not number or category"));
  column.name = *name;
  column.is_number = *kind == "number";
  TRY_ASSIGN(column.missing, count(object, "missing", where));
  if (column.is_number) {
    TRY(read_edges(object, where, column));
  } else {
    TRY(read_values(object, where, column));
  }
  TRY_ASSIGN(const Json* counts, list(object, "counts", where));
  if (counts->size() != column.edges.size() + column.values.size() + 1)
    return bad(cat(where, ": as many \"counts\" as bins are wanted"));
  std::uint64_t sum = 0;
  for (const Json& one : *counts) {
    if (!one.is_number_unsigned() || one.get<std::uint64_t>() > kMostCount)
      return bad(cat(where, ": \"counts\" are not counts"));
    column.counts.push_back(one.get<std::uint64_t>());
    sum += one.get<std::uint64_t>();
  }
  if (sum == 0) return bad(cat(where, ": no cell was counted"));
  return column;
}

}  // namespace

Result<Profile> read_profile(std::string_view json) {
  const auto document = text::parse_json(json, "profile.json", {.bytes = kMostProfileBytes, .depth = 8});
  if (!document) return bad(document.error().message);
  const std::string* format = text::find_string(*document, "format");
  if (format == nullptr || *format != "wherry-profile" || text::find_integer(*document, "version") != 1)
    return bad("not \"format\": \"wherry-profile\", \"version\": 1");
  Profile profile;
  TRY_ASSIGN(profile.rows, count(*document, "rows", "the profile"));
  const Json* columns = text::find_array(*document, "columns");
  if (columns == nullptr || columns->size() > kMostColumns)
    return bad(cat("\"columns\" is not a list of at most ", kMostColumns));
  std::unordered_set<std::string> seen;
  for (const Json& object : *columns) {
    TRY_ASSIGN(ColumnProfile column, read_column(object, profile.columns.size()));
    if (!seen.insert(column.name).second)
      return bad(cat("column ", base::quoted(column.name), " stands twice"));
    profile.columns.push_back(std::move(column));
  }
  return profile;
}

std::string write_profile(const Profile& profile) {
  Json columns = Json::array();
  for (const ColumnProfile& column : profile.columns) {
    Json object{{"name", column.name},
                {"kind", column.is_number ? "number" : "category"},
                {"missing", column.missing}};
    if (column.is_number) {
      object["edges"] = column.edges;
    } else {
      object["values"] = column.values;
    }
    object["counts"] = column.counts;
    columns.push_back(std::move(object));
  }
  return text::write_json({{"format", "wherry-profile"},
                           {"version", 1},
                           {"rows", profile.rows},
                           {"columns", std::move(columns)}}) +
         "\n";
}

ProfileMaker::ProfileMaker(std::vector<std::string> columns)
    : names_(std::move(columns)), columns_(names_.size()) {}

void ProfileMaker::add(const tensor::Table& table) {
  rows_ += table.rows;
  for (std::size_t row = 0; row < table.rows; ++row)
    for (std::size_t i = 0; i < columns_.size() && i < table.columns; ++i) {
      Column& column = columns_[i];
      const std::size_t cell = row * table.columns + i;
      const tensor::CellKind kind = table.kind(cell);
      if (kind == tensor::CellKind::kText) {
        ++column.text_count;
        if (column.texts.size() < kMostDistinct || column.texts.contains(std::string(table.texts[cell])))
          ++column.texts[std::string(table.texts[cell])];
      } else if (kind == tensor::CellKind::kMissing || std::isnan(table.numbers[cell])) {
        ++column.missing;
      } else {
        column.numbers.push_back(table.numbers[cell]);
      }
    }
}

namespace {

ColumnProfile number_profile(std::vector<double> numbers, std::uint64_t texts) {
  ColumnProfile column;
  std::ranges::sort(numbers);
  // Of few different numbers each is a bin of its own; else the deciles, of which equal ones are one.
  std::vector<double> different;
  for (const double number : numbers)
    if ((different.empty() || number != different.back()) && different.size() <= ProfileMaker::kBins)
      different.push_back(number);
  if (different.size() <= ProfileMaker::kBins) {
    column.edges.assign(different.begin(), different.end() - 1);
  } else {
    for (std::size_t i = 1; i < ProfileMaker::kBins; ++i) {
      const double edge = numbers[(numbers.size() * i + ProfileMaker::kBins - 1) / ProfileMaker::kBins - 1];
      if (column.edges.empty() || edge > column.edges.back()) column.edges.push_back(edge);
    }
  }
  std::erase_if(column.edges, [](double edge) { return !std::isfinite(edge); });
  column.counts.assign(column.edges.size() + 1, 0);
  for (const double number : numbers)
    ++column.counts[static_cast<std::size_t>(std::ranges::lower_bound(column.edges, number) -
                                             column.edges.begin())];
  column.counts.back() += texts;
  return column;
}

ColumnProfile category_profile(const std::unordered_map<std::string, std::uint64_t>& texts,
                               std::uint64_t all) {
  const std::uint64_t least = std::max(ProfileMaker::kLeastRows, all / 1000);
  std::vector<std::pair<std::string, std::uint64_t>> kept;
  for (const auto& [value, count] : texts)
    if (count >= least && value.size() <= kMostValueBytes) kept.emplace_back(value, count);
  std::ranges::sort(kept, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (kept.size() > ProfileMaker::kMostValues) kept.resize(ProfileMaker::kMostValues);
  ColumnProfile column{.is_number = false};
  for (auto& [value, count] : kept) {
    column.values.push_back(value);
    column.counts.push_back(count);
    all -= count;
  }
  column.counts.push_back(all);
  return column;
}

}  // namespace

Profile ProfileMaker::finish() && {
  Profile profile{.rows = rows_};
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    Column& made = columns_[i];
    if (made.numbers.empty() && made.text_count == 0) continue;
    const std::uint64_t all = made.numbers.size() + made.text_count;
    ColumnProfile column = made.numbers.size() > made.text_count
                               ? number_profile(std::move(made.numbers), made.text_count)
                               : category_profile(made.texts, all);
    column.name = names_[i];
    column.missing = made.missing;
    profile.columns.push_back(std::move(column));
  }
  return profile;
}

}  // namespace wherry::telemetry
