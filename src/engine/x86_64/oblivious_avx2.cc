#include <immintrin.h>

#include "engine/oblivious_kernel.h"
#include "engine/x86_64/oblivious.h"

namespace wherry::engine {
namespace {

// The results of splits become a stream of bits, of which each tree takes its own. The stream is 64 bits
// long: `ready` of them are waiting, and 32 are made when a tree (at most 16 deep) may want more.
void add_to_row_by_bits(const ObliviousWork& work) {
  std::uint64_t bits = 0;
  std::size_t ready = 0;
  const std::int32_t* features = work.at.features;
  const float* borders = work.at.borders;
  const double* values = work.at.values;
  for (std::size_t r = 0; r < work.run_count; ++r) {
    const ObliviousRun& run = work.runs[r];
    const std::uint64_t mask = (std::uint64_t{1} << run.depth) - 1;
    for (std::size_t tree = 0; tree < run.trees; ++tree) {
      if (ready < run.depth) {
#pragma GCC unroll 4
        for (std::size_t i = 0; i < 32; i += kLanes, features += kLanes, borders += kLanes) {
          const __m256i columns = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(features));
          const __m256 above =
              _mm256_cmp_ps(_mm256_i32gather_ps(work.x, columns, 4), _mm256_loadu_ps(borders), _CMP_GT_OQ);
          bits |= static_cast<std::uint64_t>(_mm256_movemask_ps(above)) << ready;
          ready += kLanes;
        }
      }
      const double* leaf = values + (bits & mask) * work.outputs;
      for (std::size_t c = 0; c < work.outputs; ++c) work.out[c] += leaf[c];
      bits >>= run.depth;
      ready -= run.depth;
      values += work.outputs << run.depth;
    }
  }
}

}  // namespace

ObliviousKernel oblivious_avx2() {
  return {add_blocks<kFewRows>, add_blocks<kManyRows>, add_to_row_by_bits};
}

}  // namespace wherry::engine
