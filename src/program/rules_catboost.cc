#include <algorithm>
#include <bit>
#include <cmath>

#include "base/text.h"
#include "program/rules.h"

namespace wherry::program {

using base::cat;
using base::Result;
using tensor::DType;
using tensor::Tensor;

namespace {

// A one-dimensional weight of T's dtype, of `size` elements unless that is negative.
template <class T>
Result<std::span<const T>> list(const Operands& in, WeightId id, std::string_view what,
                                std::int64_t size = -1) {
  const Tensor* weight = in.find_weight(id);
  if (weight == nullptr || weight->dtype() != tensor::DTypeOf<T>::value || weight->shape().size() != 1 ||
      (size >= 0 && weight->shape()[0] != size))
    return invalid(cat(what, ": weight of another dtype or size"));
  return weight->as<T>();
}

template <class T>
std::int64_t size_of(std::span<const T> elements) {
  return static_cast<std::int64_t>(elements.size());
}

base::Status check_columns(std::span<const std::int32_t> columns, std::int64_t width, std::string_view what) {
  for (const std::int32_t column : columns)
    if (column < 0 || column >= width) return invalid(cat(what, ": column ", column, " of ", width));
  return {};
}

// Ends of consecutive parts of something with `total` elements.
base::Status check_ends(std::span<const std::int64_t> ends, std::int64_t total, std::string_view what) {
  std::int64_t last = 0;
  for (const std::int64_t end : ends) {
    if (end < last) return invalid(cat(what, " descend"));
    last = end;
  }
  if (last != total) return invalid(cat(what, ": ", last, " of ", total));
  return {};
}

base::Status check_elements(const CatboostFeatures& op, const Operands& in, std::int64_t categories,
                            std::int64_t numbers) {
  TRY_ASSIGN(const auto kinds, list<std::uint8_t>(in, op.element_kind, "element_kind"));
  const std::int64_t count = size_of(kinds);
  TRY_ASSIGN(const auto columns, list<std::int32_t>(in, op.element_column, "element_column", count));
  TRY_ASSIGN(const auto borders, list<float>(in, op.element_border, "element_border", count));
  TRY(list<std::uint32_t>(in, op.element_hash, "element_hash", count));
  for (std::size_t e = 0; e < kinds.size(); ++e) {
    if (kinds[e] > 2) return invalid(cat("element ", e, " of an unknown kind"));
    TRY(check_columns(columns.subspan(e, 1), kinds[e] == 1 ? numbers : categories, "element"));
    if (kinds[e] == 1 && std::isnan(borders[e])) return invalid(cat("border of element ", e, " is NaN"));
  }
  TRY_ASSIGN(const auto ends, list<std::int64_t>(in, op.projection_end, "projection_end"));
  return check_ends(ends, count, "projection ends");
}

// How many entries the buckets of each table can name.
Result<std::vector<std::int64_t>> entries_of_tables(const CatboostFeatures& op, const Operands& in) {
  TRY_ASSIGN(const auto projections, list<std::int64_t>(in, op.projection_end, "projection_end"));
  TRY_ASSIGN(const auto owner, list<std::int32_t>(in, op.table_projection, "table_projection"));
  TRY(check_columns(owner, size_of(projections), "table_projection"));
  TRY_ASSIGN(const auto ends, list<std::int64_t>(in, op.table_end, "table_end", size_of(owner)));
  TRY_ASSIGN(const auto hashes, list<std::uint64_t>(in, op.bucket_hash, "bucket_hash"));
  TRY_ASSIGN(const auto entries, list<std::int32_t>(in, op.bucket_entry, "bucket_entry", size_of(hashes)));
  TRY(check_ends(ends, size_of(hashes), "table ends"));
  std::vector<std::int64_t> out;
  std::int64_t start = 0;
  for (const std::int64_t end : ends) {
    if (!std::has_single_bit(static_cast<std::uint64_t>(end - start)))
      return invalid(cat("a table of ", end - start, " buckets, which is no power of two"));
    std::int64_t count = 0;
    for (std::int64_t i = start; i < end; ++i) {
      const std::int32_t entry = entries[static_cast<std::size_t>(i)];
      if (entry < -1) return invalid("a bucket with a negative entry");
      count = std::max<std::int64_t>(count, entry + std::int64_t{1});
    }
    out.push_back(count);
    start = end;
  }
  return out;
}

}  // namespace

Result<ValueType> type_of(const CatboostFeatures& op, const Operands& in) {
  if (in.types.empty() || in.types.size() > 2 || !is_columns(in.types[0]) ||
      (in.types.size() == 2 && !is_matrix(in.types[1])))
    return invalid("needs columns of categories, and at most one matrix of numbers");
  const std::int64_t categories = width(in.types[0]);
  const std::int64_t numbers = in.types.size() == 2 ? width(in.types[1]) : 0;
  TRY_ASSIGN(const auto one_hots, list<std::int32_t>(in, op.one_hot_column, "one_hot_column"));
  TRY(list<std::uint32_t>(in, op.one_hot_hash, "one_hot_hash", size_of(one_hots)));
  TRY(check_columns(one_hots, categories, "one_hot_column"));
  TRY(check_elements(op, in, categories, numbers));
  TRY_ASSIGN(const std::vector<std::int64_t> entries, entries_of_tables(op, in));
  TRY_ASSIGN(const auto tables, list<std::int32_t>(in, op.ctr_table, "ctr_table"));
  const std::int64_t ctrs = size_of(tables);
  TRY(check_columns(tables, static_cast<std::int64_t>(entries.size()), "ctr_table"));
  TRY_ASSIGN(const auto starts, list<std::int64_t>(in, op.ctr_start, "ctr_start", ctrs));
  TRY(list<float>(in, op.ctr_absent, "ctr_absent", ctrs));
  TRY_ASSIGN(const auto values, list<float>(in, op.ctr_values, "ctr_values"));
  for (std::size_t t = 0; t < starts.size(); ++t) {
    const std::int64_t count = entries[static_cast<std::size_t>(tables[t])];
    if (starts[t] < 0 || starts[t] > size_of(values) || count > size_of(values) - starts[t])
      return invalid(cat("CTR ", t, ": ", count, " entries from value ", starts[t], " of ", values.size()));
  }
  TRY(list<std::uint8_t>(in, op.nan_high, "nan_high", numbers));
  const std::int64_t made = numbers + size_of(one_hots) + ctrs;
  if (made > kMostWidth) return invalid(cat(made, " columns"));
  return matrix_type(made);
}

Result<ValueType> type_of(const ObliviousTrees& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  TRY_ASSIGN(const auto depths, list<std::uint8_t>(in, op.depth, "depth"));
  std::int64_t splits = 0;
  std::int64_t leaves = 0;
  for (const std::uint8_t depth : depths) {
    if (depth > 16) return invalid(cat("a tree ", depth, " deep"));
    splits += depth;
    leaves += std::int64_t{1} << depth;
  }
  TRY_ASSIGN(const auto features, list<std::int32_t>(in, op.feature, "feature", splits));
  TRY_ASSIGN(const auto borders, list<float>(in, op.border, "border", splits));
  TRY(check_columns(features, width(type), "feature"));
  if (std::ranges::any_of(borders, [](float border) { return std::isnan(border); }))
    return invalid("a border is NaN");
  TRY(list<std::uint8_t>(in, op.nan_high, "nan_high", width(type)));
  const Tensor* values = in.find_weight(op.values);
  if (values == nullptr || values->dtype() != DType::kFloat64 || values->shape().size() != 2 ||
      values->shape()[0] != leaves || values->shape()[1] < 1 || values->shape()[1] > kMostWidth)
    return invalid(cat("values are not float64 [", leaves, ", outputs]"));
  return matrix_type(values->shape()[1]);
}

Result<ValueType> type_of(const CatboostExp& op, const Operands& in) {
  if (!std::isfinite(op.scale)) return invalid("scale is not finite");
  return in.same_matrix();
}

Result<ValueType> type_of(const CatboostSoftmax&, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  if (width(type) < 1) return invalid("softmax of no columns");
  return type;
}

}  // namespace wherry::program
