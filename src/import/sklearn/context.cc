#include "import/sklearn/context.h"

#include <algorithm>

namespace wherry::sklearn {

using program::ColumnType;
using tensor::Tensor;

std::unexpected<base::Error> inconsistent(const View& where, std::string_view what) {
  return base::fail(base::Code::kInvalidInput, "sklearn.inconsistent", cat(where.where(), ": ", what),
                    "the file was damaged or made by hand; fit and save the model again");
}

std::unexpected<base::Error> unsupported_parameter(const View& where, std::string_view what) {
  return base::fail(base::Code::kUnsupported, "sklearn.unsupported_parameter", cat(where.where(), ": ", what),
                    "fit the model without it, or use an equivalent that scikit-learn itself provides");
}

WeightId Context::vector(std::string_view name, std::vector<double> values) {
  const auto size = static_cast<std::int64_t>(values.size());
  return weight(name, Tensor::of({size}, std::move(values)));
}

WeightId Context::matrix(std::string_view name, std::int64_t rows, std::int64_t columns,
                         std::vector<double> values) {
  return weight(name, Tensor::of({rows, columns}, std::move(values)));
}

WeightId Context::weight(std::string_view name, Tensor tensor) {
  return builder_.weight(std::string(name), std::move(tensor));
}

Result<ValueId> Context::numbers(const Flow& flow, Layout layout) {
  mark_all(flow, ColumnType::kNumber);
  const bool sparse = is_sparse(flow);
  if (sparse ? layout == Layout::kAny : !is_table(flow)) return flow.value;
  if (const auto known = matrices_.find(flow.value); known != matrices_.end()) return known->second;
  TRY_ASSIGN(const ValueId made,
             sparse ? add(program::ToDense{}, {flow.value}) : add(program::ToMatrix{}, {flow.value}));
  matrices_[flow.value] = made;
  return made;
}

Result<ValueId> Context::checked(const Flow& flow, std::string_view estimator, bool allow_nan,
                                 bool as_float32, Layout layout) {
  TRY_ASSIGN(const ValueId value, numbers(flow, layout));
  const std::tuple key(value, std::string(estimator), allow_nan, as_float32);
  if (const auto known = checked_.find(key); known != checked_.end()) return known->second;
  TRY_ASSIGN(const ValueId made, add(program::CheckFinite{.allow_nan = allow_nan,
                                                          .as_float32 = as_float32,
                                                          .estimator = std::string(estimator)},
                                     {value}));
  checked_[key] = made;
  return made;
}

Result<ValueId> Context::select(ValueId value, std::vector<std::int64_t> columns) {
  return add(program::SelectColumns{std::move(columns)}, {value});
}

Result<ValueId> Context::arithmetic(ValueId value, program::Arithmetic operation, std::vector<double> operand,
                                    std::string_view name) {
  return add(program::Columnwise{operation, vector(name, std::move(operand))}, {value});
}

Result<ValueId> Context::apply(ValueId value, program::Function function) {
  return add(program::Apply{function}, {value});
}

void Context::mark(const Flow& flow, std::size_t column, ColumnType type) {
  if (column >= flow.sources.size() || flow.sources[column] < 0) return;
  Usage& usage = usage_[static_cast<std::size_t>(flow.sources[column])];
  usage.read = true;
  if (type == ColumnType::kAny || usage.type == type) return;
  const auto is_number = [](ColumnType t) {
    return t == ColumnType::kNumber || t == ColumnType::kInteger || t == ColumnType::kBool;
  };
  if (!usage.type)
    usage.type = type;
  else if (is_number(*usage.type) && is_number(type))
    usage.type = ColumnType::kNumber;
  else
    usage.type = ColumnType::kAny;
}

void Context::mark_all(const Flow& flow, ColumnType type) {
  for (std::size_t i = 0; i < flow.sources.size(); ++i) mark(flow, i, type);
}

void Context::finish_columns() {
  for (std::size_t i = 0; i < usage_.size(); ++i)
    builder_.refine(i, usage_[i].type.value_or(ColumnType::kAny), usage_[i].read);
}

Status Context::charge(const View& where, std::uint64_t elements) {
  if (elements > budget_)
    return base::fail(base::Code::kLimit, "sklearn.too_large",
                      cat(where.where(),
                          ": the model would be many times larger than its file, as parts of it are "
                          "used again and again"),
                      "fit and save the model again");
  budget_ -= elements;
  return {};
}

Flow made(ValueId value, std::size_t columns, std::vector<std::string> names, bool sparse) {
  Flow flow{.value = value, .sparse = sparse, .names = std::move(names)};
  flow.sources.assign(columns, -1);
  return flow;
}

}  // namespace wherry::sklearn
