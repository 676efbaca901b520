#include "graph/rules.h"

#include <algorithm>

#include "graph/fold.h"

#include "base/text.h"

namespace wherry::graph {

std::optional<std::vector<std::int64_t>> Inference::known_ints(std::size_t i) const {
  const tensor::Tensor* tensor = constant(i);
  return tensor != nullptr ? integers(*tensor) : std::nullopt;
}

std::optional<std::size_t> Inference::axis(std::int64_t given, std::size_t rank) {
  const auto count = static_cast<std::int64_t>(rank);
  if (given < -count || given >= count) {
    fail(base::cat("there is no axis ", given, " in a tensor of ", rank, " axes"));
    return std::nullopt;
  }
  return static_cast<std::size_t>(given < 0 ? given + count : given);
}

void Inference::fail(std::string message) {
  builder.fail(base::cat(node.op, ": ", message));
}

const OpRow* find_op(std::string_view domain, std::string_view op) {
  if (domain == kMlDomain || domain == kOwnDomain) {
    const auto rows = domain == kMlDomain ? ml_rows() : own_rows();
    const auto row = std::ranges::find(rows, op, &OpRow::name);
    return row == rows.end() ? nullptr : &*row;
  }
  if (!domain.empty()) return nullptr;
  for (const auto rows : {elementwise_rows(), shape_rows(), layer_rows(), control_rows()})
    for (const OpRow& row : rows)
      if (row.name == op) return &row;
  return nullptr;
}

Dim sum(Builder& builder, const Dim& a, const Dim& b) {
  std::int64_t number = 0;
  if (!a.known() || !b.known() || __builtin_add_overflow(a.number, b.number, &number)) return builder.fresh();
  return {number, 0};
}

Dim broadcast(Builder& builder, const Dim& a, const Dim& b) {
  if (a == b || b.is(1)) return a;
  if (a.is(1)) return b;
  if (a.known() && b.known()) {
    builder.fail(base::cat("lengths ", a.number, " and ", b.number, " cannot be broadcast"));
    return a;
  }
  if (a.known()) return a;
  if (b.known()) return b;
  return builder.fresh();
}

std::optional<Dims> broadcast(Builder& builder, std::span<const Type* const> types) {
  std::size_t rank = 0;
  for (const Type* type : types) {
    if (!type->ranked) return std::nullopt;
    rank = std::max(rank, type->rank());
  }
  Dims dims(rank, Dim{1, 0});
  for (const Type* type : types) {
    const std::size_t missing = rank - type->rank();
    for (std::size_t i = 0; i < type->rank(); ++i)
      dims[missing + i] = broadcast(builder, dims[missing + i], type->dims[i]);
  }
  return dims;
}

Type common(Builder& builder, const Type& a, const Type& b) {
  if (!a.ranked || !b.ranked || a.rank() != b.rank()) return {a.dtype, false, {}};
  Type type = a;
  for (std::size_t i = 0; i < a.rank(); ++i)
    if (a.dims[i] != b.dims[i]) type.dims[i] = builder.fresh();
  return type;
}

}  // namespace wherry::graph
