// Whether requests still look like the training data: their cells are counted into the profile's bins, and
// over a sliding window the population stability index of each column is told.
//
//   PSI = Σ (a − e) · ln(a / e)   over the bins; a: share of the window's cells, e: of the training data's
//
// both without missing cells and at least 0.0001. By custom below 0.1 nothing changed, above 0.25 much did.
// The share of missing cells is told beside it.
//
// Thread-safety: count() by each thread with its own number, without locks; all else by any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "telemetry/counter.h"
#include "telemetry/exposition.h"
#include "telemetry/profile.h"

namespace wherry::telemetry {

double population_stability(std::span<const std::uint64_t> actual, std::span<const std::uint64_t> expected);

class Drift {
 public:
  static constexpr std::size_t kSlices = 12;         // of the window
  static constexpr std::size_t kMostColumns = 500;   // which are counted; each is four time series
  static constexpr std::uint64_t kLeastCells = 100;  // of the window: fewer give no PSI, only noise

  // `columns` are the model's, in the order of its tables; those the profile does not know are not counted.
  Drift(const Profile& profile, std::span<const std::string> columns, unsigned threads,
        std::chrono::seconds window);

  void count(unsigned thread, const tensor::Table& table);

  // Moves the window on; to be called now and then, and before measure().
  void advance(std::chrono::steady_clock::time_point now);

  struct Column {
    std::string_view name;
    std::uint64_t cells = 0;                   // of the window, missing ones included
    double missing = 0, expected_missing = 0;  // shares
    std::optional<double> psi;                 // nothing while there are too few cells
  };
  std::vector<Column> measure() const;

  std::size_t counted_columns() const { return columns_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  struct Counted {
    ColumnProfile profile;
    std::size_t position = 0;  // in the table
    std::size_t first = 0;     // counter of its first bin; behind its last bin comes that of missing cells
    std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> bin_of;  // of texts
  };
  std::size_t bin_of(const Counted& column, const tensor::Table& table, std::size_t cell) const;
  std::vector<std::uint64_t> sums() const;

  std::vector<Counted> columns_;
  std::size_t counters_ = 0;  // of one thread
  std::vector<std::unique_ptr<Counter[]>> threads_;
  std::chrono::nanoseconds slice_;

  mutable std::mutex mutex_;
  std::deque<std::vector<std::uint64_t>> snapshots_;  // sums at the beginning of each slice, oldest first
  std::optional<std::chrono::steady_clock::time_point> slice_begin_;
};

// One model version's drift under its labels; `rows` of all versions together, so that families stand once.
struct DriftRow {
  std::string_view model, version;
  const Drift* drift = nullptr;
};
void write_drift(Exposition& out, std::span<const DriftRow> rows);

}  // namespace wherry::telemetry
