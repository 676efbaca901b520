// Python's numbers: sizes of tensors, arithmetic on them, conversions. Known numbers are computed here, the
// others by the graph. _operator::*, math::* and torch::* are the targets which .pt2 files name besides aten.
#include <algorithm>
#include <array>
#include <cmath>

#include "import/torch/operators.h"
#include "import/torch/scalar_type.h"

namespace wherry::torch {
namespace {

// A number that is known, as Python has it.
struct Known {
  double real = 0;
  std::int64_t integer = 0;
  bool is_float = false;
};

std::optional<Known> known(Builder& b, const Argument& argument) {
  if (const auto* const value = argument.get<std::int64_t>())
    return Known{static_cast<double>(*value), *value, false};
  if (const auto* const value = argument.get<bool>()) return Known{*value ? 1.0 : 0.0, *value ? 1 : 0, false};
  if (const auto* const value = argument.get<double>()) return Known{*value, 0, true};
  const auto* const symbol = argument.get<Symbol>();
  if (symbol == nullptr) return std::nullopt;
  if (const auto value = b.known_int(symbol->value)) return Known{static_cast<double>(*value), *value, false};
  return std::nullopt;
}

Argument simplified(Builder& b, ValueId value) {
  if (const auto number = b.known_int(value)) {
    if (b.dtype(value) == DType::kBool) return Argument(*number != 0);
    return Argument(*number);
  }
  return Argument(Symbol{value});
}

bool is_float(Builder& b, const Argument& argument) {
  const auto* const symbol = argument.get<Symbol>();
  return argument.get<double>() != nullptr || (symbol != nullptr && is_floating(b.dtype(symbol->value)));
}

DType common_type(Call& c) {
  return is_float(c.b, c["a"]) || is_float(c.b, c["b"]) ? DType::kFloat64 : DType::kInt64;
}

template <class Int, class Float, class Graph>
Outputs arithmetic(Call& c, const Int& of_ints, const Float& of_floats, const Graph& in_graph) {
  const auto a = known(c.b, c["a"]);
  const auto b = known(c.b, c["b"]);
  if (a && b) {
    if (a->is_float || b->is_float) return Argument(of_floats(a->real, b->real));
    const std::optional<std::int64_t> result = of_ints(a->integer, b->integer);
    if (!result) return c.refuse("the number does not fit 64 bits, or is divided by zero");
    return Argument(*result);
  }
  const DType dtype = common_type(c);
  return simplified(c.b, in_graph(as_dtype(c.b, c["a"], dtype), as_dtype(c.b, c["b"], dtype)));
}

Outputs add(Call& c) {
  return arithmetic(
      c,
      [](std::int64_t a, std::int64_t b) {
        std::int64_t out = 0;
        return __builtin_add_overflow(a, b, &out) ? std::nullopt : std::optional(out);
      },
      [](double a, double b) { return a + b; },
      [&](ValueId a, ValueId b) { return graph::binary(c.b, "Add", a, b); });
}

Outputs sub(Call& c) {
  return arithmetic(
      c,
      [](std::int64_t a, std::int64_t b) {
        std::int64_t out = 0;
        return __builtin_sub_overflow(a, b, &out) ? std::nullopt : std::optional(out);
      },
      [](double a, double b) { return a - b; },
      [&](ValueId a, ValueId b) { return graph::binary(c.b, "Sub", a, b); });
}

Outputs mul(Call& c) {
  return arithmetic(
      c,
      [](std::int64_t a, std::int64_t b) {
        std::int64_t out = 0;
        return __builtin_mul_overflow(a, b, &out) ? std::nullopt : std::optional(out);
      },
      [](double a, double b) { return a * b; },
      [&](ValueId a, ValueId b) { return graph::binary(c.b, "Mul", a, b); });
}

std::optional<std::int64_t> floor_quotient(std::int64_t a, std::int64_t b) {
  if (b == 0 || (a == INT64_MIN && b == -1)) return std::nullopt;
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

std::optional<std::int64_t> floor_modulo(std::int64_t a, std::int64_t b) {
  if (b == 0 || (a == INT64_MIN && b == -1)) return std::nullopt;
  const std::int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

// A length is not negative, so the quotient of C is Python's.
bool is_length(Builder& b, ValueId value) {
  const auto elements = b.elements(value);
  return elements && elements->size() == 1 && !elements->front().known();
}

Outputs floordiv(Call& c) {
  Builder& b = c.b;
  return arithmetic(
      c, floor_quotient, [](double a, double d) { return std::floor(a / d); },
      [&](ValueId a, ValueId d) {
        if (is_floating(b.dtype(a))) return graph::unary(b, "Floor", graph::binary(b, "Div", a, d));
        const auto divisor = b.known_int(d);
        if (divisor && *divisor > 0 && is_length(b, a)) return graph::binary(b, "Div", a, d);
        return graph::binary(b, "Div", graph::binary(b, "Sub", a, graph::binary(b, "Mod", a, d)), d);
      });
}

Outputs mod(Call& c) {
  Builder& b = c.b;
  return arithmetic(
      c, floor_modulo, [](double a, double d) { return a - d * std::floor(a / d); },
      [&](ValueId a, ValueId d) {
        if (!is_floating(b.dtype(a))) return graph::binary(b, "Mod", a, d);
        return graph::binary(
            b, "Sub", a, graph::binary(b, "Mul", d, graph::unary(b, "Floor", graph::binary(b, "Div", a, d))));
      });
}

Outputs truediv(Call& c) {
  const auto a = known(c.b, c["a"]);
  const auto b = known(c.b, c["b"]);
  if (a && b) {
    if (b->real == 0) return c.refuse("a number is divided by zero");
    return Argument(a->real / b->real);
  }
  return Argument(Symbol{graph::binary(c.b, "Div", as_dtype(c.b, c["a"], DType::kFloat64),
                                       as_dtype(c.b, c["b"], DType::kFloat64))});
}

Outputs pow(Call& c) {
  const auto a = known(c.b, c["a"]);
  const auto b = known(c.b, c["b"]);
  if (a && b) {
    const double result = std::pow(a->real, b->real);
    if (a->is_float || b->is_float || b->integer < 0) return Argument(result);
    if (std::abs(result) > 9.007199254740992e15) return c.refuse("a power beyond 2^53");
    return Argument(static_cast<std::int64_t>(result));
  }
  const DType dtype = common_type(c);
  return Argument(
      Symbol{graph::binary(c.b, "Pow", as_dtype(c.b, c["a"], dtype), as_dtype(c.b, c["b"], dtype))});
}

template <bool Larger>
Outputs extreme(Call& c) {
  return arithmetic(
      c,
      [](std::int64_t a, std::int64_t b) { return std::optional(Larger ? std::max(a, b) : std::min(a, b)); },
      [](double a, double b) { return Larger ? std::max(a, b) : std::min(a, b); },
      [&](ValueId a, ValueId b) { return graph::binary(c.b, Larger ? "Max" : "Min", a, b); });
}

template <class Compare>
Outputs comparison(Call& c, const Compare& compare, std::string_view op, bool negated) {
  const auto* const text_a = c["a"].get<std::string>();
  const auto* const text_b = c["b"].get<std::string>();
  if (text_a != nullptr && text_b != nullptr) return Argument(compare(text_a->compare(*text_b), 0));
  const auto a = known(c.b, c["a"]);
  const auto b = known(c.b, c["b"]);
  if (a && b) {
    if (a->is_float || b->is_float) return Argument(compare(a->real, b->real));
    return Argument(compare(a->integer, b->integer));
  }
  const DType dtype = common_type(c);
  ValueId result = graph::binary(c.b, op, as_dtype(c.b, c["a"], dtype), as_dtype(c.b, c["b"], dtype));
  if (negated) result = graph::unary(c.b, "Not", result);
  return simplified(c.b, result);
}
Outputs lt(Call& c) {
  return comparison(c, [](auto a, auto b) { return a < b; }, "Less", false);
}
Outputs le(Call& c) {
  return comparison(c, [](auto a, auto b) { return a <= b; }, "LessOrEqual", false);
}
Outputs gt(Call& c) {
  return comparison(c, [](auto a, auto b) { return a > b; }, "Greater", false);
}
Outputs ge(Call& c) {
  return comparison(c, [](auto a, auto b) { return a >= b; }, "GreaterOrEqual", false);
}
Outputs eq(Call& c) {
  return comparison(c, [](auto a, auto b) { return a == b; }, "Equal", false);
}
Outputs ne(Call& c) {
  return comparison(c, [](auto a, auto b) { return a != b; }, "Equal", true);
}

Outputs neg(Call& c) {
  if (const auto a = known(c.b, c["a"]))
    return a->is_float ? Argument(-a->real) : Argument(a->integer == INT64_MIN ? a->integer : -a->integer);
  return simplified(c.b, graph::unary(c.b, "Neg", as_dtype(c.b, c["a"], common_type(c))));
}

Outputs logical_not(Call& c) {
  if (const auto a = known(c.b, c["a"])) return Argument(a->real == 0);
  return simplified(c.b, graph::unary(c.b, "Not", as_dtype(c.b, c["a"], DType::kBool)));
}

template <const char* Op>
Outputs logic(Call& c) {
  return simplified(
      c.b, graph::binary(c.b, Op, as_dtype(c.b, c["a"], DType::kBool), as_dtype(c.b, c["b"], DType::kBool)));
}
constexpr char kAnd[] = "And";
constexpr char kOr[] = "Or";

Outputs to_int(Call& c) {
  if (const auto a = known(c.b, c["a"])) {
    if (!a->is_float) return Argument(a->integer);
    if (!(std::abs(a->real) < 9.2e18)) return c.refuse("the number does not fit 64 bits");
    return Argument(static_cast<std::int64_t>(a->real));
  }
  return simplified(c.b, as_dtype(c.b, c["a"], DType::kInt64));
}

Outputs to_float_number(Call& c) {
  if (const auto a = known(c.b, c["a"])) return Argument(a->real);
  return Argument(Symbol{as_dtype(c.b, c["a"], DType::kFloat64)});
}

Outputs to_bool(Call& c) {
  if (const auto a = known(c.b, c["a"])) return Argument(a->real != 0);
  return simplified(c.b, as_dtype(c.b, c["a"], DType::kBool));
}

Outputs rounded_to_int(Call& c, std::string_view op, double (*round)(double)) {
  if (const auto a = known(c.b, c["a"])) {
    if (!a->is_float) return Argument(a->integer);
    if (!(std::abs(a->real) < 9.2e18)) return c.refuse("the number does not fit 64 bits");
    return Argument(static_cast<std::int64_t>(round(a->real)));
  }
  const ValueId x = as_dtype(c.b, c["a"], DType::kFloat64);
  return simplified(c.b, graph::cast(c.b, graph::unary(c.b, op, x), DType::kInt64));
}
Outputs ceil(Call& c) {
  return rounded_to_int(c, "Ceil", [](double x) { return std::ceil(x); });
}
Outputs floor(Call& c) {
  return rounded_to_int(c, "Floor", [](double x) { return std::floor(x); });
}
Outputs round(Call& c) {
  return rounded_to_int(c, "Round", [](double x) { return std::nearbyint(x); });
}

Outputs square_root(Call& c) {
  if (const auto a = known(c.b, c["a"]); a && a->real >= 0) return Argument(std::sqrt(a->real));
  return Argument(Symbol{graph::unary(c.b, "Sqrt", as_dtype(c.b, c["a"], DType::kFloat64))});
}

// --- of tensors --------------------------------------------------------------------------------------------

Argument length_of(Builder& b, ValueId x, std::int64_t axis) {
  const graph::Dim dim = b.dim(x, axis);
  if (dim.known()) return Argument(dim.number);
  return Argument(Symbol{graph::dim_scalar(b, x, axis)});
}

Outputs size(Call& c) {
  const ValueId x = c.tensor("self");
  const int rank = c.rank(x);
  if (c.has("dim")) return length_of(c.b, x, c.axis("dim", rank));
  Argument::List out;
  for (int i = 0; i < rank; ++i) out.push_back(length_of(c.b, x, i));
  return Argument(std::move(out));
}

// Of a tensor whose elements lie in order.
Outputs stride(Call& c) {
  const ValueId x = c.tensor("self");
  const int rank = c.rank(x);
  std::int64_t step = 1;
  Argument::List out(static_cast<std::size_t>(rank));
  for (int i = rank; i-- > 0;) {
    out[static_cast<std::size_t>(i)] = Argument(step);
    if (i > 0) step *= c.size(x, i);
  }
  if (c.has("dim")) return out[static_cast<std::size_t>(c.axis("dim", rank))];
  return Argument(std::move(out));
}

Outputs dim(Call& c) {
  return Argument(static_cast<std::int64_t>(c.rank(c.tensor("self"))));
}

Outputs numel(Call& c) {
  const ValueId x = c.tensor("self");
  std::int64_t count = 1;
  bool all = true;
  for (int i = 0; i < c.rank(x); ++i) {
    const graph::Dim dim = c.b.dim(x, i);
    all = all && dim.known();
    if (dim.known() && __builtin_mul_overflow(count, dim.number, &count))
      return c.refuse("too many elements");
  }
  if (all) return Argument(count);
  return Argument(Symbol{c.b.add("Size", {x})});
}

Outputs item(Call& c) {
  const ValueId x = c.tensor(c.schema().parameters.front().name);
  const ValueId scalar = c.rank(x) == 0 ? x : graph::reshape(c.b, x, Ints{});
  if (const tensor::Tensor* const constant = c.b.constant(scalar)) {
    if (constant->dtype() == DType::kFloat32) return Argument(static_cast<double>(constant->as<float>()[0]));
    if (constant->dtype() == DType::kFloat64) return Argument(constant->as<double>()[0]);
  }
  const DType dtype = c.b.dtype(scalar);
  if (is_integral(dtype)) return simplified(c.b, graph::cast(c.b, scalar, DType::kInt64));
  return simplified(c.b, scalar);
}

Outputs scalar_tensor(Call& c) {
  const DType dtype = c.dtype().value_or(DType::kFloat32);
  return as_dtype(c.b, c["s"], dtype);
}

// Checks which the exporter made: they hold for every input that the model takes.
Outputs nothing(Call&) {
  return {};
}

constexpr auto kRows = std::to_array<Operator>({
    {"_operator::add(Scalar a, Scalar b) -> Scalar", add},
    {"_operator::sub(Scalar a, Scalar b) -> Scalar", sub},
    {"_operator::mul(Scalar a, Scalar b) -> Scalar", mul},
    {"_operator::floordiv(Scalar a, Scalar b) -> Scalar", floordiv},
    {"_operator::truediv(Scalar a, Scalar b) -> Scalar", truediv},
    {"_operator::mod(Scalar a, Scalar b) -> Scalar", mod},
    {"_operator::pow(Scalar a, Scalar b) -> Scalar", pow},
    {"_operator::neg(Scalar a) -> Scalar", neg},
    {"_operator::lt(Scalar a, Scalar b) -> bool", lt},
    {"_operator::le(Scalar a, Scalar b) -> bool", le},
    {"_operator::gt(Scalar a, Scalar b) -> bool", gt},
    {"_operator::ge(Scalar a, Scalar b) -> bool", ge},
    {"_operator::eq(Scalar a, Scalar b) -> bool", eq},
    {"_operator::ne(Scalar a, Scalar b) -> bool", ne},
    {"_operator::and_(Scalar a, Scalar b) -> bool", logic<kAnd>},
    {"_operator::or_(Scalar a, Scalar b) -> bool", logic<kOr>},
    {"_operator::not_(Scalar a) -> bool", logical_not},
    {"torch::sym_float(Scalar a) -> float", to_float_number},
    {"torch::sym_int(Scalar a) -> int", to_int},
    {"torch::sym_max(Scalar a, Scalar b) -> Scalar", extreme<true>},
    {"torch::sym_min(Scalar a, Scalar b) -> Scalar", extreme<false>},
    {"torch::sym_not(Scalar a) -> bool", logical_not},
    {"torch::_sym_sqrt(Scalar a) -> float", square_root},
    {"math::ceil(Scalar a) -> int", ceil},
    {"math::floor(Scalar a) -> int", floor},
    {"math::trunc(Scalar a) -> int", to_int},
    {"math::sqrt(Scalar a) -> float", square_root},
    {"builtins::round(Scalar a) -> int", round},
    {"builtins::max(Scalar a, Scalar b) -> Scalar", extreme<true>},
    {"builtins::min(Scalar a, Scalar b) -> Scalar", extreme<false>},
    {"aten::sym_size.int(Tensor self, int dim) -> SymInt", size},
    {"aten::sym_size(Tensor self) -> SymInt[]", size},
    {"aten::sym_numel(Tensor self) -> SymInt", numel},
    {"aten::sym_stride.int(Tensor self, int dim) -> SymInt", stride},
    {"aten::sym_storage_offset(Tensor self) -> SymInt",
     [](Call&) -> Outputs { return Argument(std::int64_t{0}); }},
    {"aten::size.int(Tensor self, int dim) -> int", size},
    {"aten::size(Tensor self) -> int[]", size},
    {"aten::stride.int(Tensor self, int dim) -> int", stride},
    {"aten::stride(Tensor self) -> int[]", stride},
    {"aten::dim(Tensor self) -> int", dim},
    {"aten::numel(Tensor self) -> int", numel},
    {"aten::item(Tensor self) -> Scalar", item},
    {"aten::_local_scalar_dense(Tensor self) -> Scalar", item},
    {"aten::Int.Tensor(Tensor a) -> int",
     [](Call& c) -> Outputs {
       const Outputs number = item(c);
       if (number.results.empty()) return number;
       const Argument& a = number.results.front();
       if (const auto* const real = a.get<double>()) return Argument(static_cast<std::int64_t>(*real));
       if (const auto* const flag = a.get<bool>()) return Argument(std::int64_t{*flag ? 1 : 0});
       const auto* const symbol = a.get<Symbol>();
       return symbol != nullptr ? simplified(c.b, graph::cast(c.b, symbol->value, DType::kInt64)) : a;
     }},
    {"aten::Int.Scalar(Scalar a) -> int", to_int},
    {"aten::Float.Tensor(Tensor a) -> float", item},
    {"aten::Float.Scalar(Scalar a) -> float", to_float_number},
    {"aten::Bool.Tensor(Tensor a) -> bool", item},
    {"aten::Bool.Scalar(Scalar a) -> bool", to_bool},
    {"aten::IntImplicit(Tensor a) -> int", item},
    {"aten::FloatImplicit(Tensor a) -> float", item},
    {"aten::ScalarImplicit(Tensor a) -> Scalar", item},
    {"aten::add.int(Scalar a, Scalar b) -> Scalar", add},
    {"aten::sub.int(Scalar a, Scalar b) -> Scalar", sub},
    {"aten::mul.int(Scalar a, Scalar b) -> Scalar", mul},
    {"aten::floordiv.int(Scalar a, Scalar b) -> Scalar", floordiv},
    {"aten::div.int(Scalar a, Scalar b) -> float", truediv},
    {"aten::remainder.int(Scalar a, Scalar b) -> Scalar", mod},
    {"aten::pow.int(Scalar a, Scalar b) -> Scalar", pow},
    {"aten::neg.int(Scalar a) -> Scalar", neg},
    {"aten::lt.int(Scalar a, Scalar b) -> bool", lt},
    {"aten::le.int(Scalar a, Scalar b) -> bool", le},
    {"aten::gt.int(Scalar a, Scalar b) -> bool", gt},
    {"aten::ge.int(Scalar a, Scalar b) -> bool", ge},
    {"aten::eq.int(Scalar a, Scalar b) -> bool", eq},
    {"aten::ne.int(Scalar a, Scalar b) -> bool", ne},
    {"aten::eq.str(str a, str b) -> bool", eq},
    {"aten::ne.str(str a, str b) -> bool", ne},
    {"aten::__not__(Scalar a) -> bool", logical_not},
    {"aten::__and__.bool(Scalar a, Scalar b) -> bool", logic<kAnd>},
    {"aten::__or__.bool(Scalar a, Scalar b) -> bool", logic<kOr>},
    {"aten::ceil.Scalar(Scalar a) -> int", ceil},
    {"aten::floor.Scalar(Scalar a) -> int", floor},
    {"aten::sqrt.Scalar(Scalar a) -> float", square_root},
    {"prim::max.int(Scalar a, Scalar b) -> Scalar", extreme<true>},
    {"prim::min.int(Scalar a, Scalar b) -> Scalar", extreme<false>},
    {"aten::scalar_tensor(Scalar s, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
     "bool? "
     "pin_memory=None) -> Tensor",
     scalar_tensor},
    {"prim::NumToTensor.Scalar(Scalar a) -> Tensor", [](Call& c) -> Outputs { return c.tensor("a"); }},
    {"aten::_assert_tensor_metadata(Tensor a, SymInt[]? size=None, SymInt[]? stride=None, ScalarType? "
     "dtype=None, *, "
     "Device? device=None, Layout? layout=None) -> ()",
     nothing},
    {"aten::_assert_async.msg(Tensor self, str assert_msg) -> ()", nothing},
    {"aten::_assert_async(Tensor self) -> ()", nothing},
    {"aten::_assert_scalar(Scalar self, str assert_msg) -> ()", nothing},
    {"aten::sym_constrain_range_for_size(Scalar size, *, int? min=None, int? max=None) -> ()", nothing},
    {"aten::sym_constrain_range(Scalar size, *, int? min=None, int? max=None) -> ()", nothing},
});

}  // namespace

std::span<const Operator> number_operators() {
  return kRows;
}

}  // namespace wherry::torch
