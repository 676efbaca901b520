#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "graph/verbs.h"

#include "base/text.h"
#include "import/torch/scalar_type.h"
#include "import/torch/script_native.h"
#include "import/torch/script_text.h"

namespace wherry::torch {
namespace {

using base::Result;
using graph::ValueId;
using Maybe = Result<std::optional<Value>>;

Maybe give(Value value) {
  return std::optional<Value>(std::move(value));
}
Maybe give(Result<Value> value) {
  if (!value) return std::unexpected(value.error());
  return std::optional<Value>(*std::move(value));
}
Maybe pass() {
  return std::optional<Value>();
}

const Value* keyword(const NativeCall& c, std::string_view name) {
  for (const auto& [key, value] : c.keywords) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::optional<tensor::DType> dtype_of(const Value& value) {
  if (const auto* dtype = value.get<tensor::DType>()) return *dtype;
  const auto* named = value.get<Named>();
  if (!named) return std::nullopt;
  if (named->path == "builtins.float") return tensor::DType::kFloat64;
  if (named->path == "builtins.int") return tensor::DType::kInt64;
  if (named->path == "builtins.bool") return tensor::DType::kBool;
  return std::nullopt;
}

// --- what makes tensors
// --------------------------------------------------------------------------------------

// The numbers of nested lists, in order, and the lengths of the lists.
struct Nested {
  Values numbers;
  tensor::Shape shape;
};

base::Status flatten(Interpreter& in, const Value& value, std::size_t depth, Nested& into) {
  TRY(in.step());
  const bool nested = sequence(value) || value.is<RangeValue>();
  if (!nested) {
    if (depth != into.shape.size()) return in.refuse("lists of different lengths make no tensor");
    into.numbers.push_back(value);
    return {};
  }
  TRY_ASSIGN(const Values items, in.iterate(value));
  const auto length = static_cast<std::int64_t>(items.size());
  if (depth == into.shape.size() && into.numbers.empty()) {
    if (depth > 8) return in.refuse("lists are nested too deep for a tensor");
    into.shape.push_back(length);
  } else if (depth >= into.shape.size() || into.shape[depth] != length) {
    return in.refuse("lists of different lengths make no tensor");
  }
  for (const Value& item : items) TRY(flatten(in, item, depth + 1, into));
  return {};
}

Maybe make_tensor(NativeCall& c) {
  const Value* data = c.positional.empty() ? keyword(c, "data") : &c.positional[0];
  if (!data) return c.in.refuse("a tensor of nothing");
  const Value* wanted = c.positional.size() > 1 ? &c.positional[1] : keyword(c, "dtype");
  const auto dtype = wanted ? dtype_of(*wanted) : std::nullopt;
  graph::Builder& b = c.in.builder();
  if (const auto* tensor = data->get<Tensor>()) {
    if (!dtype) return give(*data);
    return give(Value(c.in.aten().tensor(graph::cast(b, c.in.aten().current(*tensor), *dtype))));
  }
  Nested nested;
  TRY(flatten(c.in, *data, 0, nested));
  bool known = true;
  tensor::DType natural = nested.numbers.empty() ? tensor::DType::kFloat32 : tensor::DType::kBool;
  for (const Value& number : nested.numbers) {
    known = known && Interpreter::number_type(number).has_value();
    const auto* symbol = number.get<Symbol>();
    const auto* tensor = number.get<Tensor>();
    const auto type = symbol   ? std::optional(b.dtype(symbol->value))
                      : tensor ? std::optional(b.dtype(c.in.aten().current(*tensor)))
                               : Interpreter::number_type(number);
    if (!type) return c.in.refuse(base::cat("a tensor of ", describe(number)));
    if (is_floating(*type)) {
      natural = tensor::DType::kFloat32;
    } else if (*type != tensor::DType::kBool && natural == tensor::DType::kBool) {
      natural = tensor::DType::kInt64;
    }
  }
  const tensor::DType type = dtype.value_or(natural);
  if (!known) {
    std::vector<ValueId> parts;
    for (const Value& number : nested.numbers) {
      ValueId part = graph::kNone;
      if (const auto* tensor = number.get<Tensor>()) {
        part = graph::cast(b, c.in.aten().current(*tensor), type);
      } else {
        TRY_ASSIGN(part, c.in.scalar(number, type));
      }
      parts.push_back(graph::reshape(b, part, graph::Ints{1}));
    }
    return give(Value(c.in.aten().tensor(
        graph::reshape(b, graph::concat(b, std::move(parts), 0), graph::Ints(nested.shape)))));
  }
  if (is_floating(type)) {
    std::vector<double> numbers;
    for (const Value& number : nested.numbers) {
      const auto* real = number.get<double>();
      const auto* integer = number.get<std::int64_t>();
      numbers.push_back(real                  ? *real
                        : integer             ? static_cast<double>(*integer)
                        : *number.get<bool>() ? 1.0
                                              : 0.0);
    }
    return give(Value(c.in.aten().tensor(
        graph::cast(b, b.constant(tensor::Tensor::of<double>(nested.shape, std::move(numbers))), type))));
  }
  std::vector<std::int64_t> numbers;
  for (const Value& number : nested.numbers) {
    const auto* real = number.get<double>();
    const auto* integer = number.get<std::int64_t>();
    if (real && !(std::abs(*real) < 9e18)) return c.in.refuse("a number does not fit the dtype");
    numbers.push_back(real                  ? static_cast<std::int64_t>(*real)
                      : integer             ? *integer
                      : *number.get<bool>() ? 1
                                            : 0);
  }
  return give(Value(c.in.aten().tensor(
      graph::cast(b, b.constant(tensor::Tensor::of<std::int64_t>(nested.shape, std::move(numbers))), type))));
}

// squeeze(x, dim) of an axis whose length is not known (Interpreter::squeezes_unknown).
Maybe squeeze(NativeCall& c) {
  const auto* tensor = c.positional[0].get<Tensor>();
  const Value* dim = c.positional.size() > 1 ? &c.positional[1] : keyword(c, "dim");
  const auto* given = dim ? dim->get<std::int64_t>() : nullptr;
  if (!c.in.squeezes_unknown || !tensor || !given) return pass();
  TRY_ASSIGN(const std::int64_t rank, c.in.rank(*tensor));
  const std::int64_t axis = *given < 0 ? *given + rank : *given;
  if (axis < 0 || axis >= rank) return pass();
  graph::Builder& b = c.in.builder();
  const ValueId x = c.in.aten().current(*tensor);
  const graph::Dim length = b.dim(x, axis);
  if (length.known() || length == b.symbol("batch")) return pass();
  return give(Value(c.in.aten().tensor(graph::squeeze(b, x, {axis}))));
}

// A list of unknown length: its tensors stacked along a new first axis; null for other lists.
const Value* rounds_of(const Value& list) {
  const List* made = list.get<List>();
  return made && (*made)->rounds ? (*made)->rounds.get() : nullptr;
}

Maybe stack(NativeCall& c) {
  const Value* rounds = c.positional.empty() ? nullptr : rounds_of(c.positional[0]);
  if (!rounds) return pass();
  if (!(*c.positional[0].get<List>())->items.empty())
    return c.in.refuse("stack() of a list that had items before the loop");
  const Value* dim = c.positional.size() > 1 ? &c.positional[1] : keyword(c, "dim");
  const Value axis = dim ? *dim : Value(std::int64_t{0});
  return give(c.in.call_aten("aten::movedim", {*rounds, Value(std::int64_t{0}), axis}, {}));
}

Maybe cat(NativeCall& c) {
  const Value* rounds = c.positional.empty() ? nullptr : rounds_of(c.positional[0]);
  if (!rounds) return pass();
  const Value* dim = c.positional.size() > 1 ? &c.positional[1] : keyword(c, "dim");
  const auto* given = dim ? dim->get<std::int64_t>() : nullptr;
  TRY_ASSIGN(const std::int64_t rank, c.in.rank(*rounds->get<Tensor>()));
  std::int64_t axis = given ? *given : 0;
  if (axis < 0) axis += rank - 1;
  TRY_ASSIGN(const Value moved,
             c.in.call_aten("aten::movedim", {*rounds, Value(std::int64_t{0}), Value(axis)}, {}));
  TRY_ASSIGN(Value joined, c.in.call_aten("aten::flatten", {moved, Value(axis), Value(axis + 1)}, {}));
  const Values& before = (*c.positional[0].get<List>())->items;
  if (before.empty()) return give(std::move(joined));
  Values all = before;
  all.push_back(std::move(joined));
  return give(c.in.call_aten("aten::cat", {make_list(std::move(all)), Value(axis)}, {}));
}

// --- what tensors are
// ----------------------------------------------------------------------------------------

Result<const Tensor*> tensor_argument(NativeCall& c) {
  const auto* tensor = c.positional.empty() ? nullptr : c.positional[0].get<Tensor>();
  if (!tensor) return c.in.refuse("a method of tensors is called on something else");
  return tensor;
}

Maybe size(NativeCall& c) {
  if (!c.positional[0].is<Tensor>()) return pass();
  TRY_ASSIGN(Values lengths, c.in.shape(*c.positional[0].get<Tensor>()));
  const Value* dim = c.positional.size() > 1 ? &c.positional[1] : keyword(c, "dim");
  if (!dim || dim->is_none()) return give(make_tuple(std::move(lengths)));
  return give(c.in.subscript(make_tuple(std::move(lengths)), *dim));
}
Maybe size_as_list(NativeCall& c) {
  if (!c.positional[0].is<Tensor>()) return pass();
  TRY_ASSIGN(auto made, size(c));
  const Values* items = sequence(*made);
  return items ? give(make_list(*items, c.in.branches())) : Maybe(std::move(made));
}
Maybe dim(NativeCall& c) {
  TRY_ASSIGN(const Tensor* tensor, tensor_argument(c));
  TRY_ASSIGN(const std::int64_t rank, c.in.rank(*tensor));
  return give(Value(rank));
}
Maybe numel(NativeCall& c) {
  if (!c.positional[0].is<Tensor>()) return pass();
  TRY_ASSIGN(const Values lengths, c.in.shape(*c.positional[0].get<Tensor>()));
  Value product = std::int64_t{1};
  for (const Value& length : lengths) {
    TRY_ASSIGN(product, c.in.binary("*", product, length));
  }
  return give(product);
}
Maybe is_float(NativeCall& c) {
  TRY_ASSIGN(const Tensor* tensor, tensor_argument(c));
  return give(Value(is_floating(c.in.builder().dtype(c.in.aten().current(*tensor)))));
}
Maybe is_tensor(NativeCall& c) {
  return give(Value(c.positional[0].is<Tensor>()));
}
Maybe no(NativeCall&) {
  return give(Value(false));
}
Maybe yes(NativeCall&) {
  return give(Value(true));
}
Maybe first(NativeCall& c) {
  return give(c.positional[0]);
}
Maybe no_device(NativeCall&) {
  return give(Value(std::int64_t{-1}));
}

Maybe to(NativeCall& c) {
  TRY_ASSIGN(const Tensor* tensor, tensor_argument(c));
  std::optional<tensor::DType> dtype;
  const auto look = [&](const Value& value) {
    if (const auto found = dtype_of(value)) dtype = found;
    if (const auto* other = value.get<Tensor>()) dtype = c.in.builder().dtype(c.in.aten().current(*other));
  };
  for (std::size_t i = 1; i < c.positional.size(); ++i) look(c.positional[i]);
  for (const auto& [name, value] : c.keywords) {
    if (name == "dtype" || name == "other") look(value);
  }
  const ValueId now = c.in.aten().current(*tensor);
  if (!dtype || *dtype == c.in.builder().dtype(now)) return give(c.positional[0]);
  return give(c.in.call_aten("aten::to", {c.positional[0], Value(*dtype)}, {}));
}

Maybe tolist(NativeCall& c) {
  TRY_ASSIGN(const Tensor* tensor, tensor_argument(c));
  TRY_ASSIGN(const std::int64_t rank, c.in.rank(*tensor));
  if (rank == 0) return give(c.in.call_aten("aten::item", {c.positional[0]}, {}));
  if (rank > 1) return c.in.refuse("tolist() of a tensor with several axes");
  TRY_ASSIGN(Values items, c.in.iterate(c.positional[0]));
  for (Value& item : items) {
    TRY_ASSIGN(item, c.in.call_aten("aten::item", {item}, {}));
  }
  return give(make_list(std::move(items), c.in.branches()));
}

Maybe device(NativeCall& c) {
  const auto* name = c.positional.empty() ? nullptr : c.positional[0].get<std::string>();
  return give(Value(Device{name ? *name : "cpu"}));
}

Maybe as_size(NativeCall& c) {
  if (c.positional.empty()) return give(make_tuple({}));
  TRY_ASSIGN(Values items, c.in.iterate(c.positional[0]));
  return give(make_tuple(std::move(items)));
}

Maybe finfo(NativeCall& c) {
  const auto dtype = c.positional.empty() ? tensor::DType::kFloat32
                                          : dtype_of(c.positional[0]).value_or(tensor::DType::kFloat32);
  double largest = 3.4028234663852886e38;
  double epsilon = 1.1920928955078125e-07;
  double tiny = 1.1754943508222875e-38;
  if (dtype == tensor::DType::kFloat64) {
    largest = std::numeric_limits<double>::max();
    epsilon = std::numeric_limits<double>::epsilon();
    tiny = std::numeric_limits<double>::min();
  } else if (dtype == tensor::DType::kFloat16) {
    largest = 65504;
    epsilon = 0.0009765625;
    tiny = 6.103515625e-05;
  } else if (dtype == tensor::DType::kBfloat16) {
    largest = 3.3895313892515355e38;
    epsilon = 0.0078125;
  } else if (dtype != tensor::DType::kFloat32) {
    return c.in.refuse("finfo() of an integer dtype");
  }
  return give(make_tuple({Value(-largest), Value(largest), Value(epsilon), Value(tiny)},
                         {"min", "max", "eps", "tiny"}));
}

Maybe default_dtype(NativeCall&) {
  return give(Value(tensor::DType::kFloat32));
}

// --- math
// ----------------------------------------------------------------------------------------------------

using Function = double (*)(double);

template <Function Compute>
Maybe known_math(NativeCall& c) {
  const Value& x = c.positional[0];
  if (x.is<Tensor>()) return pass();
  if (const auto* real = x.get<double>()) return give(Value(Compute(*real)));
  if (const auto* integer = x.get<std::int64_t>()) return give(Value(Compute(static_cast<double>(*integer))));
  return c.in.refuse(base::cat("this function of ", describe(x)));
}
double exponential(double x) {
  return std::exp(x);
}
double logarithm(double x) {
  return std::log(x);
}
double logarithm2(double x) {
  return std::log2(x);
}
double logarithm10(double x) {
  return std::log10(x);
}
double sine(double x) {
  return std::sin(x);
}
double cosine(double x) {
  return std::cos(x);
}
double hyperbolic(double x) {
  return std::tanh(x);
}
double magnitude(double x) {
  return std::fabs(x);
}

Maybe math_log(NativeCall& c) {
  if (c.positional.size() < 2) return known_math<logarithm>(c);
  const Value base = c.positional[1];
  TRY_ASSIGN(const auto above, known_math<logarithm>(c));
  c.positional[0] = base;
  TRY_ASSIGN(const auto below, known_math<logarithm>(c));
  return give(c.in.binary("/", *above, *below));
}
template <const char* Name>
Maybe number_operator(NativeCall& c) {
  if (c.positional[0].is<Tensor>()) return pass();
  return give(c.in.call_aten(Name, c.positional, {}));
}
constexpr char kSqrt[] = "math::sqrt";
constexpr char kCeil[] = "math::ceil";
constexpr char kFloor[] = "math::floor";
constexpr char kTrunc[] = "math::trunc";

Maybe math_pow(NativeCall& c) {
  return give(c.in.binary("**", c.positional[0], c.positional[1]));
}
Maybe math_prod(NativeCall& c) {
  TRY_ASSIGN(const Values items, c.in.iterate(c.positional[0]));
  Value product = std::int64_t{1};
  for (const Value& item : items) {
    TRY_ASSIGN(product, c.in.binary("*", product, item));
  }
  return give(product);
}
Maybe math_gcd(NativeCall& c) {
  const auto* a = c.positional[0].get<std::int64_t>();
  const auto* b = c.positional[1].get<std::int64_t>();
  if (!a || !b) return c.in.refuse("gcd() of numbers that are not known");
  return give(Value(std::gcd(*a, *b)));
}
Maybe is_infinite(NativeCall& c) {
  const auto* real = c.positional[0].get<double>();
  return give(Value(real && std::isinf(*real)));
}
Maybe is_nan(NativeCall& c) {
  const auto* real = c.positional[0].get<double>();
  return give(Value(real && std::isnan(*real)));
}

// --- functools
// -----------------------------------------------------------------------------------------------

Maybe partial(NativeCall& c) {
  auto method = std::make_shared<NativeMethod>();
  method->name = "partial";
  method->call = [bound = c.positional, named = c.keywords](Interpreter& in, Values positional,
                                                            NamedValues keywords) {
    Values all(bound.begin() + 1, bound.end());
    all.insert(all.end(), positional.begin(), positional.end());
    NamedValues both = keywords;
    for (const auto& [name, value] : named) {
      const bool given = std::ranges::any_of(keywords, [&](const auto& each) { return each.first == name; });
      if (!given) both.emplace_back(name, value);
    }
    return in.call(bound[0], std::move(all), std::move(both));
  };
  return give(Value(NativeRef(method)));
}

Maybe reduce(NativeCall& c) {
  TRY_ASSIGN(const Values items, c.in.iterate(c.positional[1]));
  std::size_t next = 0;
  if (c.positional.size() < 3 && items.empty()) return c.in.raised("reduce() of nothing");
  Value total = c.positional.size() > 2 ? c.positional[2] : items[next++];
  for (; next < items.size(); ++next) {
    TRY_ASSIGN(total, c.in.call(c.positional[0], {total, items[next]}));
  }
  return give(total);
}

// wherry.expect(x, axis, n), in recipes: the length that a layer's own attributes say.
Maybe expect(NativeCall& c) {
  TRY_ASSIGN(const Tensor* tensor, tensor_argument(c));
  const auto* axis = c.positional[1].get<std::int64_t>();
  const auto* length = c.positional[2].get<std::int64_t>();
  TRY_ASSIGN(const std::int64_t rank, c.in.rank(*tensor));
  if (!axis || !length || *axis >= rank) return give(Value());
  const ValueId x = c.in.aten().current(*tensor);
  graph::Dims dims;
  for (std::int64_t i = 0; i < rank; ++i)
    dims.push_back(i == *axis ? graph::Dim{*length, 0} : c.in.builder().dim(x, i));
  c.in.builder().refine(x, dims);
  return give(Value());
}

// wherry.fixed(n, what), in recipes: a length that must be known.
Maybe fixed(NativeCall& c) {
  if (c.positional[0].is<std::int64_t>()) return give(Value());
  return c.in.refuse(base::cat(text_of(c.positional[1]), " must be known"), "state the lengths with --shape");
}

template <const char* Name>
Maybe operator_of_other_name(NativeCall& c) {
  return give(c.in.call_aten(Name, c.positional, c.keywords));
}
constexpr char kChunk[] = "aten::chunk";
constexpr char kSplit[] = "aten::split";
constexpr char kSplitSizes[] = "aten::split_with_sizes";

Maybe rrelu(NativeCall& c) {
  const auto* lower = c.positional.size() > 2 ? c.positional[1].get<double>() : nullptr;
  const auto* upper = lower ? c.positional[2].get<double>() : nullptr;
  if (!upper) return pass();
  return give(c.in.call_aten("aten::leaky_relu", {c.positional[0], Value((*lower + *upper) / 2)}, {}));
}

constexpr NativeRow kRows[] = {
    {"wherry.expect", 3, expect},
    {"wherry.fixed", 2, fixed},
    {"torch.unsafe_chunk", 1, operator_of_other_name<kChunk>},
    {"torch.unsafe_split", 1, operator_of_other_name<kSplit>},
    {"torch.unsafe_split_with_sizes", 1, operator_of_other_name<kSplitSizes>},
    {"torch.rrelu", 1, rrelu},
    {"torch.rrelu_", 1, rrelu},
    {"torch.tensor", 0, make_tensor},
    {"torch.as_tensor", 0, make_tensor},
    {"torch.squeeze", 1, squeeze},
    {"Tensor.squeeze", 1, squeeze},
    {"torch.stack", 0, stack},
    {"torch.cat", 0, cat},
    {"torch.concat", 0, cat},
    {"torch.device", 0, device},
    {"torch.Size", 0, as_size},
    {"torch.is_tensor", 1, is_tensor},
    {"torch.is_floating_point", 1, is_float},
    {"torch.numel", 1, numel},
    {"torch.size", 1, size_as_list},
    {"torch.finfo", 0, finfo},
    {"torch.get_default_dtype", 0, default_dtype},
    {"Tensor.size", 1, size},
    {"Tensor.dim", 1, dim},
    {"Tensor.ndimension", 1, dim},
    {"torch.dim", 1, dim},
    {"Tensor.numel", 1, numel},
    {"Tensor.nelement", 1, numel},
    {"Tensor.is_floating_point", 1, is_float},
    {"Tensor.is_complex", 1, no},
    {"Tensor.is_contiguous", 1, yes},
    {"Tensor.get_device", 1, no_device},
    {"Tensor.requires_grad_", 1, first},
    {"Tensor.cpu", 1, first},
    {"Tensor.cuda", 1, first},
    {"Tensor.pin_memory", 1, first},
    {"Tensor.tolist", 1, tolist},
    {"Tensor.to", 1, to},
    {"math.exp", 1, known_math<exponential>},
    {"math.log", 1, math_log},
    {"math.log2", 1, known_math<logarithm2>},
    {"math.log10", 1, known_math<logarithm10>},
    {"math.sin", 1, known_math<sine>},
    {"math.cos", 1, known_math<cosine>},
    {"math.tanh", 1, known_math<hyperbolic>},
    {"math.fabs", 1, known_math<magnitude>},
    {"math.sqrt", 1, number_operator<kSqrt>},
    {"math.ceil", 1, number_operator<kCeil>},
    {"math.floor", 1, number_operator<kFloor>},
    {"math.trunc", 1, number_operator<kTrunc>},
    {"math.pow", 2, math_pow},
    {"math.prod", 1, math_prod},
    {"numpy.prod", 1, math_prod},
    {"numpy.sqrt", 1, number_operator<kSqrt>},
    {"numpy.log", 1, math_log},
    {"numpy.exp", 1, known_math<exponential>},
    {"math.gcd", 2, math_gcd},
    {"math.isinf", 1, is_infinite},
    {"math.isnan", 1, is_nan},
    {"torch.exp", 1, known_math<exponential>},
    {"torch.log", 1, known_math<logarithm>},
    {"torch.sqrt", 1, number_operator<kSqrt>},
    {"torch.ceil", 1, number_operator<kCeil>},
    {"torch.floor", 1, number_operator<kFloor>},
    {"functools.partial", 1, partial},
    {"functools.reduce", 2, reduce},
};

}  // namespace

std::span<const NativeRow> torch_rows() {
  return kRows;
}

}  // namespace wherry::torch
