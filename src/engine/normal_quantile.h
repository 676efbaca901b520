// The inverse of the normal distribution function, as scipy.special.ndtri.
#pragma once

namespace wherry::engine {

// x with P(standard normal <= x) = p; infinite at 0 and 1, NaN outside. The approximation and its order of
// evaluation are those of Cephes (ndtri.c by S. Moshier), which scipy uses.
double normal_quantile(double p);

}  // namespace wherry::engine
