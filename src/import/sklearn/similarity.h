// Kernel functions of sklearn.metrics.pairwise and sklearn.gaussian_process.kernels as operations. Private to
// module sklearn.
#pragma once

#include <optional>
#include <string>

#include "import/pickle/view.h"
#include "import/sklearn/context.h"

namespace wherry::sklearn {

// The arguments of pairwise_kernels(X, rows, metric=name, filter_params=True, …).
struct PairwiseKernel {
  std::string name;
  std::optional<double> gamma;  // none: 1 / columns, or 1 for chi2
  double degree = 3;
  double coef0 = 1;
};

// gamma, degree and coef0 among an estimator's attributes, where they are neither missing nor None; `name` is
// its attribute `kernel`. A Python function as kernel is refused.
Result<PairwiseKernel> pairwise_kernel(const View& estimator, std::string_view kernel = "kernel");

// K [n, rows] of x, which is checked, with the rows of `rows`; `where` is for messages. For the name
// "precomputed" x itself, of as many columns as there are rows.
Result<ValueId> kernel_matrix(Context& context, const View& where, ValueId x, pickle::Matrix rows,
                              const PairwiseKernel& kernel);

// Of a kernel object of sklearn.gaussian_process.kernels: K [n, m] of x with the rows of X_train.
Result<ValueId> process_kernel(Context& context, const View& kernel, ValueId x, const View& rows);
// And K(x, x) as [n, 1].
Result<ValueId> process_kernel_diagonal(Context& context, const View& kernel, ValueId x);

}  // namespace wherry::sklearn
