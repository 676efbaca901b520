// Functions called on a model's tensors: keras.ops of Keras 3 (classes with their arguments partly in the
// configuration, partly in the call; keras/src/ops), and TensorFlow's functions in the models of Keras 2
// (TFOpLambda). Both mean the same arithmetic under other names, so that one function serves both.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/text.h"
#include "import/keras/lowering.h"

namespace wherry::keras {

using base::cat;

namespace {

using Names = std::initializer_list<std::string_view>;

bool is_float(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kFloat16 ||
         dtype == DType::kBfloat16;
}

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

// The arguments of a function, wherever they are written.
struct Args {
  Lowering& l;
  const Layer& layer;
  const Call& call;

  Value get(std::size_t position, Names names) const {
    if (position < call.args.size()) return call.args[position];
    for (const std::string_view name : names)
      if (const auto found = call.kwargs.find(name); found != call.kwargs.end()) return found->second;
    return option(names);
  }
  // By name only.
  Value option(Names names) const {
    for (const std::string_view name : names) {
      if (const auto found = call.kwargs.find(name); found != call.kwargs.end()) return found->second;
      if (const Json* json = text::find(*layer.config, name)) return value_of(*json);
    }
    return {};
  }
  std::optional<std::int64_t> integer(const Value& value) const {
    if (value.kind != Value::Kind::kLiteral || !value.literal.is_number()) return std::nullopt;
    const double real = value.literal.get<double>();
    if (real != std::floor(real) || std::abs(real) > 2147483648.0) return std::nullopt;
    return static_cast<std::int64_t>(real);
  }
  // A number or a list of them; nullopt for None; an error for tensors.
  std::optional<Ints> integers(const Value& value) const {
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
  double number(Names names, double otherwise) const {
    const Value value = option(names);
    return value.kind == Value::Kind::kLiteral && value.literal.is_number() ? value.literal.get<double>()
                                                                            : otherwise;
  }
  bool flag(Names names, bool otherwise = false) const {
    const Value value = option(names);
    return value.kind == Value::Kind::kLiteral && value.literal.is_boolean() ? value.literal.get<bool>()
                                                                             : otherwise;
  }
  std::int64_t axis(std::size_t position, std::int64_t otherwise) const {
    return integer(get(position, {"axis", "dim"})).value_or(otherwise);
  }
  ValueId x() const {
    const Value first = get(0, {"x", "input", "inputs", "a", "tensor", "values", "features", "input_tensor",
                                "params", "value", "logits"});
    return first.is_tensor() ? first.tensor : operand(l, layer, first, kNone);
  }
};

DType wider(DType a, DType b) {
  static constexpr DType kOrder[] = {DType::kBool,    DType::kUint8,   DType::kInt8,
                                     DType::kInt16,   DType::kInt32,   DType::kInt64,
                                     DType::kFloat16, DType::kFloat32, DType::kFloat64};
  const auto at = [](DType d) { return std::ranges::find(kOrder, d) - std::begin(kOrder); };
  return at(a) > at(b) ? a : b;
}

// Two operands of one dtype: Keras 3 promotes, and numbers take the other's dtype.
std::pair<ValueId, ValueId> pair_of(const Args& args) {
  const Value first = args.get(0, {"x1", "x", "a"}), second = args.get(1, {"x2", "y", "b"});
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

template <std::size_t N>
struct Name {
  char text[N];
  constexpr Name(const char (&from)[N]) { std::copy_n(from, N, text); }
  constexpr std::string_view view() const { return {text, N - 1}; }
};

template <Name op>
Value two(Lowering& l, const Layer& layer, const Call& call) {
  const auto [x, y] = pair_of({l, layer, call});
  return Value::of(graph::binary(l.b, op.view(), x, y));
}

template <Name op>
Value one(Lowering& l, const Layer& layer, const Call& call) {
  ValueId x = Args{l, layer, call}.x();
  static constexpr std::string_view kAnyNumber[] = {"Abs", "Neg", "Sign"};
  if (std::ranges::find(kAnyNumber, op.view()) == std::end(kAnyNumber)) x = l.floating(x);
  return Value::of(graph::unary(l.b, op.view(), x));
}

template <Name name>
Value function(Lowering& l, const Layer& layer, const Call& call) {
  return Value::of(activate(l, layer, name.view(), l.floating(Args{l, layer, call}.x()), nullptr));
}

Value divide(Lowering& l, const Layer& layer, const Call& call) {
  const auto [x, y] = pair_of({l, layer, call});
  return Value::of(graph::binary(l.b, "Div", l.floating(x), l.floating(y)));
}
ValueId floor_division(Lowering& l, ValueId x, ValueId y) {
  Builder& b = l.b;
  if (is_float(b.dtype(x))) return graph::unary(b, "Floor", graph::binary(b, "Div", x, y));
  // ONNX truncates integers: what is left over tells whether one less is meant.
  const ValueId rest = b.add("Mod", {x, y});
  return graph::binary(b, "Div", graph::binary(b, "Sub", x, rest), y);
}
Value floor_divide(Lowering& l, const Layer& layer, const Call& call) {
  const auto [x, y] = pair_of({l, layer, call});
  return Value::of(floor_division(l, x, y));
}
Value modulo(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const auto [x, y] = pair_of({l, layer, call});
  if (!is_float(b.dtype(x))) return Value::of(b.add("Mod", {x, y}));
  const ValueId rest = b.add("Mod", {x, y}, {{"fmod", std::int64_t{1}}});
  // Python's remainder has the divisor's sign.
  const ValueId zero = graph::scalar_like(b, x, 0);
  const ValueId other_sign =
      b.add("Xor", {graph::binary(b, "Less", rest, zero), graph::binary(b, "Less", y, zero)});
  const ValueId fix =
      b.add("And", {graph::unary(b, "Not", graph::binary(b, "Equal", rest, zero)), other_sign});
  return Value::of(graph::where(b, fix, graph::binary(b, "Add", rest, y), rest));
}
Value not_equal(Lowering& l, const Layer& layer, const Call& call) {
  const auto [x, y] = pair_of({l, layer, call});
  return Value::of(graph::unary(l.b, "Not", graph::binary(l.b, "Equal", x, y)));
}
Value squared_difference(Lowering& l, const Layer& layer, const Call& call) {
  const auto [x, y] = pair_of({l, layer, call});
  const ValueId difference = graph::binary(l.b, "Sub", x, y);
  return Value::of(graph::binary(l.b, "Mul", difference, difference));
}
template <Name op>
Value logical(Lowering& l, const Layer& layer, const Call& call) {
  auto [x, y] = pair_of({l, layer, call});
  return Value::of(
      graph::binary(l.b, op.view(), graph::cast(l.b, x, DType::kBool), graph::cast(l.b, y, DType::kBool)));
}
Value logical_not(Lowering& l, const Layer& layer, const Call& call) {
  return Value::of(graph::unary(l.b, "Not", graph::cast(l.b, Args{l, layer, call}.x(), DType::kBool)));
}
Value square(Lowering& l, const Layer& layer, const Call& call) {
  const ValueId x = Args{l, layer, call}.x();
  return Value::of(graph::binary(l.b, "Mul", x, x));
}
Value rsqrt(Lowering& l, const Layer& layer, const Call& call) {
  return Value::of(
      graph::unary(l.b, "Reciprocal", graph::unary(l.b, "Sqrt", l.floating(Args{l, layer, call}.x()))));
}
Value log1p(Lowering& l, const Layer& layer, const Call& call) {
  // log(1 + x) as accurate as the framework's near 0: x · log(u) / (u - 1) with u = 1 + x.
  Builder& b = l.b;
  const ValueId x = l.floating(Args{l, layer, call}.x());
  const ValueId u = graph::binary(b, "Add", x, 1.0), less = graph::binary(b, "Sub", u, 1.0);
  const ValueId exact = graph::binary(b, "Div", graph::binary(b, "Mul", x, graph::unary(b, "Log", u)), less);
  return Value::of(graph::where(b, graph::binary(b, "Equal", less, 0.0), x, exact));
}
template <int base>
Value logarithm(Lowering& l, const Layer& layer, const Call& call) {
  const ValueId log = graph::unary(l.b, "Log", l.floating(Args{l, layer, call}.x()));
  return Value::of(graph::binary(l.b, "Mul", log, 1.0 / std::log(static_cast<double>(base))));
}
Value is_finite(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const ValueId x = l.floating(Args{l, layer, call}.x());
  return Value::of(graph::unary(
      b, "Not", graph::binary(b, "Or", graph::unary(b, "IsNaN", x), graph::unary(b, "IsInf", x))));
}
Value same(Lowering& l, const Layer& layer, const Call& call) {
  return Value::of(Args{l, layer, call}.x());
}

Value leaky_relu(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const auto alpha = static_cast<float>(args.number({"negative_slope", "alpha"}, 0.2));
  return Value::of(l.b.add("LeakyRelu", {l.floating(args.x())}, {{"alpha", alpha}}));
}
Value gelu(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const bool by_tanh = args.flag({"approximate"}, l.keras >= 3);
  return Value::of(graph::gelu(l.b, l.floating(args.x()), by_tanh));
}
Value softmax(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  return Value::of(graph::softmax(l.b, l.floating(args.x()), args.axis(1, -1)));
}
Value log_softmax(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  return Value::of(l.b.add("LogSoftmax", {l.floating(args.x())}, {{"axis", args.axis(1, -1)}}));
}
Value clip(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const ValueId x = args.x();
  const Value low = args.get(1, {"x_min", "clip_value_min"}), high = args.get(2, {"x_max", "clip_value_max"});
  const ValueId up = graph::binary(l.b, "Max", x, operand(l, layer, low, x));
  return Value::of(graph::binary(l.b, "Min", up, operand(l, layer, high, x)));
}
Value cast_to(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const Value dtype = args.get(1, {"dtype"});
  const auto known = dtype.kind == Value::Kind::kLiteral && dtype.literal.is_string()
                         ? dtype_named(dtype.literal.get_ref<const std::string&>())
                         : std::nullopt;
  if (!known || *known == DType::kString) {
    l.refuse(layer, "casting to an unusual dtype");
    return {};
  }
  return Value::of(graph::cast(l.b, args.x(), *known));
}
Value where(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const Value first = args.get(1, {"x1", "x"}), second = args.get(2, {"x2", "y"});
  const Value condition = args.get(0, {"condition"});
  if (!condition.is_tensor() || first.is_none() || second.is_none()) {
    l.refuse(layer, "a where() of one argument");
    return {};
  }
  ValueId x = first.is_tensor() ? first.tensor : kNone, y = second.is_tensor() ? second.tensor : kNone;
  if (x == kNone) x = operand(l, layer, first, y);
  if (y == kNone) y = operand(l, layer, second, x);
  const DType both = wider(l.b.dtype(x), l.b.dtype(y));
  return Value::of(graph::where(l.b, graph::cast(l.b, condition.tensor, DType::kBool),
                                graph::cast(l.b, x, both), graph::cast(l.b, y, both)));
}

struct Reduction {
  ValueId x = kNone;
  Ints axes;
  bool keep = false;
};
Reduction reduction_of(const Args& args) {
  Reduction out{args.x(), {}, args.flag({"keepdims", "keep_dims"})};
  if (const auto axes = args.integers(args.get(1, {"axis", "reduction_indices"}))) out.axes = *axes;
  return out;
}
template <Name op>
Value reduce(Lowering& l, const Layer& layer, const Call& call) {
  Reduction how = reduction_of({l, layer, call});
  if (op.view() == "ReduceMean") how.x = l.floating(how.x);
  return Value::of(graph::reduce(l.b, op.view(), how.x, how.axes, how.keep));
}
template <Name op>
Value reduce_bools(Lowering& l, const Layer& layer, const Call& call) {
  const Reduction how = reduction_of({l, layer, call});
  const ValueId x = graph::cast(l.b, graph::cast(l.b, how.x, DType::kBool), DType::kInt32);
  return Value::of(graph::cast(l.b, graph::reduce(l.b, op.view(), x, how.axes, how.keep), DType::kBool));
}
template <bool root>
Value variance(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const Reduction how = reduction_of({l, layer, call});
  const ValueId x = l.floating(how.x);
  const ValueId centered = graph::binary(b, "Sub", x, graph::reduce(b, "ReduceMean", x, how.axes, true));
  const ValueId y =
      graph::reduce(b, "ReduceMean", graph::binary(b, "Mul", centered, centered), how.axes, how.keep);
  return Value::of(root ? graph::unary(b, "Sqrt", y) : y);
}
Value norm(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const Value order = args.option({"ord"});
  const bool plain = order.is_none() || args.integer(order) == 2 ||
                     (order.kind == Value::Kind::kLiteral && order.literal == "euclidean");
  const Reduction how = reduction_of(args);
  if (!plain || how.axes.size() > 1) l.refuse(layer, "a norm other than the Euclidean");
  return Value::of(graph::reduce(l.b, "ReduceL2", l.floating(how.x), how.axes, how.keep));
}
Value l2_normalize(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const Args args{l, layer, call};
  const ValueId x = l.floating(args.x());
  const Ints axes = args.integers(args.get(1, {"axis"})).value_or(Ints{});
  const ValueId squares = graph::reduce(b, "ReduceSum", graph::binary(b, "Mul", x, x), axes, true);
  const double epsilon = args.number({"epsilon"}, 1e-12);
  return Value::of(graph::binary(
      b, "Div", x,
      graph::unary(b, "Sqrt", graph::clip(b, squares, epsilon, std::numeric_limits<double>::infinity()))));
}
template <Name op>
Value arg_extreme(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const Value axis = args.get(1, {"axis"});
  ValueId x = args.x();
  std::int64_t along = args.integer(axis).value_or(0);
  if (axis.is_none() && l.keras >= 3) x = graph::reshape(l.b, x, Ints{-1});
  const ValueId y =
      l.b.add(op.view(), {x}, {{"axis", along}, {"keepdims", std::int64_t{args.flag({"keepdims"}) ? 1 : 0}}});
  return Value::of(l.keras >= 3 ? graph::cast(l.b, y, DType::kInt32) : y);
}
Value cumulative_sum(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const auto axis = args.integer(args.get(1, {"axis"}));
  if ((!axis && l.keras >= 3) || args.flag({"reverse"}) || args.flag({"exclusive"}))
    l.refuse(layer, "its options");
  return Value::of(l.b.add("CumSum", {args.x(), graph::int_scalar(l.b, axis.value_or(0))}));
}

Value matmul(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  auto [x, y] = pair_of(args);
  for (const std::string_view option : {"adjoint_a", "adjoint_b", "a_is_sparse", "b_is_sparse"})
    if (args.flag({option})) l.refuse(layer, cat(option, "=True"));
  if (args.flag({"transpose_a"})) x = graph::swap_axes(l.b, x, -2, -1);
  if (args.flag({"transpose_b"})) y = graph::swap_axes(l.b, y, -2, -1);
  return Value::of(graph::matmul(l.b, x, y));
}
Value einsum(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  std::vector<ValueId> inputs;
  for (const Value& arg : call.args)
    for (const Value& tensor : tensors_of(arg)) inputs.push_back(tensor.tensor);
  const Value equation = args.option({"subscripts", "equation"});
  if (equation.kind != Value::Kind::kLiteral || !equation.literal.is_string() || inputs.empty()) {
    l.refuse(layer, "an equation that is not in the file");
    return {};
  }
  std::string spelled;
  for (const char c : equation.literal.get_ref<const std::string&>())
    if (c != ' ') spelled += c;
  return Value::of(l.b.add("Einsum", inputs, {{"equation", spelled}}));
}

Value reshape(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const Value shape = args.get(1, {"newshape", "shape", "target_shape"});
  if (shape.is_tensor())
    return Value::of(graph::reshape(l.b, args.x(), graph::cast(l.b, shape.tensor, DType::kInt64)));
  // Lengths may be tensors: tf.shape(x)[0].
  std::vector<ValueId> parts;
  for (const Value& item : shape.kind == Value::Kind::kList ? shape.items : std::vector{shape}) {
    if (item.is_tensor())
      parts.push_back(graph::reshape(l.b, graph::cast(l.b, item.tensor, DType::kInt64), Ints{1}));
    else
      parts.push_back(graph::ints(l.b, {item.is_none() ? -1 : args.integer(item).value_or(-1)}));
  }
  if (parts.empty()) return Value::of(graph::reshape(l.b, args.x(), Ints{}));
  return Value::of(graph::reshape(l.b, args.x(), graph::concat(l.b, parts, 0)));
}
Value transpose(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const ValueId x = args.x();
  auto perm = args.integers(args.get(1, {"axes", "perm"}));
  if (!perm) {
    perm = Ints(static_cast<std::size_t>(std::max(l.b.rank(x), 0)));
    std::iota(perm->rbegin(), perm->rend(), 0);
  }
  for (std::int64_t& axis : *perm) axis = l.axis(x, axis);
  return Value::of(graph::transpose(l.b, x, *perm));
}
Value swap_axes(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  return Value::of(graph::swap_axes(l.b, args.x(), args.integer(args.get(1, {"axis1"})).value_or(0),
                                    args.integer(args.get(2, {"axis2"})).value_or(1)));
}
Value expand_dims(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  return Value::of(graph::unsqueeze(l.b, args.x(), args.integers(args.get(1, {"axis"})).value_or(Ints{-1})));
}
Value squeeze(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const ValueId x = args.x();
  auto axes = args.integers(args.get(1, {"axis", "squeeze_dims"}));
  if (!axes || axes->empty()) {
    axes = Ints();
    for (int axis = 0; axis < l.b.rank(x); ++axis)
      if (l.b.dim(x, axis).is(1)) axes->push_back(axis);
    if (axes->empty()) return Value::of(x);
  }
  return Value::of(graph::squeeze(l.b, x, *axes));
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
Value concatenate(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const std::vector<ValueId> values = list_of(args);
  if (values.empty()) return {};
  return Value::of(graph::concat(l.b, values, l.axis(values[0], args.axis(1, l.keras < 3 ? -1 : 0))));
}
Value stack(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const std::vector<ValueId> values = list_of(args);
  if (values.empty()) return {};
  return Value::of(graph::stack(l.b, values, args.axis(1, 0)));
}
Value sum_of(Lowering& l, const Layer& layer, const Call& call) {
  ValueId y = kNone;
  for (const ValueId x : list_of({l, layer, call})) y = y == kNone ? x : graph::binary(l.b, "Add", y, x);
  return Value::of(y);
}
Value split(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const ValueId x = args.x();
  const Value how = args.get(1, {"indices_or_sections", "num_or_size_splits"});
  const std::int64_t axis = l.axis(x, args.axis(2, 0));
  const graph::Dim length = l.b.dim(x, axis);
  const auto numbers = args.integers(how);
  if (!numbers || !length.known() || numbers->empty()) {
    l.refuse(layer, "splitting an axis of unknown length");
    return {};
  }
  Ints sizes;
  if (how.kind != Value::Kind::kList) {
    if (numbers->front() <= 0 || numbers->front() > 65536 || length.number % numbers->front() != 0) {
      l.bad(layer, "does not split evenly");
      return {};
    }
    sizes.assign(static_cast<std::size_t>(numbers->front()), length.number / numbers->front());
  } else if (l.keras < 3) {
    sizes = *numbers;
  } else {
    std::int64_t from = 0;
    for (const std::int64_t at : *numbers) {
      sizes.push_back(at - from);
      from = at;
    }
    sizes.push_back(length.number - from);
  }
  std::vector<Value> out;
  for (const ValueId part : graph::split(l.b, x, sizes, axis)) out.push_back(Value::of(part));
  return Value::list(std::move(out));
}
Value unstack(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const ValueId x = args.x();
  const std::int64_t axis = l.axis(x, args.integer(args.option({"axis"})).value_or(0));
  const graph::Dim length = l.b.dim(x, axis);
  if (!length.known() || length.number > 65536) {
    l.refuse(layer, "an axis of unknown length");
    return {};
  }
  std::vector<Value> out;
  for (std::int64_t i = 0; i < length.number; ++i) out.push_back(Value::of(graph::select(l.b, x, axis, i)));
  return Value::list(std::move(out));
}
Value tile(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  ValueId x = args.x();
  Ints repeats = args.integers(args.get(1, {"repeats", "multiples"})).value_or(Ints{1});
  const auto rank = static_cast<std::size_t>(std::max(l.b.rank(x), 0));
  if (repeats.size() < rank) repeats.insert(repeats.begin(), rank - repeats.size(), 1);
  Ints front;
  for (std::size_t i = rank; i < repeats.size(); ++i)
    front.push_back(static_cast<std::int64_t>(front.size()));
  if (!front.empty()) x = graph::unsqueeze(l.b, x, front);
  return Value::of(graph::tile(l.b, x, repeats));
}
Value repeat(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  ValueId x = args.x();
  const auto times = args.integer(args.get(1, {"repeats"}));
  const auto given = args.integer(args.get(2, {"axis"}));
  if (!times || !given) {
    l.refuse(layer, "repeats that differ, or without an axis");
    return {};
  }
  const std::int64_t axis = l.axis(x, *given);
  Ints repeats(static_cast<std::size_t>(l.b.rank(x)) + 1, 1);
  repeats[static_cast<std::size_t>(axis) + 1] = *times;
  return Value::of(
      graph::flatten(l.b, graph::tile(l.b, graph::unsqueeze(l.b, x, {axis + 1}), repeats), axis, axis + 1));
}
Value flip(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  ValueId x = args.x();
  auto axes = args.integers(args.get(1, {"axis"}));
  if (!axes) {
    axes = Ints(static_cast<std::size_t>(std::max(l.b.rank(x), 0)));
    std::iota(axes->begin(), axes->end(), 0);
  }
  for (const std::int64_t axis : *axes)
    x = graph::slice(l.b, x, l.axis(x, axis), -1, std::numeric_limits<std::int64_t>::min() + 1, -1);
  return Value::of(x);
}
Value pad(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const ValueId x = args.x();
  const Value widths = args.get(1, {"pad_width", "paddings"});
  const auto rank = static_cast<std::size_t>(std::max(l.b.rank(x), 0));
  Ints before, after;
  for (const Value& item : widths.items) {
    const auto numbers = args.integers(item);
    if (!numbers || numbers->size() != 2) break;
    before.push_back((*numbers)[0]);
    after.push_back((*numbers)[1]);
  }
  if (before.size() == 1 && rank > 1) {
    before.resize(rank, before[0]);
    after.resize(rank, after[0]);
  }
  const Value given = args.option({"mode"});
  std::string mode = given.kind == Value::Kind::kLiteral && given.literal.is_string()
                         ? base::to_lower(given.literal.get_ref<const std::string&>())
                         : "constant";
  if (before.size() != rank || (mode != "constant" && mode != "reflect")) {
    l.refuse(layer, "its kind of padding");
    return {};
  }
  return Value::of(graph::pad(l.b, x, before, after, mode, args.number({"constant_values"}, 0)));
}
Value broadcast_to(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const auto shape = args.integers(args.get(1, {"shape"}));
  if (!shape) return {};
  return Value::of(graph::expand(l.b, args.x(), graph::ints(l.b, *shape)));
}
template <int number>
Value filled_like(Lowering& l, const Layer& layer, const Call& call) {
  const ValueId x = Args{l, layer, call}.x();
  return Value::of(graph::full(l.b, l.b.dtype(x), graph::shape_of(l.b, x), number));
}
Value shape(Lowering& l, const Layer& layer, const Call& call) {
  return Value::of(graph::cast(l.b, graph::shape_of(l.b, Args{l, layer, call}.x()), DType::kInt32));
}
Value one_hot(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const Args args{l, layer, call};
  const ValueId x = graph::cast(b, args.get(0, {"x", "indices"}).tensor, DType::kInt64);
  const auto depth = args.integer(args.get(1, {"num_classes", "depth"}));
  const std::int64_t axis = args.integer(args.option({"axis"})).value_or(-1);
  const Value dtype = args.option({"dtype"});
  if (!depth || axis != -1 || !args.option({"on_value"}).is_none() || !args.option({"off_value"}).is_none()) {
    l.refuse(layer, "its options");
    return {};
  }
  const ValueId range =
      b.add("Range", {graph::int_scalar(b, 0), graph::int_scalar(b, *depth), graph::int_scalar(b, 1)});
  const ValueId hot = graph::binary(b, "Equal", graph::unsqueeze(b, x, {b.rank(x)}), range);
  const auto known = dtype.kind == Value::Kind::kLiteral && dtype.literal.is_string()
                         ? dtype_named(dtype.literal.get_ref<const std::string&>())
                         : std::nullopt;
  return Value::of(graph::cast(b, hot, known.value_or(DType::kFloat32)));
}
Value take(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  ValueId x = args.x();
  const Value indices = args.get(1, {"indices"});
  const Value axis = args.option({"axis"});
  if (args.integer(args.option({"batch_dims"})).value_or(0) != 0) l.refuse(layer, "batch_dims");
  if (axis.is_none() && l.keras >= 3) x = graph::reshape(l.b, x, Ints{-1});
  const ValueId index = operand(l, layer, indices, kNone);
  const DType dtype = l.b.dtype(index);
  const bool integral = dtype == DType::kInt32 || dtype == DType::kInt64;
  return Value::of(graph::gather(l.b, x, integral ? index : graph::cast(l.b, index, DType::kInt64),
                                 args.integer(axis).value_or(0)));
}
Value take_along(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const Value indices = args.get(1, {"indices"});
  const auto axis = args.integer(args.get(2, {"axis"}));
  if (!indices.is_tensor() || !axis) {
    l.refuse(layer, "its options");
    return {};
  }
  return Value::of(l.b.add("GatherElements", {args.x(), graph::cast(l.b, indices.tensor, DType::kInt64)},
                           {{"axis", *axis}}));
}
Value top_k(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const auto k = args.integer(args.get(1, {"k"}));
  const auto made =
      l.b.add_many("TopK", {args.x(), graph::ints(l.b, {k.value_or(1)})}, 2, {{"axis", std::int64_t{-1}}});
  return Value::list({Value::of(made[0]), Value::of(graph::cast(l.b, made[1], DType::kInt32))});
}

bool is_ellipsis(const Value& value) {
  if (value.kind != Value::Kind::kLiteral || !value.literal.is_object()) return false;
  const std::string* class_name = text::find_string(value.literal, "class_name");
  return class_name != nullptr && *class_name == "__ellipsis__";
}

// x[…]: integers, slices, None and one ellipsis.
Value get_item(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  Builder& b = l.b;
  ValueId x = args.x();
  const Value key = args.get(1, {"key", "slice_spec"});
  const std::vector<Value> parts = key.kind == Value::Kind::kList ? key.items : std::vector{key};
  std::int64_t axis = 0, used = 0;
  for (const Value& part : parts)
    if (!part.is_none() && !is_ellipsis(part)) ++used;
  if (b.rank(x) < used) {
    l.bad(layer, "has more indices than its tensor has axes");
    return {};
  }
  const std::int64_t rank = b.rank(x);
  for (const Value& part : parts) {
    if (is_ellipsis(part)) {
      axis += rank - used;
    } else if (part.is_none()) {
      x = graph::unsqueeze(b, x, {axis++});
    } else if (const auto number = args.integer(part)) {
      x = graph::select(b, x, axis, *number);
    } else if (part.kind == Value::Kind::kDict) {
      const auto member = [&](std::string_view name) -> std::optional<std::int64_t> {
        const auto found = std::ranges::find(part.keys, name);
        if (found == part.keys.end()) return std::nullopt;
        const Value& value = part.items[static_cast<std::size_t>(found - part.keys.begin())];
        if (value.is_tensor()) l.refuse(layer, "a slice whose bounds are computed");
        return args.integer(value);
      };
      const std::int64_t step = member("step").value_or(1);
      if (step == 0) l.bad(layer, "has a slice with step 0");
      const std::int64_t start =
          member("start").value_or(step > 0 ? 0 : std::numeric_limits<std::int64_t>::max());
      const std::int64_t stop =
          member("stop").value_or(step > 0 ? graph::kToEnd : std::numeric_limits<std::int64_t>::min() + 1);
      x = graph::slice(b, x, axis++, start, stop, step);
    } else if (part.is_tensor() && parts.size() == 1) {
      x = graph::gather(b, x, graph::cast(b, part.tensor, DType::kInt64), 0);
    } else {
      l.refuse(layer, "an index that is neither a number nor a slice");
      return {};
    }
  }
  return Value::of(x);
}

// The same row under Keras 3's class and TensorFlow's function.
constexpr LayerRow kKeras[] = {
    {"Add", two<"Add">},
    {"Subtract", two<"Sub">},
    {"Multiply", two<"Mul">},
    {"Divide", divide},
    {"TrueDivide", divide},
    {"FloorDivide", floor_divide},
    {"Mod", modulo},
    {"Power", two<"Pow">},
    {"Maximum", two<"Max">},
    {"Minimum", two<"Min">},
    {"Equal", two<"Equal">},
    {"NotEqual", not_equal},
    {"Greater", two<"Greater">},
    {"GreaterEqual", two<"GreaterOrEqual">},
    {"Less", two<"Less">},
    {"LessEqual", two<"LessOrEqual">},
    {"LogicalAnd", logical<"And">},
    {"LogicalOr", logical<"Or">},
    {"LogicalXor", logical<"Xor">},
    {"LogicalNot", logical_not},
    {"Negative", one<"Neg">},
    {"Absolute", one<"Abs">},
    {"Abs", one<"Abs">},
    {"Sign", one<"Sign">},
    {"Sqrt", one<"Sqrt">},
    {"Rsqrt", rsqrt},
    {"Square", square},
    {"Exp", one<"Exp">},
    {"Log", one<"Log">},
    {"Log1p", log1p},
    {"Log2", logarithm<2>},
    {"Log10", logarithm<10>},
    {"Sin", one<"Sin">},
    {"Cos", one<"Cos">},
    {"Tan", one<"Tan">},
    {"Sinh", one<"Sinh">},
    {"Cosh", one<"Cosh">},
    {"Tanh", one<"Tanh">},
    {"Arcsin", one<"Asin">},
    {"Arccos", one<"Acos">},
    {"Arctan", one<"Atan">},
    {"Arcsinh", one<"Asinh">},
    {"Arccosh", one<"Acosh">},
    {"Arctanh", one<"Atanh">},
    {"Erf", one<"Erf">},
    {"Floor", one<"Floor">},
    {"Ceil", one<"Ceil">},
    {"Round", one<"Round">},
    {"Reciprocal", one<"Reciprocal">},
    {"Isnan", one<"IsNaN">},
    {"Isinf", one<"IsInf">},
    {"Isfinite", is_finite},
    {"Relu", function<"relu">},
    {"Relu6", function<"relu6">},
    {"LeakyRelu", leaky_relu},
    {"Elu", function<"elu">},
    {"Selu", function<"selu">},
    {"Celu", function<"celu">},
    {"Silu", function<"silu">},
    {"Gelu", gelu},
    {"Sigmoid", function<"sigmoid">},
    {"LogSigmoid", function<"log_sigmoid">},
    {"HardSigmoid", function<"hard_sigmoid">},
    {"HardSilu", function<"hard_silu">},
    {"HardTanh", function<"hard_tanh">},
    {"Softplus", function<"softplus">},
    {"Softsign", function<"softsign">},
    {"Softmax", softmax},
    {"LogSoftmax", log_softmax},
    {"Clip", clip},
    {"Cast", cast_to},
    {"Where", where},
    {"Sum", reduce<"ReduceSum">},
    {"Mean", reduce<"ReduceMean">},
    {"Max", reduce<"ReduceMax">},
    {"Min", reduce<"ReduceMin">},
    {"Amax", reduce<"ReduceMax">},
    {"Amin", reduce<"ReduceMin">},
    {"Prod", reduce<"ReduceProd">},
    {"Logsumexp", reduce<"ReduceLogSumExp">},
    {"Any", reduce_bools<"ReduceMax">},
    {"All", reduce_bools<"ReduceMin">},
    {"Var", variance<false>},
    {"Std", variance<true>},
    {"Norm", norm},
    {"Argmax", arg_extreme<"ArgMax">},
    {"Argmin", arg_extreme<"ArgMin">},
    {"Cumsum", cumulative_sum},
    {"Matmul", matmul},
    {"Einsum", einsum},
    {"Reshape", reshape},
    {"Transpose", transpose},
    {"Swapaxes", swap_axes},
    {"ExpandDims", expand_dims},
    {"Squeeze", squeeze},
    {"Concatenate", concatenate},
    {"Stack", stack},
    {"Split", split},
    {"Unstack", unstack},
    {"Tile", tile},
    {"Repeat", repeat},
    {"Flip", flip},
    {"Pad", pad},
    {"BroadcastTo", broadcast_to},
    {"ZerosLike", filled_like<0>},
    {"OnesLike", filled_like<1>},
    {"OneHot", one_hot},
    {"Take", take},
    {"TakeAlongAxis", take_along},
    {"TopK", top_k},
    {"GetItem", get_item},
    {"Copy", same},
    {"StopGradient", same},
    {"Identity", same},
};

// Without the prefixes math., linalg., nn., compat.v1. and __operators__.
constexpr LayerRow kTensorFlow[] = {
    {"add", two<"Add">},
    {"add_n", sum_of},
    {"subtract", two<"Sub">},
    {"multiply", two<"Mul">},
    {"mul", two<"Mul">},
    {"sub", two<"Sub">},
    {"bias_add", two<"Add">},
    {"divide", divide},
    {"truediv", divide},
    {"floordiv", floor_divide},
    {"floormod", modulo},
    {"mod", modulo},
    {"pow", two<"Pow">},
    {"maximum", two<"Max">},
    {"minimum", two<"Min">},
    {"squared_difference", squared_difference},
    {"equal", two<"Equal">},
    {"not_equal", not_equal},
    {"eq", two<"Equal">},
    {"ne", not_equal},
    {"greater", two<"Greater">},
    {"greater_equal", two<"GreaterOrEqual">},
    {"less", two<"Less">},
    {"less_equal", two<"LessOrEqual">},
    {"logical_and", logical<"And">},
    {"logical_or", logical<"Or">},
    {"logical_not", logical_not},
    {"negative", one<"Neg">},
    {"abs", one<"Abs">},
    {"sign", one<"Sign">},
    {"sqrt", one<"Sqrt">},
    {"rsqrt", rsqrt},
    {"square", square},
    {"exp", one<"Exp">},
    {"log", one<"Log">},
    {"log1p", log1p},
    {"sin", one<"Sin">},
    {"cos", one<"Cos">},
    {"tan", one<"Tan">},
    {"sinh", one<"Sinh">},
    {"cosh", one<"Cosh">},
    {"tanh", one<"Tanh">},
    {"atan", one<"Atan">},
    {"erf", one<"Erf">},
    {"floor", one<"Floor">},
    {"ceil", one<"Ceil">},
    {"round", one<"Round">},
    {"reciprocal", one<"Reciprocal">},
    {"is_nan", one<"IsNaN">},
    {"is_inf", one<"IsInf">},
    {"is_finite", is_finite},
    {"relu", function<"relu">},
    {"relu6", function<"relu6">},
    {"leaky_relu", leaky_relu},
    {"elu", function<"elu">},
    {"selu", function<"selu">},
    {"silu", function<"silu">},
    {"swish", function<"silu">},
    {"gelu", gelu},
    {"sigmoid", function<"sigmoid">},
    {"log_sigmoid", function<"log_sigmoid">},
    {"softplus", function<"softplus">},
    {"softsign", function<"softsign">},
    {"softmax", softmax},
    {"softmax_v2", softmax},
    {"log_softmax", log_softmax},
    {"clip_by_value", clip},
    {"cast", cast_to},
    {"where", where},
    {"where_v2", where},
    {"reduce_sum", reduce<"ReduceSum">},
    {"reduce_mean", reduce<"ReduceMean">},
    {"reduce_max", reduce<"ReduceMax">},
    {"reduce_min", reduce<"ReduceMin">},
    {"reduce_prod", reduce<"ReduceProd">},
    {"reduce_logsumexp", reduce<"ReduceLogSumExp">},
    {"reduce_any", reduce_bools<"ReduceMax">},
    {"reduce_all", reduce_bools<"ReduceMin">},
    {"reduce_variance", variance<false>},
    {"reduce_std", variance<true>},
    {"norm", norm},
    {"l2_normalize", l2_normalize},
    {"argmax", arg_extreme<"ArgMax">},
    {"argmin", arg_extreme<"ArgMin">},
    {"cumsum", cumulative_sum},
    {"matmul", matmul},
    {"einsum", einsum},
    {"reshape", reshape},
    {"transpose", transpose},
    {"expand_dims", expand_dims},
    {"squeeze", squeeze},
    {"concat", concatenate},
    {"stack", stack},
    {"split", split},
    {"unstack", unstack},
    {"tile", tile},
    {"repeat", repeat},
    {"reverse", flip},
    {"pad", pad},
    {"broadcast_to", broadcast_to},
    {"zeros_like", filled_like<0>},
    {"ones_like", filled_like<1>},
    {"shape", shape},
    {"one_hot", one_hot},
    {"gather", take},
    {"top_k", top_k},
    {"getitem", get_item},
    {"identity", same},
    {"stop_gradient", same},
};

}  // namespace

std::span<const LayerRow> keras_operations() {
  return kKeras;
}
std::span<const LayerRow> tensorflow_operations() {
  return kTensorFlow;
}

}  // namespace wherry::keras
