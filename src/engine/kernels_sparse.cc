// Operations on sparse rows.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "base/text.h"
#include "engine/kernels.h"

namespace wherry::engine {
namespace {

// Where each column of the input goes: targets[starts[j]] … targets[starts[j + 1]].
struct Routing {
  std::vector<std::uint32_t> starts;
  std::vector<std::uint32_t> targets;
};

Routing routing(std::span<const std::int64_t> columns, std::size_t width) {
  Routing out;
  out.starts.assign(width + 1, 0);
  for (const std::int64_t column : columns) ++out.starts[static_cast<std::size_t>(column) + 1];
  std::partial_sum(out.starts.begin(), out.starts.end(), out.starts.begin());
  out.targets.resize(columns.size());
  std::vector<std::uint32_t> next(out.starts.begin(), out.starts.end() - 1);
  for (std::uint32_t j = 0; j < columns.size(); ++j)
    out.targets[next[static_cast<std::size_t>(columns[j])]++] = j;
  return out;
}

// scipy's csr_matvecs: y[k] += a * x[j][k] for each element a of the row, in its order.
class SparseDot {
 public:
  SparseDot(const std::vector<double>& coefficients, std::vector<double> intercept, std::size_t width)
      : intercept_(std::move(intercept)), by_column_(coefficients.size()) {
    const std::size_t outputs = intercept_.size();
    for (std::size_t k = 0; k < outputs; ++k)
      for (std::size_t j = 0; j < width; ++j) by_column_[j * outputs + k] = coefficients[k * width + j];
  }

  void run(const SparseRows& in, double* out) const {
    const std::size_t outputs = intercept_.size();
    for (std::size_t row = 0; row < in.rows(); ++row, out += outputs) {
      if (outputs == 1) {
        double sum = 0;
        for (std::size_t i = in.offsets[row]; i < in.offsets[row + 1]; ++i)
          sum += in.values[i] * by_column_[static_cast<std::size_t>(in.columns[i])];
        *out = sum + intercept_[0];
        continue;
      }
      std::fill_n(out, outputs, 0.0);
      for (std::size_t i = in.offsets[row]; i < in.offsets[row + 1]; ++i) {
        const double* c = by_column_.data() + static_cast<std::size_t>(in.columns[i]) * outputs;
        for (std::size_t k = 0; k < outputs; ++k) out[k] += in.values[i] * c[k];
      }
      for (std::size_t k = 0; k < outputs; ++k) out[k] += intercept_[k];
    }
  }

