// B-spline bases, as scipy evaluates them and scikit-learn's SplineTransformer combines them.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "engine/kernels.h"

namespace wherry::engine {
namespace {

using program::Extrapolation;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// numpy's % of doubles.
double remainder_of(double a, double b) {
  double rest = std::fmod(a, b);
  if (rest != 0) {
    if ((b < 0) != (rest < 0)) rest += b;
  } else {
    rest = std::copysign(0.0, b);
  }
  return rest;
}

// The basis over the knots of one column.
class Basis {
 public:
  Basis(std::vector<double> knots, const program::SplineBasis& op, std::size_t column)
      : knots_(std::move(knots)),
        degree_(static_cast<std::size_t>(op.degree)),
        rows_(knots_.size() - degree_ - 1),
        functions_(op.extrapolation == Extrapolation::kPeriodic ? rows_ - degree_ : rows_),
        linear_(linear_functions(op, column)),
        low_(knots_[bound_index(op, column)]),
        high_(knots_[knots_.size() - 1 - bound_index(op, column)]),
        extrapolation_(op.extrapolation),
        sparse_(op.sparse) {
    std::vector<double> scratch(scratch_size());
    at_low_.resize(functions_);
    at_high_.resize(functions_);
    slope_low_.resize(functions_);
    slope_high_.resize(functions_);
    evaluate(low_, 0, scratch.data(), at_low_.data());
    evaluate(high_, 0, scratch.data(), at_high_.data());
    evaluate(low_, degree_ > 0 ? 1 : 0, scratch.data(), slope_low_.data());
    evaluate(high_, degree_ > 0 ? 1 : 0, scratch.data(), slope_high_.data());
    if (degree_ == 0) {
      std::ranges::fill(slope_low_, 0.0);
      std::ranges::fill(slope_high_, 0.0);
    }
  }

  std::size_t functions() const { return functions_; }
  std::size_t scratch_size() const { return 2 * degree_ + 2; }

  // All functions at x; false where x is refused. `scratch`: scratch_size() numbers.
  bool run(double x, double* scratch, double* out) const {
    const bool inside = low_ <= x && x <= high_;
    switch (extrapolation_) {
      case Extrapolation::kError:
        if (!inside) return false;
        evaluate(x, 0, scratch, out);
        return true;
      case Extrapolation::kPeriodic:
        evaluate(high_ - low_ > 0 ? low_ + remainder_of(x - low_, high_ - low_) : 0.0, 0, scratch, out);
        return true;
      case Extrapolation::kContinue:
        evaluate(x, 0, scratch, out);
        return true;
      case Extrapolation::kConstant:
      case Extrapolation::kLinear:
        break;
    }
    std::fill_n(out, functions_, 0.0);
    if (inside) {
      evaluate(x, 0, scratch, out);
    } else if (extrapolation_ == Extrapolation::kConstant) {
      return constant(x, out);
    } else {
      linear(x, out);
    }
    return true;
  }

 private:
  // scikit-learn raises its variable `degree` for each column of a linear extrapolation while it is at most
  // 1, and takes the bounds from it: columns after the first have narrower ones.
  static std::size_t bound_index(const program::SplineBasis& op, std::size_t column) {
    const auto degree = static_cast<std::size_t>(op.degree);
    if (op.extrapolation != Extrapolation::kLinear || degree > 2) return degree;
    return std::min<std::size_t>(degree + column, 2);
  }
  static std::size_t linear_functions(const program::SplineBasis& op, std::size_t column) {
    const std::size_t degree = bound_index(op, column);
    return degree <= 1 ? degree + 1 : degree;
  }

  bool constant(double x, double* out) const {
    if (x < low_) std::copy_n(at_low_.begin(), degree_, out);
    if (x > high_) {
      if (degree_ == 0) return false;  // numpy cannot assign f_max[-0:] to no columns
      std::copy_n(at_high_.end() - static_cast<std::ptrdiff_t>(degree_), degree_, out + functions_ - degree_);
    }
    return true;
  }

  void linear(double x, double* out) const {
    for (std::size_t j = 0; j < linear_; ++j) {
      if (x < low_) out[j] = at_low_[j] + (x - low_) * slope_low_[j];
      const std::size_t k = functions_ - 1 - j;
      if (x > high_) out[k] = at_high_[k] + (x - high_) * slope_high_[k];
    }
  }

  std::size_t interval(double x) const {
    const auto above = std::upper_bound(knots_.begin(), knots_.end(), x) - knots_.begin();
    return std::clamp(static_cast<std::size_t>(std::max<std::ptrdiff_t>(above, 1)) - 1, degree_, rows_ - 1);
  }

