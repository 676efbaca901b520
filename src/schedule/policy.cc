#include "schedule/policy.h"

#include <algorithm>
#include <numeric>

namespace wherry::schedule {

nanoseconds Cost::of(const tensor::Table& table) const {
  if (table.rows == 0) return first;
  // Saturates: hostile sizes were bounded before, but not to what fits beside any cost.
  const double rows = static_cast<double>(table.rows);
  double total = static_cast<double>(first.count()) + static_cast<double>(further.count()) * (rows - 1);
  if (!table.texts.empty() && texts_per_row > 0) {
    double bytes = 0;
    for (const std::string_view text : table.texts) bytes += static_cast<double>(text.size());
    total *= std::max(1.0, bytes / (rows * texts_per_row));
  }
  if (!table.tensors.empty() && bytes_per_row > 0) {
    double bytes = 0;
    for (const tensor::TensorCells& tensor : table.tensors)
      bytes += static_cast<double>(tensor::size_in_bytes(tensor));
    total *= std::max(1.0, bytes / (rows * bytes_per_row));
  }
  constexpr double kMost = 1e18;
  return nanoseconds(static_cast<std::int64_t>(std::min(total, kMost)));
}

}  // namespace wherry::schedule