 private:
  std::vector<double> intercept_;
  std::vector<double> by_column_;  // [width, outputs]
};

void add_dense_row(const Columns& in, std::size_t row, std::size_t first, SparseRows& out) {
  const double* x = in.numbers + row * in.columns;
  for (std::size_t j = 0; j < in.columns; ++j)
    if (x[j] != 0) out.add(first + j, x[j]);
}

// The element CheckFinite complains about: the first NaN, else the first infinity.
std::optional<std::size_t> find_bad(const program::CheckFinite& op, double bound, const SparseRows& in) {
  if (!op.allow_nan)
    for (std::size_t i = 0; i < in.values.size(); ++i)
      if (std::isnan(in.values[i])) return i;
  for (std::size_t i = 0; i < in.values.size(); ++i)
    if (std::abs(in.values[i]) >= bound) return i;
  return std::nullopt;
}

}  // namespace

MadeKernel make_sparse_kernel(const program::SelectColumns& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  return Kernel{[=, route = routing(op.columns, wiring.width_of(in))](const Frame& frame) -> base::Status {
    const SparseRows& from = frame.sparse(in);
    SparseRows& to = frame.make_sparse(out);
    for (std::size_t row = 0; row < from.rows(); ++row) {
      for (std::size_t i = from.offsets[row]; i < from.offsets[row + 1]; ++i) {
        const auto column = static_cast<std::size_t>(from.columns[i]);
        for (std::uint32_t t = route.starts[column]; t < route.starts[column + 1]; ++t)
          to.add(route.targets[t], from.values[i]);
      }
      to.end_row();
    }
    return {};
  }};
}

MadeKernel make_sparse_kernel(const program::Concat&, const Wiring& wiring) {
  struct Part {
    program::ValueId value;
    bool is_sparse;
    std::size_t first;
  };
  std::vector<Part> parts;
  std::size_t width = 0;
  for (const program::ValueId value : wiring.node.inputs) {
    parts.push_back({value, wiring.is_sparse(value), width});
    width += wiring.width_of(value);
  }
  const auto out = wiring.output();
  return Kernel{[=, parts = std::move(parts)](const Frame& frame) -> base::Status {
    SparseRows& to = frame.make_sparse(out);
    for (std::size_t row = 0; row < frame.rows(); ++row) {
      for (const Part& part : parts) {
        if (!part.is_sparse) {
          add_dense_row(frame.columns(part.value), row, part.first, to);
          continue;
        }
        const SparseRows& from = frame.sparse(part.value);
        for (std::size_t i = from.offsets[row]; i < from.offsets[row + 1]; ++i)
          to.add(part.first + static_cast<std::size_t>(from.columns[i]), from.values[i]);
      }
      to.end_row();
    }
    return {};
  }};
}

MadeKernel make_sparse_kernel(const program::CheckFinite& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const Skeleton* skeleton = &wiring.skeleton;
  const program::CheckFinite* check = &op;
  const double bound = finite_bound(op);
  return Kernel{[=](const Frame& frame) -> base::Status {
    const SparseRows& from = frame.sparse(in);
    if (const auto bad = find_bad(*check, bound, from)) {
      const auto row = std::ranges::upper_bound(from.offsets, *bad) - from.offsets.begin() - 1;
      return not_finite(*check,
                        base::cat(column_name(*skeleton, in, static_cast<std::size_t>(from.columns[*bad])),
                                  " of row ", frame.first_row() + static_cast<std::size_t>(row)),
                        std::isnan(from.values[*bad]));
    }
    frame.share(out, in);
    return {};
  }};
}

MadeKernel make_sparse_kernel(const program::Columnwise& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const bool divides = op.operation == program::Arithmetic::kDivide;
  std::vector<double> operand = wiring.numbers(op.operand);
  if (operand.size() == 1) operand.resize(wiring.width_of(in), operand[0]);
  return Kernel{[=, operand = std::move(operand)](const Frame& frame) -> base::Status {
    const SparseRows& from = frame.sparse(in);
    SparseRows& to = frame.make_sparse(out);
    to.offsets = from.offsets;
    to.columns = from.columns;
    to.values.resize(from.values.size());
    for (std::size_t i = 0; i < from.values.size(); ++i) {
      const double y = operand[static_cast<std::size_t>(from.columns[i])];
      to.values[i] = divides ? from.values[i] / y : from.values[i] * y;
    }
    return {};
  }};
}

MadeKernel make_sparse_kernel(const program::Linear& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  return Kernel{[=, dot = SparseDot(wiring.numbers(op.coefficients), wiring.numbers(op.intercept),
                                    wiring.width_of(in))](const Frame& frame) -> base::Status {
    dot.run(frame.sparse(in), frame.make_matrix(out));
    return {};
  }};
}

MadeKernel make_kernel(const program::ToDense&, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const std::size_t width = wiring.width_of(in);
  return Kernel{[=](const Frame& frame) -> base::Status {
    const SparseRows& from = frame.sparse(in);
    double* to = frame.make_matrix(out);
    std::fill_n(to, from.rows() * width, 0.0);
    for (std::size_t row = 0; row < from.rows(); ++row, to += width)
      for (std::size_t i = from.offsets[row]; i < from.offsets[row + 1]; ++i)
        to[from.columns[i]] = from.values[i];
    return {};
  }};
}

MadeKernel make_kernel(const program::ToSparse&, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  return Kernel{[=](const Frame& frame) -> base::Status {
    SparseRows& to = frame.make_sparse(out);
    for (std::size_t row = 0; row < frame.rows(); ++row) {
      add_dense_row(frame.columns(in), row, 0, to);
      to.end_row();
    }
    return {};
  }};
}

}  // namespace wherry::engine
