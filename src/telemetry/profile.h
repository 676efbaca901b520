// Statistics of the data a model was trained with, by which the server sees whether it is still asked about
// the same kind of rows (docs/formats/bundle.md, profile.json).
//
// Thread-safety: values; a ProfileMaker belongs to one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "tensor/table.h"

namespace wherry::telemetry {

// One column. Numbers fall into bins (…, e0], (e0, e1], …, (e_last, …): one more than edges. Texts are
// counted per value, and all others together.
struct ColumnProfile {
  std::string name;
  bool is_number = true;
  std::uint64_t missing = 0;
  std::vector<double> edges;          // finite, ascending
  std::vector<std::string> values;    // different from each other
  std::vector<std::uint64_t> counts;  // per bin: edges + 1, or values + 1 (the last one: all others)
};

struct Profile {
  std::uint64_t rows = 0;
  std::vector<ColumnProfile> columns;
};

inline constexpr std::size_t kMostProfileBytes = 16u << 20;

// Error "telemetry.bad_profile", saying where.
base::Result<Profile> read_profile(std::string_view json);
std::string write_profile(const Profile& profile);

// Makes a profile of the rows it is shown, piece by piece.
class ProfileMaker {
 public:
  static constexpr std::size_t kBins = 10;        // deciles, the usual choice for PSI
  static constexpr std::size_t kMostValues = 50;  // the most frequent texts of a column
  // A text is kept only when this many rows and one in a thousand have it, so that a profile names no single
  // person's value.
  static constexpr std::uint64_t kLeastRows = 5;

  explicit ProfileMaker(std::vector<std::string> columns);
  void add(const tensor::Table& table);  // its columns are those given, in order
  // Columns with no cell that is not missing are left out.
  Profile finish() &&;

 private:
  struct Column {
    std::uint64_t missing = 0, text_count = 0;
    std::vector<double> numbers;
    std::unordered_map<std::string, std::uint64_t> texts;
  };
  static constexpr std::size_t kMostDistinct = 100'000;  // texts of one column; later new ones are "others"
  std::vector<std::string> names_;
  std::vector<Column> columns_;
  std::uint64_t rows_ = 0;
};

}  // namespace wherry::telemetry
