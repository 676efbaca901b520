// scipy.sparse matrices and arrays as instances: {_shape, data, indices, indptr, …} by format
// (scipy/sparse/_csr.py, _csc.py, _coo.py, _bsr.py, _dia.py, _lil.py, _dok.py).
#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include "base/text.h"
#include "import/pickle/view.h"

namespace wherry::pickle {

namespace {

struct Triplets {
  std::vector<std::int64_t> rows;
  std::vector<std::int64_t> columns;
  std::vector<double> values;
};

struct Shape {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

std::unexpected<base::Error> bad(const View& view, std::string_view what) {
  return base::fail(base::Code::kInvalidInput, "pickle.bad_sparse",
                    base::cat(view.where(), ": ", view.describe(), ": ", what), "the file is damaged");
}

// The format from the class name: "csr" of scipy.sparse._csr.csr_matrix; empty for other classes.
std::string_view format_of(const View& view) {
  static constexpr std::array<std::string_view, 7> kFormats = {"csr", "csc", "coo", "bsr",
                                                               "dia", "lil", "dok"};
  if (!view.is(Kind::kCall)) return {};
  const Global* const type = view->call().type();
  if (type == nullptr || !type->module.starts_with("scipy.sparse")) return {};
  for (const std::string_view format : kFormats)
    if (type->name == base::cat(format, "_matrix") || type->name == base::cat(format, "_array"))
      return format;
  return {};
}

base::Result<Shape> shape_of(const View& view) {
  TRY_ASSIGN(const View shape, view.attr("_shape"));
  TRY_ASSIGN(const std::vector<std::int64_t> sizes, shape.int64s());
  if (sizes.size() == 1) return Shape{1, sizes[0]};  // one-dimensional sparse arrays are one row
  if (sizes.size() != 2 || sizes[0] < 0 || sizes[1] < 0) return bad(view, "its shape is not two sizes");
  return Shape{sizes[0], sizes[1]};
}

struct Compressed {
  std::vector<std::int64_t> offsets;
  std::vector<std::int64_t> indices;
};

// offsets has `lines` + 1 rising numbers from 0 to no more than the number of indices, each of which is <
// `across`.
base::Result<Compressed> compressed_of(const View& view, std::int64_t lines, std::int64_t across) {
  Compressed parts;
  TRY_ASSIGN(const View offsets, view.attr("indptr"));
  TRY_ASSIGN(parts.offsets, offsets.int64s());
  TRY_ASSIGN(const View indices, view.attr("indices"));
  TRY_ASSIGN(parts.indices, indices.int64s());
  const auto& starts = parts.offsets;
  if (starts.empty() || static_cast<std::int64_t>(starts.size()) - 1 != lines || starts.front() != 0 ||
      !std::ranges::is_sorted(starts) || starts.back() > static_cast<std::int64_t>(parts.indices.size()))
    return bad(view, "indptr does not fit its shape");
  parts.indices.resize(static_cast<std::size_t>(starts.back()));
  if (std::ranges::any_of(parts.indices, [&](std::int64_t i) { return i < 0 || i >= across; }))
    return bad(view, "an index lies outside of its shape");
  return parts;
}

base::Result<std::vector<double>> numbers(const View& view, std::string_view attribute,
                                          std::size_t at_least) {
  TRY_ASSIGN(const View part, view.attr(attribute));
  TRY_ASSIGN(std::vector<double> values, part.doubles());
  if (values.size() < at_least) return bad(view, base::cat(attribute, " is too short"));
  values.resize(at_least);
  return values;
}

base::Result<Triplets> csc_triplets(const View& view, Shape shape) {
  TRY_ASSIGN(Compressed parts, compressed_of(view, shape.columns, shape.rows));
  Triplets all;
  TRY_ASSIGN(all.values, numbers(view, "data", parts.indices.size()));
  all.columns.resize(parts.indices.size());
  for (std::size_t column = 0; column + 1 < parts.offsets.size(); ++column)
    std::fill(all.columns.begin() + parts.offsets[column], all.columns.begin() + parts.offsets[column + 1],
              static_cast<std::int64_t>(column));
  all.rows = std::move(parts.indices);
  return all;
}

// Row and column numbers: attributes row and col, or a tuple `coords` since scipy 1.13.
base::Result<Triplets> coo_triplets(const View& view, Shape shape) {
  Triplets all;
  if (const auto coordinates = view.find("coords")) {
    TRY_ASSIGN(const std::vector<View> axes, coordinates->items());
    if (axes.empty() || axes.size() > 2) return bad(view, "it has not two dimensions");
    TRY_ASSIGN(all.columns, axes.back().int64s());
    if (axes.size() == 2) {
      TRY_ASSIGN(all.rows, axes.front().int64s());
    } else {
      all.rows.assign(all.columns.size(), 0);
    }
  } else {
    TRY_ASSIGN(const View rows, view.attr("row"));
    TRY_ASSIGN(all.rows, rows.int64s());
    TRY_ASSIGN(const View columns, view.attr("col"));
    TRY_ASSIGN(all.columns, columns.int64s());
  }
  TRY_ASSIGN(all.values, numbers(view, "data", all.rows.size()));
  if (all.rows.size() != all.columns.size()) return bad(view, "rows and columns differ in number");
  for (std::size_t i = 0; i < all.rows.size(); ++i)
    if (all.rows[i] < 0 || all.rows[i] >= shape.rows || all.columns[i] < 0 || all.columns[i] >= shape.columns)
      return bad(view, "an index lies outside of its shape");
  return all;
}

// Blocks of data.shape[1] × data.shape[2] numbers.
base::Result<Triplets> bsr_triplets(const View& view, Shape shape) {
  TRY_ASSIGN(const View data, view.attr("data"));
  TRY_ASSIGN(const NdArray blocks, data.array());
  if (blocks.shape.size() != 3 || blocks.shape[1] < 1 || blocks.shape[2] < 1 ||
      shape.rows % blocks.shape[1] != 0 || shape.columns % blocks.shape[2] != 0)
    return bad(view, "its blocks do not fit its shape");
  const std::int64_t high = blocks.shape[1];
  const std::int64_t wide = blocks.shape[2];
  TRY_ASSIGN(const Compressed parts, compressed_of(view, shape.rows / high, shape.columns / wide));
  if (blocks.shape[0] < static_cast<std::int64_t>(parts.indices.size()))
    return bad(view, "data is too short");
  TRY_ASSIGN(const std::vector<double> values, to_doubles(blocks, data.where()));
  Triplets all;
  for (std::size_t line = 0; line + 1 < parts.offsets.size(); ++line)
    for (std::int64_t block = parts.offsets[line]; block < parts.offsets[line + 1]; ++block)
      for (std::int64_t cell = 0; cell < high * wide; ++cell) {
        all.rows.push_back(static_cast<std::int64_t>(line) * high + cell / wide);
        all.columns.push_back(parts.indices[static_cast<std::size_t>(block)] * wide + cell % wide);
        all.values.push_back(values[static_cast<std::size_t>(block * high * wide + cell)]);
      }
  return all;
}

// data[k, j] stands in column j, row j - offsets[k].
base::Result<Triplets> dia_triplets(const View& view, Shape shape) {
  TRY_ASSIGN(const View data, view.attr("data"));
  TRY_ASSIGN(const Matrix diagonals, data.matrix());
  TRY_ASSIGN(const View offsets_view, view.attr("offsets"));
  TRY_ASSIGN(const std::vector<std::int64_t> offsets, offsets_view.int64s());
  if (static_cast<std::int64_t>(offsets.size()) != diagonals.rows)
    return bad(view, "offsets and data do not fit");
  Triplets all;
  for (std::int64_t k = 0; k < diagonals.rows; ++k) {
    const std::int64_t offset = offsets[static_cast<std::size_t>(k)];
    if (offset <= -shape.rows || offset >= shape.columns) continue;
    const std::int64_t first = std::max<std::int64_t>(0, offset);
    const std::int64_t last = std::min({shape.columns, diagonals.columns, shape.rows + offset});
    for (std::int64_t column = first; column < last; ++column) {
      const double value = diagonals.values[static_cast<std::size_t>(k * diagonals.columns + column)];
      if (value == 0) continue;
      all.rows.push_back(column - offset);
      all.columns.push_back(column);
      all.values.push_back(value);
    }
  }
  return all;
}

// Rows of a hostile file may all be the same long list.
constexpr std::size_t kMostListed = std::size_t{1} << 22;

// Arrays of lists, one per row.
base::Result<Triplets> lil_triplets(const View& view, Shape shape) {
  TRY_ASSIGN(const View columns_view, view.attr("rows"));
  TRY_ASSIGN(const std::vector<View> columns, columns_view.items());
  TRY_ASSIGN(const View data_view, view.attr("data"));
  TRY_ASSIGN(const std::vector<View> data, data_view.items());
  if (static_cast<std::int64_t>(columns.size()) != shape.rows || data.size() != columns.size())
    return bad(view, "its lists do not fit its shape");
  Triplets all;
  for (std::size_t line = 0; line < columns.size(); ++line) {
    TRY_ASSIGN(const std::vector<std::int64_t> at, columns[line].int64s());
    TRY_ASSIGN(const std::vector<double> values, data[line].doubles());
    if (at.size() != values.size()) return bad(view, "its lists differ in length");
    for (std::size_t i = 0; i < at.size(); ++i) {
      if (at[i] < 0 || at[i] >= shape.columns) return bad(view, "an index lies outside of its shape");
      if (all.rows.size() >= kMostListed)
        return bad(view, base::cat("more than ", kMostListed, " values in lists"));
      all.rows.push_back(static_cast<std::int64_t>(line));
      all.columns.push_back(at[i]);
      all.values.push_back(values[i]);
    }
  }
  return all;
}

// {(row, column): value}, as attribute _dict or, in old versions, as items of the dict the matrix is.
base::Result<Triplets> dok_triplets(const View& view, Shape shape) {
  const auto dict = view.find("_dict");
  TRY_ASSIGN(const auto entries, (dict ? *dict : view).entries());
  Triplets all;
  for (const auto& [key, value] : entries) {
    TRY_ASSIGN(const std::vector<std::int64_t> at, key.int64s());
    if (at.size() != 2 || at[0] < 0 || at[0] >= shape.rows || at[1] < 0 || at[1] >= shape.columns)
      return bad(view, "an index lies outside of its shape");
    TRY_ASSIGN(const double number, value.as_double());
    all.rows.push_back(at[0]);
    all.columns.push_back(at[1]);
    all.values.push_back(number);
  }
  return all;
}

Csr compress(Shape shape, const Triplets& all) {
  Csr csr{.rows = shape.rows, .columns = shape.columns};
  csr.offsets.assign(static_cast<std::size_t>(shape.rows) + 1, 0);
  for (const std::int64_t row : all.rows) ++csr.offsets[static_cast<std::size_t>(row) + 1];
  std::partial_sum(csr.offsets.begin(), csr.offsets.end(), csr.offsets.begin());
  csr.indices.resize(all.rows.size());
  csr.values.resize(all.rows.size());
  std::vector<std::int64_t> next(csr.offsets.begin(), csr.offsets.end() - 1);
  for (std::size_t i = 0; i < all.rows.size(); ++i) {
    const auto to = static_cast<std::size_t>(next[static_cast<std::size_t>(all.rows[i])]++);
    csr.indices[to] = all.columns[i];
    csr.values[to] = all.values[i];
  }
  return csr;
}

struct FormatReader {
  std::string_view format;
  base::Result<Triplets> (*read)(const View& view, Shape shape);
};

constexpr auto kReaders = std::to_array<FormatReader>({{"csc", csc_triplets},
                                                       {"coo", coo_triplets},
                                                       {"bsr", bsr_triplets},
                                                       {"dia", dia_triplets},
                                                       {"lil", lil_triplets},
                                                       {"dok", dok_triplets}});

// Rows are not backed by bytes of the file in formats that only store what is there.
constexpr std::int64_t kMostRows = std::int64_t{1} << 24;

}  // namespace

bool View::is_sparse() const {
  return !format_of(*this).empty();
}

base::Result<Csr> View::sparse() const {
  const std::string_view format = format_of(*this);
  if (format.empty()) return wrong("a scipy.sparse matrix");
  TRY_ASSIGN(const Shape shape, shape_of(*this));
  if (shape.rows > kMostRows || shape.columns < 0 || shape.rows < 0)
    return bad(*this, base::cat("more than ", kMostRows, " rows"));
  if (format == "csr") {
    TRY_ASSIGN(Compressed parts, compressed_of(*this, shape.rows, shape.columns));
    Csr csr{.rows = shape.rows, .columns = shape.columns};
    TRY_ASSIGN(csr.values, numbers(*this, "data", parts.indices.size()));
    csr.offsets = std::move(parts.offsets);
    csr.indices = std::move(parts.indices);
    return csr;
  }
  const auto* const reader = std::ranges::find(kReaders, format, &FormatReader::format);
  TRY_ASSIGN(const Triplets all, reader->read(*this, shape));
  return compress(shape, all);
}

}  // namespace wherry::pickle
