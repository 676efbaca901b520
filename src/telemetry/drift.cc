#include "telemetry/drift.h"

#include <algorithm>
#include <cmath>

namespace wherry::telemetry {

namespace {

constexpr double kLeastShare = 1e-4;

std::uint64_t total(std::span<const std::uint64_t> counts) {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : counts) sum += count;
  return sum;
}

double share(std::uint64_t count, std::uint64_t of) {
  return of == 0 ? 0 : static_cast<double>(count) / static_cast<double>(of);
}

}  // namespace

double population_stability(std::span<const std::uint64_t> actual, std::span<const std::uint64_t> expected) {
  const std::uint64_t all_actual = total(actual), all_expected = total(expected);
  double sum = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double a = std::max(share(actual[i], all_actual), kLeastShare);
    const double e = std::max(share(expected[i], all_expected), kLeastShare);
    sum += (a - e) * std::log(a / e);
  }
  return sum;
}

Drift::Drift(const Profile& profile, std::span<const std::string> columns, unsigned threads,
             std::chrono::seconds window)
    : slice_(std::chrono::nanoseconds(window) / kSlices) {
  for (const ColumnProfile& column : profile.columns) {
    const auto found = std::ranges::find(columns, column.name);
    if (found == columns.end() || columns_.size() == kMostColumns) continue;
    Counted counted{column, static_cast<std::size_t>(found - columns.begin()), counters_, {}};
    for (std::size_t i = 0; i < column.values.size(); ++i)
      counted.bin_of.emplace(column.values[i], static_cast<std::uint32_t>(i));
    counters_ += column.counts.size() + 1;
    columns_.push_back(std::move(counted));
  }
  for (unsigned i = 0; i < threads; ++i) threads_.push_back(std::make_unique<Counter[]>(counters_));
  snapshots_.push_back(std::vector<std::uint64_t>(counters_, 0));
}

// Of the column's counters.
std::size_t Drift::bin_of(const Counted& column, const tensor::Table& table, std::size_t cell) const {
  const std::size_t bins = column.profile.counts.size();
  switch (table.kind(cell)) {
    case tensor::CellKind::kMissing:
      return bins;
    case tensor::CellKind::kText: {
      if (column.profile.is_number) return bins - 1;
      const auto found = column.bin_of.find(table.texts[cell]);
      return found == column.bin_of.end() ? bins - 1 : found->second;
    }
    case tensor::CellKind::kNumber:
      break;
  }
  const double number = table.numbers[cell];
  if (std::isnan(number)) return bins;
  if (!column.profile.is_number) return bins - 1;
  const auto& edges = column.profile.edges;
  return static_cast<std::size_t>(std::ranges::lower_bound(edges, number) - edges.begin());
}

void Drift::count(unsigned thread, const tensor::Table& table) {
  Counter* const counters = threads_[thread].get();
  for (const Counted& column : columns_) {
    if (column.position >= table.columns) continue;
    for (std::size_t row = 0, cell = column.position; row < table.rows; ++row, cell += table.columns)
      counters[column.first + bin_of(column, table, cell)].add(1);
  }
}

std::vector<std::uint64_t> Drift::sums() const {
  std::vector<std::uint64_t> sums(counters_, 0);
  for (const auto& thread : threads_)
    for (std::size_t i = 0; i < counters_; ++i) sums[i] += thread[i].value();
  return sums;
}

void Drift::advance(std::chrono::steady_clock::time_point now) {
  const std::scoped_lock lock(mutex_);
  if (!slice_begin_) slice_begin_ = now;
  if (now - *slice_begin_ < slice_) return;
  // After a long pause the slices between are empty: they all begin with the sums of now.
  const auto passed = static_cast<std::size_t>((now - *slice_begin_) / slice_);
  *slice_begin_ += static_cast<std::int64_t>(passed) * slice_;
  const std::vector<std::uint64_t> current = sums();
  for (std::size_t i = 0; i < std::min(passed, kSlices + 1); ++i) snapshots_.push_back(current);
  while (snapshots_.size() > kSlices) snapshots_.pop_front();
}

std::vector<Drift::Column> Drift::measure() const {
  const std::scoped_lock lock(mutex_);
  const std::vector<std::uint64_t> current = sums();
  const std::vector<std::uint64_t>& before = snapshots_.front();
  std::vector<Column> measured;
  for (const Counted& column : columns_) {
    std::vector<std::uint64_t> window;
    const std::size_t bins = column.profile.counts.size();
    for (std::size_t i = 0; i <= bins; ++i)
      window.push_back(current[column.first + i] - before[column.first + i]);
    const std::uint64_t missing = window.back();
    window.pop_back();
    const std::uint64_t present = total(window);
    const std::uint64_t expected = total(column.profile.counts);
    Column row{.name = column.profile.name, .cells = present + missing};
    row.missing = share(missing, present + missing);
    row.expected_missing = share(column.profile.missing, expected + column.profile.missing);
    if (present >= kLeastCells) row.psi = population_stability(window, column.profile.counts);
    measured.push_back(row);
  }
  return measured;
}

void write_drift(Exposition& out, std::span<const DriftRow> rows) {
  std::vector<std::vector<Drift::Column>> measured;
  for (const DriftRow& row : rows) measured.push_back(row.drift->measure());
  const auto family = [&](std::string_view name, std::string_view help, auto&& value) {
    out.family(name, Type::kGauge, help);
    for (std::size_t i = 0; i < rows.size(); ++i)
      for (const Drift::Column& column : measured[i])
        if (const std::optional<double> number = value(column))
          out.sample({{"model", rows[i].model}, {"version", rows[i].version}, {"column", column.name}},
                     *number);
  };
  family("wherry_input_psi",
         "Population stability index of a column's cells in the window against the training data.",
         [](const Drift::Column& column) { return column.psi; });
  family("wherry_input_missing_ratio", "Share of a column's cells in the window which are missing.",
         [](const Drift::Column& column) {
           return column.cells == 0 ? std::nullopt : std::optional(column.missing);
         });
  family("wherry_input_training_missing_ratio",
         "Share of a column's cells in the training data which were missing.",
         [](const Drift::Column& column) { return std::optional(column.expected_missing); });
  family("wherry_input_window_cells", "Cells of a column in the window.",
         [](const Drift::Column& column) { return std::optional(static_cast<double>(column.cells)); });
}

}  // namespace wherry::telemetry
