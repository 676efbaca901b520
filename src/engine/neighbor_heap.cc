#include "engine/neighbor_heap.h"

#include <algorithm>

namespace wherry::engine {
namespace {

bool less(double a, double b) {
  return a < b || (std::isnan(b) && !std::isnan(a));
}

// Moves the median of three to `low` and the lowest of them to low + 1.
void median_of_three(const double* v, std::size_t* order, std::size_t low, std::size_t mid,
                     std::size_t high) {
  if (less(v[order[high]], v[order[mid]])) std::swap(order[high], order[mid]);
  if (less(v[order[high]], v[order[low]])) std::swap(order[high], order[low]);
  if (less(v[order[low]], v[order[mid]])) std::swap(order[low], order[mid]);
  std::swap(order[mid], order[low + 1]);
}

}  // namespace

void sort_neighbors(double* values, double* positions, std::size_t size) {
  for (std::size_t gap = size > 64 ? size / 2 : 1; gap > 0; gap = gap == 1 ? 0 : gap / 2) {
    for (std::size_t i = gap; i < size; ++i) {
      const double value = values[i];
      const double position = positions[i];
      std::size_t j = i;
      for (; j >= gap && less(value, values[j - gap]); j -= gap) {
        values[j] = values[j - gap];
        positions[j] = positions[j - gap];
      }
      values[j] = value;
      positions[j] = position;
    }
  }
}

void partition_positions(const double* values, std::size_t* order, std::size_t count, std::size_t kth) {
  if (kth < 3) {
    for (std::size_t i = 0; i <= kth; ++i) {
      std::size_t least = i;
      for (std::size_t k = i + 1; k < count; ++k)
        if (less(values[order[k]], values[order[least]])) least = k;
      std::swap(order[i], order[least]);
    }
    return;
  }
  if (kth == count - 1) {
    std::size_t most = 0;
    for (std::size_t k = 1; k < count; ++k)
      if (!less(values[order[k]], values[order[most]])) most = k;
    std::swap(order[kth], order[most]);
    return;
  }
  std::size_t low = 0;
  std::size_t high = count - 1;
  while (low + 1 < high) {
    std::size_t ll = low + 1;
    std::size_t hh = high;
    median_of_three(values, order, low, low + (high - low) / 2, high);
    const double pivot = values[order[low]];
    while (true) {
      do ++ll;
      while (less(values[order[ll]], pivot));
      do --hh;
      while (less(pivot, values[order[hh]]));
      if (hh < ll) break;
      std::swap(order[ll], order[hh]);
    }
    std::swap(order[low], order[hh]);
    if (hh >= kth) high = hh - 1;
    if (hh <= kth) low = ll;
  }
  if (high == low + 1 && less(values[order[high]], values[order[low]])) std::swap(order[high], order[low]);
}

}  // namespace wherry::engine