  // The degree + 1 functions that are not 0 around x, or their derivatives of order m: _deBoor_D.
  void nonzero(double x, std::size_t ell, std::size_t m, double* h) const {
    double* hh = h + degree_ + 1;
    h[0] = 1.0;
    for (std::size_t j = 1; j <= degree_; ++j) {
      const bool derives = j > degree_ - m;
      std::copy_n(h, j, hh);
      h[0] = 0.0;
      for (std::size_t n = 1; n <= j; ++n) {
        const double xb = knots_[ell + n];
        const double xa = knots_[ell + n - j];
        if (xb == xa) {
          h[derives ? m : n] = 0.0;
        } else if (derives) {
          const double w = static_cast<double>(j) * hh[n - 1] / (xb - xa);
          h[n - 1] -= w;
          h[n] = w;
        } else {
          const double w = hh[n - 1] / (xb - xa);
          h[n - 1] += w * (xb - x);
          h[n] = w * (x - xa);
        }
      }
    }
  }

  // The sum of coefficient rows times functions; the coefficients are an identity matrix whose first rows
  // stand again below it when periodic.
  void evaluate(double x, std::size_t m, double* scratch, double* out) const {
    if (std::isnan(x)) {
      std::fill_n(out, functions_, kNan);
      return;
    }
    const std::size_t ell = interval(x);
    nonzero(x, ell, m, scratch);
    std::fill_n(out, functions_, 0.0);
    bool finite = true;
    for (std::size_t a = 0; a <= degree_; ++a) {
      out[(ell + a - degree_) % functions_] += scratch[a];
      finite &= std::isfinite(scratch[a]);
    }
    if (finite || sparse_) return;
    // 0 times infinity: every other function becomes NaN.
    for (std::size_t a = 0; a <= degree_; ++a)
      if (!std::isfinite(scratch[a]))
        for (std::size_t j = 0; j < functions_; ++j)
          if (j != (ell + a - degree_) % functions_) out[j] = kNan;
  }

  std::vector<double> knots_;
  std::size_t degree_;
  std::size_t rows_;
  std::size_t functions_;
  std::size_t linear_;
  double low_;
  double high_;
  Extrapolation extrapolation_;
  bool sparse_;
  std::vector<double> at_low_, at_high_, slope_low_, slope_high_;
};

std::unexpected<base::Error> beyond_knots(const Skeleton& skeleton, program::ValueId value,
                                          const Frame& frame, std::size_t row, std::size_t column) {
  return base::fail(base::Code::kInvalidInput, "engine.beyond_knots",
                    base::cat("X contains values beyond the limits of the knots: ",
                              column_name(skeleton, value, column), " of row ", frame.first_row() + row),
                    "send a value within the range the model was trained with, or train with another "
                    "extrapolation");
}

}  // namespace

MadeKernel make_kernel(const program::SplineBasis& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const Skeleton* skeleton = &wiring.skeleton;
  const std::vector<double> knots = wiring.numbers(op.knots);
  const std::size_t width = wiring.width_of(in);
  std::vector<Basis> bases;
  for (std::size_t j = 0; j < width; ++j) {
    const auto count = static_cast<std::ptrdiff_t>(knots.size() / width);
    const auto first = knots.begin() + static_cast<std::ptrdiff_t>(j) * count;
    bases.emplace_back(std::vector<double>(first, first + count), op, j);
  }
  const bool include_last = op.include_last;
  const bool nan_as_zeros = op.nan_as_zeros;
  return Kernel{[=, bases = std::move(bases)](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    if (bases.empty()) return {};
    const std::size_t functions = bases[0].functions();
    const std::size_t kept = functions - (include_last ? 0 : 1);
    double* scratch = at_least(frame.buffers().doubles, bases[0].scratch_size() + functions);
    double* values = scratch + bases[0].scratch_size();
    for (std::size_t row = 0; row < from.rows; ++row) {
      for (std::size_t j = 0; j < bases.size(); ++j, to += kept) {
        const double x = from.numbers[row * bases.size() + j];
        if (nan_as_zeros && std::isnan(x)) {
          std::fill_n(to, kept, 0.0);
        } else if (bases[j].run(x, scratch, values)) {
          std::copy_n(values, kept, to);
        } else {
          return beyond_knots(*skeleton, in, frame, row, j);
        }
      }
    }
    return {};
  }};
}

}  // namespace wherry::engine
