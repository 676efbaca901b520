// Choosing the nearest of many rows, with the ties of scikit-learn and numpy. Private to module engine.
#pragma once

#include <cmath>
#include <cstddef>
#include <utility>

namespace wherry::engine {

// The nearest rows so far: sklearn/utils/_heap.pyx heap_push, a heap with the farthest at the root. Borrows
// two arrays of `size` >= 1 elements; positions are kept as doubles.
class NeighborHeap {
 public:
  NeighborHeap(double* values, double* positions, std::size_t size, double farthest)
      : values_(values), positions_(positions), size_(size) {
    for (std::size_t i = 0; i < size; ++i) {
      values[i] = farthest;
      positions[i] = 0;
    }
  }

  // A heap as a former one left its arrays.
  static NeighborHeap resume(double* values, double* positions, std::size_t size) {
    return NeighborHeap(values, positions, size);
  }

  double largest() const { return values_[0]; }

  void push(double value, std::size_t position) {
    if (value >= values_[0]) return;
    std::size_t at = 0;
    while (true) {
      const std::size_t left = 2 * at + 1;
      const std::size_t right = left + 1;
      if (left >= size_) break;
      std::size_t child = left;
      if (right < size_ && values_[left] < values_[right]) child = right;
      if (!(value < values_[child])) break;
      values_[at] = values_[child];
      positions_[at] = positions_[child];
      at = child;
    }
    values_[at] = value;
    positions_[at] = static_cast<double>(position);
  }

 private:
  NeighborHeap(double* values, double* positions, std::size_t size)
      : values_(values), positions_(positions), size_(size) {}

  double* values_;
  double* positions_;
  std::size_t size_;
};

// Ascending, both arrays by the first; up to 64 elements equal ones stay in their order.
void sort_neighbors(double* values, double* positions, std::size_t size);

// numpy.argpartition(values, kth): numpy/_core/src/npysort/selection.cpp introselect, without its fallback
// for orders made to be slow. `order` holds 0 … count - 1 at first; afterwards its first kth + 1 elements
// name the smallest values. NaN counts as largest. kth < count.
void partition_positions(const double* values, std::size_t* order, std::size_t count, std::size_t kth);

}  // namespace wherry::engine
