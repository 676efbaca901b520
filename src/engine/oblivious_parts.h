// What the vector code of PackedOblivious works on: plain data only. Private to module engine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wherry::engine {

inline constexpr std::size_t kFewRows = 16;  // transposed together
inline constexpr std::size_t kManyRows = 128;

// Trees of one depth which follow each other, so that their loop has a constant length.
struct ObliviousRun {
  std::size_t depth;
  std::size_t trees;
};

// What all trees are made of, and where in it the next tree begins.
struct ObliviousCursor {
  const std::int32_t* features;
  const float* borders;
  const double* values;
};

struct ObliviousWork {
  ObliviousCursor at;  // the first tree; features and borders can be read 32 beyond the last split
  const ObliviousRun* runs;
  std::size_t run_count;
  const float* x;  // [feature][row] of a block; of one row: [feature]
  std::size_t rows;
  std::size_t outputs;
  double* out;  // [rows, outputs], to which leaves are added tree after tree
};
using AddOblivious = void (*)(const ObliviousWork& work);

struct ObliviousKernel {
  AddOblivious few;   // x holds kFewRows rows of each feature
  AddOblivious many;  // x holds kManyRows rows of each feature
  AddOblivious one;   // a single row
};

// The best for the machine this runs on.
ObliviousKernel oblivious_kernel();

}  // namespace wherry::engine
