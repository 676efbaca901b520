// Arithmetic of whole matrices, powers, thresholds and piecewise linear functions (program/ops_numeric.h).
#include <algorithm>
#include <cmath>
#include <memory>

#include "base/text.h"
#include "engine/kernel_loops.h"
#include "engine/row_sum.h"

namespace wherry::engine {
namespace {

using base::cat;
using program::Arithmetic;

template <class F>
Kernel pairwise(const Wiring& wiring, F function) {
  const auto left = wiring.node.inputs[0];
  const auto right = wiring.node.inputs[1];
  const auto out = wiring.output();
  return Kernel{[=](const Frame& frame) -> base::Status {
    const Columns& a = frame.columns(left);
    const Columns& b = frame.columns(right);
    double* to = frame.make_matrix(out);
    if (b.columns == a.columns) {
      for (std::size_t i = 0; i < a.rows * a.columns; ++i) to[i] = function(a.numbers[i], b.numbers[i]);
      return {};
    }
    for (std::size_t row = 0; row < a.rows; ++row)
      for (std::size_t j = 0; j < a.columns; ++j, ++to)
        *to = function(a.numbers[row * a.columns + j], b.numbers[row]);
    return {};
  }};
}

double sum_of(const double* row, std::size_t width, program::RowSum order) {
  if (order == program::RowSum::kPairwise) return row_sum(row, width);
  double sum = 0;
  for (std::size_t j = 0; j < width; ++j) sum += row[j];
  return sum;
}

// Knots in ascending order, at least one.
class Line {
 public:
  Line(std::vector<double> x, std::vector<double> y, bool float32)
      : x_(std::move(x)), y_(std::move(y)), float32_(float32) {}

  double rounded(double t) const { return float32_ ? static_cast<double>(static_cast<float>(t)) : t; }

  bool covers(double t) const { return x_.size() == 1 || (t >= x_.front() && t <= x_.back()); }

  // `t` is within the knots, or NaN.
  double at(double t) const {
    if (x_.size() == 1) return y_[0];
    if (std::isnan(t)) return t;
    if (float32_) return at_float32(static_cast<float>(t));
    const auto k = static_cast<std::size_t>(std::ranges::upper_bound(x_, t) - x_.begin()) - 1;
    if (k + 1 == x_.size() || x_[k] == t) return y_[k];
    const double slope = (y_[k + 1] - y_[k]) / (x_[k + 1] - x_[k]);
    double value = slope * (t - x_[k]) + y_[k];
    if (std::isnan(value)) value = slope * (t - x_[k + 1]) + y_[k + 1];
    if (std::isnan(value) && y_[k] == y_[k + 1]) value = y_[k];
    return value;
  }

  double clipped(double t) const { return at(t < x_.front() ? x_.front() : t > x_.back() ? x_.back() : t); }

 private:
  double at_float32(float t) const {
    const auto above =
        static_cast<std::size_t>(std::ranges::lower_bound(x_, static_cast<double>(t)) - x_.begin());
    const std::size_t k = std::clamp<std::size_t>(above, 1, x_.size() - 1) - 1;
    const auto low = static_cast<float>(x_[k]);
    const auto slope =
        (static_cast<float>(y_[k + 1]) - static_cast<float>(y_[k])) / (static_cast<float>(x_[k + 1]) - low);
    return slope * (t - low) + static_cast<float>(y_[k]);
  }

