#include "import/keras/operations.h"

#include <cmath>

#include "base/text.h"

namespace wherry::keras {
namespace {

Value value_of(const Json& json) {
  Value value;
  if (json.is_null()) return value;
  if (json.is_array()) {
    value.kind = Value::Kind::kList;
    for (const Json& item : json) value.items.push_back(value_of(item));
    return value;
  }
  if (const Json* config = text::find_object(json, "config"))
    if (const Json* items = text::find_array(*config, "items")) return value_of(*items);
  value.kind = Value::Kind::kLiteral;
  value.literal = json;
  return value;
}

}  // namespace

Value Args::get(std::size_t position, Names names) const {
  if (position < call.args.size()) return call.args[position];
  for (const std::string_view name : names)
    if (const auto found = call.kwargs.find(name); found != call.kwargs.end()) return found->second;
  return option(names);
}
Value Args::option(Names names) const {
  for (const std::string_view name : names) {
    if (const auto found = call.kwargs.find(name); found != call.kwargs.end()) return found->second;
    if (const Json* json = text::find(*layer.config, name)) return value_of(*json);
  }
  return {};
}
std::optional<std::int64_t> Args::integer(const Value& value) const {
  if (value.kind != Value::Kind::kLiteral || !value.literal.is_number()) return std::nullopt;
  const double real = value.literal.get<double>();
  if (real != std::floor(real) || std::abs(real) > 2147483648.0) return std::nullopt;
  return static_cast<std::int64_t>(real);
}
std::optional<Ints> Args::integers(const Value& value) const {
  if (value.is_none()) return std::nullopt;
  Ints out;
  const std::vector<Value> items = value.kind == Value::Kind::kList ? value.items : std::vector{value};
  for (const Value& item : items) {
    const auto number = integer(item);
    if (!number) {
      l.refuse(layer, "an argument that must be integers is something else");
      return std::nullopt;
    }
    out.push_back(*number);
  }
  return out;
}
double Args::number(Names names, double otherwise) const {
  const Value value = option(names);
  return value.kind == Value::Kind::kLiteral && value.literal.is_number() ? value.literal.get<double>()
                                                                          : otherwise;
}
bool Args::flag(Names names, bool otherwise) const {
  const Value value = option(names);
  return value.kind == Value::Kind::kLiteral && value.literal.is_boolean() ? value.literal.get<bool>()
                                                                           : otherwise;
}
std::int64_t Args::axis(std::size_t position, std::int64_t otherwise) const {
  return integer(get(position, {"axis", "dim"})).value_or(otherwise);
}
ValueId Args::x() const {
  const Value first = get(0, {"x", "input", "inputs", "a", "tensor", "values", "features", "input_tensor",
                              "params", "value", "logits"});
  return first.is_tensor() ? first.tensor : operand(l, layer, first, kNone);
}

std::optional<DType> Args::dtype(const Value& value) const {
  if (value.kind != Value::Kind::kLiteral || !value.literal.is_string()) return std::nullopt;
  return dtype_named(value.literal.get_ref<const std::string&>());
}

DType wider(DType a, DType b) {
  static constexpr DType kOrder[] = {DType::kBool,    DType::kUint8,   DType::kInt8,
                                     DType::kInt16,   DType::kInt32,   DType::kInt64,
                                     DType::kFloat16, DType::kFloat32, DType::kFloat64};
  if ((a == DType::kBfloat16) != (b == DType::kBfloat16)) {
    const DType other = a == DType::kBfloat16 ? b : a;
    return other == DType::kFloat16                               ? DType::kFloat32
           : other == DType::kFloat32 || other == DType::kFloat64 ? other
                                                                  : DType::kBfloat16;
  }
  const auto at = [](DType d) { return std::ranges::find(kOrder, d) - std::begin(kOrder); };
  return at(a) > at(b) ? a : b;
}
std::pair<ValueId, ValueId> pair_of(const Args& args) {
  return pair_of(args, args.get(0, {"x1", "x", "a"}), args.get(1, {"x2", "y", "b", "bias"}));
}

std::pair<ValueId, ValueId> pair_of(const Args& args, const Value& first, const Value& second) {
  Lowering& l = args.l;
  ValueId x = first.is_tensor() ? first.tensor : kNone, y = second.is_tensor() ? second.tensor : kNone;
  if (x == kNone) x = operand(l, args.layer, first, y);
  if (y == kNone) y = operand(l, args.layer, second, x);
  const DType a = l.b.dtype(x), b = l.b.dtype(y);
  if (a != b && a != DType::kString && b != DType::kString) {
    const DType both = wider(a, b);
    x = graph::cast(l.b, x, both);
    y = graph::cast(l.b, y, both);
  }
  return {x, y};
}

std::vector<ValueId> list_of(const Args& args) {
  std::vector<ValueId> out;
  const Value given = args.get(0, {"xs", "x", "values", "arrays", "inputs"});
  ValueId like = kNone;
  for (const Value& value : tensors_of(given)) like = value.tensor;
  for (const Value& item : given.items) out.push_back(operand(args.l, args.layer, item, like));
  if (given.is_tensor()) out.push_back(given.tensor);
  for (ValueId& x : out)
    if (like != kNone) x = graph::cast(args.l.b, x, wider(args.l.b.dtype(like), args.l.b.dtype(x)));
  if (out.empty()) args.l.bad(args.layer, "is called without tensors");
  return out;
}

std::vector<std::span<const OperationRow>> operation_tables() {
  return {arithmetic_operations(), activation_operations(), reduction_operations(), shape_operations(),
          indexing_operations()};
}

std::optional<LayerRow> find_operation(std::string_view name, bool tensorflow) {
  for (const auto table : operation_tables()) {
    const auto row =
        std::ranges::find(table, name, tensorflow ? &OperationRow::tensorflow : &OperationRow::keras);
    if (row != table.end() && !name.empty())
      return LayerRow{tensorflow ? row->tensorflow : row->keras, row->lower};
  }
  return std::nullopt;
}

}  // namespace wherry::keras
