// Moving, checking and filling columns.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/numbers.h"
#include "base/text.h"
#include "engine/cells.h"
#include "engine/kernels.h"

namespace wherry::engine {
namespace {

using base::cat;
using tensor::CellKind;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// A cell as ToMatrix reads it; nothing for a text which is no number.
std::optional<double> number_of(const Columns& in, std::size_t cell) {
  switch (in.kind(cell)) {
    case CellKind::kNumber:
      return in.numbers[cell];
    case CellKind::kText:
      return base::parse_python_float(in.texts[cell]);
    case CellKind::kMissing:
      break;
  }
  return kNan;
}

std::unexpected<base::Error> not_a_number(const Skeleton& skeleton, program::ValueId value,
                                          const Frame& frame, std::size_t cell) {
  const Columns& in = frame.columns(value);
  return base::fail(
      base::Code::kInvalidInput, "engine.not_a_number",
      cat(column_name(skeleton, value, cell % in.columns), " of row ", frame.first_row() + cell / in.columns,
          ": ", base::quoted(in.texts[cell]), " is not a number"),
      "the model was trained with numbers in this column; send a number, or null where it is unknown");
}

// Copies chosen columns of a table; true when all of them are numbers.
bool copy_cells(const Columns& in, std::span<const std::int64_t> columns, const TableCells& out) {
  bool only_numbers = true;
  std::size_t at = 0;
  for (std::size_t row = 0; row < in.rows; ++row) {
    for (const std::int64_t column : columns) {
      const std::size_t cell = row * in.columns + static_cast<std::size_t>(column);
      const CellKind kind = in.kind(cell);
      out.numbers[at] = in.numbers[cell];
      out.kinds[at] = kind;
      out.texts[at] = kind == CellKind::kText ? in.texts[cell] : std::string_view();
      only_numbers &= kind == CellKind::kNumber;
      ++at;
    }
  }
  return only_numbers;
}

void copy_numbers(const Columns& in, std::span<const std::int64_t> columns, double* out) {
  for (std::size_t row = 0; row < in.rows; ++row)
    for (const std::int64_t column : columns)
      *out++ = in.numbers[row * in.columns + static_cast<std::size_t>(column)];
}

// One input of a concatenation, written beside the others.
void place_columns(const Columns& in, std::size_t first, std::size_t width, double* out) {
  for (std::size_t row = 0; row < in.rows; ++row)
    std::copy_n(in.numbers + row * in.columns, in.columns, out + row * width + first);
}

bool place_cells(const Columns& in, std::size_t first, std::size_t width, const TableCells& out) {
  place_columns(in, first, width, out.numbers);
  for (std::size_t row = 0; row < in.rows; ++row) {
    const std::size_t from = row * in.columns;
    const std::size_t to = row * width + first;
    if (in.kinds == nullptr) {
      std::fill_n(out.kinds + to, in.columns, CellKind::kNumber);
      std::fill_n(out.texts + to, in.columns, std::string_view());
    } else {
      std::copy_n(in.kinds + from, in.columns, out.kinds + to);
      std::copy_n(in.texts + from, in.columns, out.texts + to);
    }
  }
  return in.kinds == nullptr;
}

}  // namespace

std::unexpected<base::Error> not_finite(const program::CheckFinite& op, const std::string& where,
                                        bool is_nan) {
  if (is_nan) {
    return base::fail(base::Code::kInvalidInput, "engine.not_finite",
                      cat("Input X contains NaN: ", where, "; ", op.estimator,
                          " does not accept missing values encoded as NaN"),
                      "send a number in every column, or train with an imputer before the estimator");
  }
  return base::fail(
      base::Code::kInvalidInput, "engine.not_finite",
      cat("Input X contains infinity or a value too large for dtype('", op.as_float32 ? "float32" : "float64",
          "'): ", where, "; ", op.estimator, " refuses it"),
      "send a finite number");
}

double finite_bound(const program::CheckFinite& op) {
  constexpr double kFloat32Overflow = 0x1.ffffffp127;  // the smallest double that rounds to infinity
  return op.as_float32 ? kFloat32Overflow : std::numeric_limits<double>::infinity();
}

namespace {

// Of the values beyond the bounds the first NaN is reported, else the first infinity, as scikit-learn does.
base::Status find_not_finite(const program::CheckFinite& op, double bound, const Skeleton& skeleton,
                             program::ValueId value, const Frame& frame) {
  const Columns& in = frame.columns(value);
  const auto where = [&](std::size_t cell) {
    return cat(column_name(skeleton, value, cell % in.columns), " of row ",
               frame.first_row() + cell / in.columns);
  };
  const std::span<const double> all(in.numbers, in.rows * in.columns);
  if (!op.allow_nan) {
    const auto nan = std::ranges::find_if(all, [](double x) { return std::isnan(x); });
    if (nan != all.end()) return not_finite(op, where(static_cast<std::size_t>(nan - all.begin())), true);
  }
  const auto large = std::ranges::find_if(all, [&](double x) { return std::abs(x) >= bound; });
  if (large != all.end()) return not_finite(op, where(static_cast<std::size_t>(large - all.begin())), false);
  return {};
}

}  // namespace

MadeKernel make_kernel(const program::SelectColumns& op, const Wiring& wiring) {
  if (wiring.is_sparse(wiring.input())) return make_sparse_kernel(op, wiring);
  const auto in = wiring.input();
  const auto out = wiring.output();
  std::span<const std::int64_t> columns(op.columns);
  bool is_identity = columns.size() == wiring.width_of(in);
  for (std::size_t j = 0; j < columns.size(); ++j) is_identity &= columns[j] == static_cast<std::int64_t>(j);
  const bool makes_table = wiring.skeleton.types[out].kind == program::ValueKind::kTable;
  return Kernel{[=](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    if (is_identity && !makes_table) {
      frame.share(out, in);
    } else if (makes_table) {
      if (copy_cells(from, columns, frame.make_table(out))) frame.drop_kinds(out);
    } else {
      copy_numbers(from, columns, frame.make_matrix(out));
    }
    return {};
  }};
}

MadeKernel make_kernel(const program::Concat& op, const Wiring& wiring) {
  if (wiring.is_sparse(wiring.output())) return make_sparse_kernel(op, wiring);
  std::span<const program::ValueId> inputs(wiring.node.inputs);
  const auto out = wiring.output();
  const std::size_t width = wiring.width_of(out);
  const bool makes_table = wiring.skeleton.types[out].kind == program::ValueKind::kTable;
  return Kernel{[=](const Frame& frame) -> base::Status {
    std::size_t first = 0;
    if (!makes_table) {
      double* to = frame.make_matrix(out);
      for (const program::ValueId in : inputs) {
        place_columns(frame.columns(in), first, width, to);
        first += frame.columns(in).columns;
      }
      return {};
    }
    const TableCells to = frame.make_table(out);
    bool only_numbers = true;
    for (const program::ValueId in : inputs) {
      only_numbers &= place_cells(frame.columns(in), first, width, to);
      first += frame.columns(in).columns;
    }
    if (only_numbers) frame.drop_kinds(out);
    return {};
  }};
}

MadeKernel make_kernel(const program::ToMatrix&, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const Skeleton* skeleton = &wiring.skeleton;
  return Kernel{[=](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    if (from.kinds == nullptr) {
      frame.share(out, in);
      return {};
    }
    double* to = frame.make_matrix(out);
    for (std::size_t cell = 0; cell < from.rows * from.columns; ++cell) {
      const std::optional<double> number = number_of(from, cell);
      if (!number) return not_a_number(*skeleton, in, frame, cell);
      to[cell] = *number;
    }
    return {};
  }};
}

MadeKernel make_kernel(const program::CheckFinite& op, const Wiring& wiring) {
  if (wiring.is_sparse(wiring.input())) return make_sparse_kernel(op, wiring);
  const auto in = wiring.input();
  const auto out = wiring.output();
  const Skeleton* skeleton = &wiring.skeleton;
  const program::CheckFinite* check = &op;
  const double bound = finite_bound(op);
  return Kernel{[=](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    bool all_good = true;
    for (std::size_t i = 0; i < from.rows * from.columns; ++i) all_good &= std::abs(from.numbers[i]) < bound;
    if (!all_good) TRY(find_not_finite(*check, bound, *skeleton, in, frame));
    frame.share(out, in);
    return {};
  }};
}

MadeKernel make_kernel(const program::Impute& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const std::span<const std::int64_t> kept(op.kept);
  const double missing = op.missing;
  return Kernel{[=, statistics = wiring.numbers(op.statistics)](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    const bool nan_is_missing = std::isnan(missing);
    for (std::size_t row = 0; row < from.rows; ++row) {
      for (std::size_t j = 0; j < kept.size(); ++j) {
        const double x = from.numbers[row * from.columns + static_cast<std::size_t>(kept[j])];
        *to++ = (nan_is_missing ? std::isnan(x) : x == missing) ? statistics[j] : x;
      }
    }
    return {};
  }};
}

namespace {

// What scikit-learn's check_array refuses of a table: NaN unless the marker is NaN (or None, which stands for
// it), and infinities where no cell is a text, so that it is an array of numbers: `finite`.
base::Status check_cells(const Columns& in, const tensor::CellValue& marker, bool finite,
                         const Skeleton& skeleton, program::ValueId value, const Frame& frame) {
  const auto* number = std::get_if<double>(&marker);
  const bool nan_passes =
      std::holds_alternative<std::monostate>(marker) || (number != nullptr && std::isnan(*number));
  for (std::size_t cell = 0; cell < in.rows * in.columns; ++cell) {
    if (in.kind(cell) != CellKind::kNumber) continue;
    const bool is_nan = std::isnan(in.numbers[cell]);
    if (is_nan ? nan_passes : !(finite && std::isinf(in.numbers[cell]))) continue;
    const std::string where = cat(column_name(skeleton, value, cell % in.columns), " of row ",
                                  frame.first_row() + cell / in.columns);
    return not_finite({.estimator = "the imputer"}, where, is_nan);
  }
  return {};
}

bool has_text(const Columns& in) {
  return in.kinds != nullptr && std::find(in.kinds, in.kinds + in.rows * in.columns, CellKind::kText) !=
                                    in.kinds + in.rows * in.columns;
}

}  // namespace

MadeKernel make_kernel(const program::ImputeCells& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const Skeleton* skeleton = &wiring.skeleton;
  const program::ImputeCells* impute = &op;
  return Kernel{[=, marker = CellIndex(std::span(&op.missing, 1))](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    TRY(check_cells(from, impute->missing, false, *skeleton, in, frame));
    const TableCells to = frame.make_table(out);
    copy_cells(from, impute->kept, to);
    bool only_numbers = true;
    for (std::size_t row = 0; row < from.rows; ++row) {
      for (std::size_t j = 0; j < impute->kept.size(); ++j) {
        const std::size_t at = row * impute->kept.size() + j;
        if (marker.find(from, row * from.columns + static_cast<std::size_t>(impute->kept[j])) >= 0) {
          const tensor::CellValue& fill = impute->statistics[j];
          const auto* number = std::get_if<double>(&fill);
          const auto* text = std::get_if<std::string>(&fill);
          to.numbers[at] = number != nullptr ? *number : kNan;
          to.texts[at] = text != nullptr ? std::string_view(*text) : std::string_view();
          to.kinds[at] = number != nullptr ? CellKind::kNumber
                         : text != nullptr ? CellKind::kText
                                           : CellKind::kMissing;
        }
        only_numbers &= to.kinds[at] == CellKind::kNumber;
      }
    }
    if (only_numbers) frame.drop_kinds(out);
    return {};
  }};
}

MadeKernel make_kernel(const program::MissingMask& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const Skeleton* skeleton = &wiring.skeleton;
  const std::span<const std::int64_t> columns(op.columns);
  std::vector<std::size_t> refused;
  for (std::size_t j = 0; op.refuse_others && j < wiring.width_of(in); ++j)
    if (std::ranges::find(columns, static_cast<std::int64_t>(j)) == columns.end()) refused.push_back(j);
  const bool is_table = wiring.skeleton.types[in].kind == program::ValueKind::kTable;
  const tensor::CellValue* missing = &op.missing;
  return Kernel{[=, marker = CellIndex(std::span(&op.missing, 1))](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    if (is_table) TRY(check_cells(from, *missing, !has_text(from), *skeleton, in, frame));
    double* to = frame.make_matrix(out);
    for (std::size_t row = 0; row < from.rows; ++row) {
      for (const std::int64_t column : columns)
        *to++ = marker.find(from, row * from.columns + static_cast<std::size_t>(column)) >= 0 ? 1.0 : 0.0;
      for (const std::size_t column : refused)
        if (marker.find(from, row * from.columns + column) >= 0)
          return base::fail(base::Code::kInvalidInput, "engine.missing_value",
                            cat(column_name(*skeleton, in, column), " of row ", frame.first_row() + row,
                                ": a missing value, where the training data had none"),
                            "send a value, or train MissingIndicator with error_on_new=False");
    }
    return {};
  }};
}

}  // namespace wherry::engine