  std::vector<double> x_, y_;
  bool float32_;
};

std::string place(const Skeleton& skeleton, program::ValueId value, const Frame& frame, std::size_t cell) {
  const std::size_t columns = frame.columns(value).columns;
  return cat(column_name(skeleton, value, cell % columns), " of row ", frame.first_row() + cell / columns);
}

}  // namespace

MadeKernel make_kernel(const program::Elementwise& op, const Wiring& wiring) {
  switch (op.operation) {
    case Arithmetic::kAdd:
      return pairwise(wiring, [](double a, double b) { return a + b; });
    case Arithmetic::kSubtract:
      return pairwise(wiring, [](double a, double b) { return a - b; });
    case Arithmetic::kMultiply:
      return pairwise(wiring, [](double a, double b) { return a * b; });
    case Arithmetic::kDivide:
      return pairwise(wiring, [](double a, double b) { return a / b; });
  }
  return base::fail(base::Code::kUnsupported, "engine.operation", "unknown arithmetic operation");
}

MadeKernel make_kernel(const program::SumRows& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  return Kernel{[=](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    double* squares = op.squares ? at_least(frame.buffers().doubles, from.columns) : nullptr;
    for (std::size_t row = 0; row < from.rows; ++row) {
      const double* x = from.numbers + row * from.columns;
      if (op.squares) {
        for (std::size_t j = 0; j < from.columns; ++j) squares[j] = x[j] * x[j];
        x = squares;
      }
      to[row] = sum_of(x, from.columns, op.row_sum);
    }
    return {};
  }};
}

MadeKernel make_kernel(const program::Power& op, const Wiring& wiring) {
  if (op.exponent == 2) return elementwise(wiring, [](double x) { return x * x; });
  if (op.exponent == 1) return elementwise(wiring, [](double x) { return x; });
  if (op.exponent == 0.5) return elementwise(wiring, [](double x) { return std::sqrt(x); });
  if (op.exponent == -1) return elementwise(wiring, [](double x) { return 1.0 / x; });
  return elementwise(wiring, [exponent = op.exponent](double x) { return std::pow(x, exponent); });
}

MadeKernel make_kernel(const program::Threshold& op, const Wiring& wiring) {
  const double threshold = op.threshold;
  if (op.inclusive) return elementwise(wiring, [=](double x) { return x >= threshold ? 1.0 : 0.0; });
  return elementwise(wiring, [=](double x) { return x > threshold ? 1.0 : 0.0; });
}

MadeKernel make_kernel(const program::Interpolate& op, const Wiring& wiring) {
  auto line = std::make_shared<const Line>(wiring.numbers(op.x), wiring.numbers(op.y), op.float32);
  if (op.outside == program::Outside::kClip)
    return elementwise(wiring, [line](double t) { return line->clipped(line->rounded(t)); });
  if (op.outside == program::Outside::kNan)
    return elementwise(wiring, [line](double t) {
      t = line->rounded(t);
      return std::isnan(t) || line->covers(t) ? line->at(t) : NAN;
    });
  const auto in = wiring.input();
  const auto out = wiring.output();
  const Skeleton* skeleton = &wiring.skeleton;
  return Kernel{[=](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    for (std::size_t i = 0; i < from.rows * from.columns; ++i) {
      const double t = line->rounded(from.numbers[i]);
      if (!std::isnan(t) && !line->covers(t))
        return base::fail(
            base::Code::kInvalidInput, "engine.out_of_range",
            cat("A value is outside of the interpolation range: ", place(*skeleton, in, frame, i), " is ", t),
            "send a value within the range of training, or fit with out_of_bounds='clip'");
      to[i] = line->at(t);
    }
    return {};
  }};
}

MadeKernel make_kernel(const program::CheckLeast& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const Skeleton* skeleton = &wiring.skeleton;
  const program::CheckLeast* check = &op;
  return Kernel{[=](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    for (std::size_t i = 0; i < from.rows * from.columns; ++i) {
      const double x = from.numbers[i];
      if (x > check->least || (x == check->least && !check->exclusive) || std::isnan(x)) continue;
      return base::fail(base::Code::kInvalidInput, "engine.out_of_range",
                        cat(place(*skeleton, in, frame, i), " is ", x, "; ", check->estimator,
                            " refuses values ", check->exclusive ? "not above " : "below ", check->least),
                        "send larger numbers");
    }
    frame.share(out, in);
    return {};
  }};
}

}  // namespace wherry::engine
