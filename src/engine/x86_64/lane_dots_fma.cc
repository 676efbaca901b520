#include <immintrin.h>

#include "engine/lane_dots.h"
#include "engine/x86_64/lane_dots.h"

namespace wherry::engine {

void lane_dots_fma(const double* x, const double* lanes, std::size_t width, double* sums) {
  __m256d low = _mm256_setzero_pd();
  __m256d high = _mm256_setzero_pd();
  for (std::size_t j = 0; j < width; ++j, lanes += kDotLanes) {
    const __m256d value = _mm256_set1_pd(x[j]);
    low = _mm256_fmadd_pd(value, _mm256_loadu_pd(lanes), low);
    high = _mm256_fmadd_pd(value, _mm256_loadu_pd(lanes + 4), high);
  }
  _mm256_storeu_pd(sums, low);
  _mm256_storeu_pd(sums + 4, high);
}

}  // namespace wherry::engine
