// Categories to numbers.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "engine/cells.h"
#include "engine/kernels.h"

namespace wherry::engine {
namespace {

using base::cat;

std::unexpected<base::Error> unknown_category(const Skeleton& skeleton, program::ValueId value,
                                              const Frame& frame, std::size_t row, std::size_t column,
                                              std::size_t known) {
  const Columns& in = frame.columns(value);
  return base::fail(
      base::Code::kInvalidInput, "engine.unknown_category",
      cat(column_name(skeleton, value, column), " of row ", frame.first_row() + row, ": unknown category ",
          describe_cell(in, row * in.columns + column), " (encoder knows ", known,
          known == 1 ? " category)" : " categories)"),
      "send one of the categories the model was trained with, or train with handle_unknown='ignore'");
}

bool is_infinite(const Columns& table, std::size_t cell) {
  return table.kind(cell) == tensor::CellKind::kNumber && std::isinf(table.numbers[cell]);
}

std::unexpected<base::Error> infinite(const Skeleton& skeleton, program::ValueId value, const Frame& frame,
                                      std::size_t row, std::size_t column) {
  return base::fail(base::Code::kInvalidInput, "engine.not_finite",
                    cat("Input X contains infinity or a value too large for dtype('float64'): ",
                        column_name(skeleton, value, column), " of row ", frame.first_row() + row,
                        "; the encoder refuses it"),
                    "send a finite number");
}

// The lookup of each column of an encoder; the texts stay in the operation.
template <class Column>
std::vector<CellIndex> make_indexes(const std::vector<Column>& columns) {
  std::vector<CellIndex> indexes;
  indexes.reserve(columns.size());
  for (const Column& column : columns) indexes.emplace_back(column.categories);
  return indexes;
}

}  // namespace

MadeKernel make_kernel(const program::OneHot& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const std::size_t width = wiring.width_of(out);
  const Skeleton* skeleton = &wiring.skeleton;
  const std::span<const program::OneHotColumn> columns(op.columns);
  return Kernel{[=, indexes = make_indexes(op.columns)](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    std::fill_n(to, from.rows * width, 0.0);
    for (std::size_t row = 0; row < from.rows; ++row) {
      for (std::size_t j = 0; j < columns.size(); ++j) {
        if (columns[j].refuse_infinite && is_infinite(from, row * from.columns + j))
          return infinite(*skeleton, in, frame, row, j);
        const std::int32_t category = indexes[j].find(from, row * from.columns + j);
        if (category < 0 && columns[j].refuse_unknown)
          return unknown_category(*skeleton, in, frame, row, j, columns[j].categories.size());
        const std::int64_t target = category < 0 ? columns[j].unknown_target : columns[j].targets[category];
        if (target >= 0) to[target] = 1.0;
        to += columns[j].width;
      }
    }
    return {};
  }};
}

MadeKernel make_kernel(const program::Ordinal& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const Skeleton* skeleton = &wiring.skeleton;
  const std::span<const program::OrdinalColumn> columns(op.columns);
  return Kernel{[=, indexes = make_indexes(op.columns)](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    for (std::size_t row = 0; row < from.rows; ++row) {
      for (std::size_t j = 0; j < columns.size(); ++j) {
        if (columns[j].refuse_infinite && is_infinite(from, row * from.columns + j))
          return infinite(*skeleton, in, frame, row, j);
        const std::int32_t category = indexes[j].find(from, row * from.columns + j);
        if (category < 0 && columns[j].refuse_unknown)
          return unknown_category(*skeleton, in, frame, row, j, columns[j].categories.size());
        *to++ = category < 0 ? columns[j].unknown_code : columns[j].codes[category];
      }
    }
    return {};
  }};
}

}  // namespace wherry::engine
