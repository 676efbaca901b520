#include "base/text.h"
#include "import/torch/script_native.h"
#include "import/torch/script_text.h"

namespace wherry::torch {
namespace {

using base::Result;
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

bool any_tensor(const NativeCall& c) {
  for (const Value& each : c.positional) {
    if (each.is<Tensor>()) return true;
  }
  return false;
}

// torch.add(1, 2): on numbers, lists and texts; on tensors it is the operator.
template <const char* Op>
Maybe arithmetic(NativeCall& c) {
  if (any_tensor(c) || c.positional.size() != 2) return pass();
  return give(c.in.binary(Op, c.positional[0], c.positional[1]));
}
template <const char* Op>
Maybe comparison(NativeCall& c) {
  if (any_tensor(c) || c.positional.size() != 2) return pass();
  return give(c.in.compare(Op, c.positional[0], c.positional[1]));
}
template <const char* Op>
Maybe joined(NativeCall& c) {
  if (any_tensor(c) || c.positional.size() != 2) return pass();
  const bool ints = c.positional[0].is<std::int64_t>() && c.positional[1].is<std::int64_t>();
  if (ints) return give(c.in.binary(Op, c.positional[0], c.positional[1]));
  const bool is_and = std::string_view(Op) == "&";
  TRY_ASSIGN(const auto a, c.in.truth(c.positional[0]));
  TRY_ASSIGN(const auto b, c.in.truth(c.positional[1]));
  const bool* known = std::get_if<bool>(&a);
  const auto& other = known ? b : a;
  if (!known) known = std::get_if<bool>(&b);
  if (!known)
    return give(c.in.number(
        c.in.builder().add(is_and ? "And" : "Or", {std::get<Symbol>(a).value, std::get<Symbol>(b).value})));
  if (*known != is_and) return give(Value(*known));
  if (const bool* both = std::get_if<bool>(&other)) return give(Value(*both));
  return give(Value(std::get<Symbol>(other)));
}

constexpr char kAdd[] = "+", kSub[] = "-", kMul[] = "*", kDiv[] = "/", kFloorDiv[] = "//", kMod[] = "%",
               kPow[] = "**", kAnd[] = "&", kOr[] = "|", kEq[] = "==", kNe[] = "!=", kLt[] = "<",
               kLe[] = "<=", kGt[] = ">", kGe[] = ">=";

Maybe same_object(NativeCall& c) {
  return give(c.in.compare("is", c.positional[0], c.positional[1]));
}
Maybe other_object(NativeCall& c) {
  return give(c.in.compare("is not", c.positional[0], c.positional[1]));
}
Maybe negation(NativeCall& c) {
  if (any_tensor(c)) return pass();
  return give(c.in.unary("-", c.positional[0]));
}
Maybe logical_not(NativeCall& c) {
  return give(c.in.unary("not", c.positional[0]));
}
Maybe contains(NativeCall& c) {
  return give(c.in.contained(c.positional[0], c.positional[1]));
}
Maybe get_item(NativeCall& c) {
  if (any_tensor(c) && c.positional[0].is<Tensor>()) return pass();
  return give(c.in.subscript(c.positional[0], c.positional[1]));
}
Maybe set_item(NativeCall& c) {
  TRY(c.in.set_subscript(c.positional[0], c.positional[1], c.positional[2]));
  return give(c.positional[0]);
}
Maybe slice(NativeCall& c) {
  if (c.positional[0].is<Tensor>()) return pass();
  auto parts = std::make_shared<Values>();
  for (std::size_t i = 1; i < 4; ++i) parts->push_back(i < c.positional.size() ? c.positional[i] : Value());
  return give(c.in.subscript(c.positional[0], Value(SliceValue{std::move(parts)})));
}

template <const char* Path>
Maybe as(NativeCall& c) {  // the builtin of another name
  return find_native(Path)->function(c);
}
template <const char* Path>
Maybe as_unless_tensor(NativeCall& c) {
  if (any_tensor(c)) return pass();
  return find_native(Path)->function(c);
}
constexpr char kLen[] = "builtins.len", kInt[] = "builtins.int", kFloat[] = "builtins.float",
               kBool[] = "builtins.bool", kMax[] = "builtins.max", kMin[] = "builtins.min",
               kAbs[] = "builtins.abs", kSum[] = "builtins.sum", kSorted[] = "builtins.sorted",
               kStr[] = "builtins.str", kDict[] = "builtins.dict", kRound[] = "builtins.round",
               kAny[] = "builtins.any", kAll[] = "builtins.all", kGet[] = "methods.get",
               kStarts[] = "methods.startswith", kSplit[] = "methods.split", kJoin[] = "methods.join",
               kReplace[] = "methods.replace", kUpdate[] = "methods.update", kCopy[] = "methods.copy";

// Attributes of a tensor that TorchScript writes as calls: prim.dtype(x).
template <const char* Name>
Maybe tensor_property(NativeCall& c) {
  return give(c.in.attribute(c.positional[0], Name));
}
constexpr char kDType[] = "dtype", kDevice[] = "device", kLayout[] = "layout", kShape[] = "shape", kT[] = "T",
               kNdim[] = "ndim", kData[] = "data", kMT[] = "mT";

Maybe no(NativeCall&) {
  return give(Value(false));
}
Maybe yes(NativeCall&) {
  return give(Value(true));
}
Maybe nothing(NativeCall&) {
  return give(Value());
}
Maybe first(NativeCall& c) {
  return give(c.positional[0]);
}
Maybe raise(NativeCall& c) {
  return c.in.raised(c.positional.empty() ? std::string("an exception") : text_of(c.positional[0]));
}
Maybe percent_format(NativeCall& c) {
  const auto* pattern = c.positional[0].get<std::string>();
  if (!pattern) return c.in.refuse("a text that is not known");
  return give(Value(percent_text(*pattern, Values(c.positional.begin() + 1, c.positional.end()))));
}
Maybe device_type(NativeCall& c) {
  return give(c.in.attribute(c.positional[0], "type"));
}
Maybe list_with_default(NativeCall& c) {
  TRY_ASSIGN(Values items, c.in.iterate(c.positional[0]));
  return give(make_list(std::move(items), c.in.branches()));
}
Maybe range_length(NativeCall& c) {
  const auto* start = c.positional[0].get<std::int64_t>();
  const auto* stop = c.positional[1].get<std::int64_t>();
  const auto* step = c.positional[2].get<std::int64_t>();
  if (!start || !stop || !step || *step == 0) return c.in.refuse("the length of a range that is not known");
  const double rounds =
      (static_cast<double>(*stop) - static_cast<double>(*start)) / static_cast<double>(*step);
  return give(Value(rounds > 0 ? static_cast<std::int64_t>(rounds) +
                                     (static_cast<double>(static_cast<std::int64_t>(rounds)) < rounds ? 1 : 0)
                               : 0));
}
Maybe derive_index(NativeCall& c) {
  TRY_ASSIGN(const Value offset, c.in.binary("*", c.positional[0], c.positional[2]));
  return give(c.in.binary("+", c.positional[1], offset));
}

constexpr NativeRow kRows[] = {
    {"torch.add", 2, arithmetic<kAdd>},
    {"torch.sub", 2, arithmetic<kSub>},
    {"torch.mul", 2, arithmetic<kMul>},
    {"torch.div", 2, arithmetic<kDiv>},
    {"torch.floordiv", 2, arithmetic<kFloorDiv>},
    {"torch.remainder", 2, arithmetic<kMod>},
    {"torch.fmod", 2, arithmetic<kMod>},
    {"torch.pow", 2, arithmetic<kPow>},
    {"torch.__and__", 2, joined<kAnd>},
    {"torch.__or__", 2, joined<kOr>},
    {"torch.eq", 2, comparison<kEq>},
    {"torch.ne", 2, comparison<kNe>},
    {"torch.lt", 2, comparison<kLt>},
    {"torch.le", 2, comparison<kLe>},
    {"torch.gt", 2, comparison<kGt>},
    {"torch.ge", 2, comparison<kGe>},
    {"torch.__is__", 2, same_object},
    {"torch.__isnot__", 2, other_object},
    {"torch.neg", 1, negation},
    {"torch.__not__", 1, logical_not},
    {"torch.__contains__", 2, contains},
    {"torch.__getitem__", 2, get_item},
    {"torch._set_item", 3, set_item},
    {"torch.slice", 1, slice},
    {"torch.len", 1, as<kLen>},
    {"torch.Int", 1, as<kInt>},
    {"torch.Float", 1, as<kFloat>},
    {"torch.Bool", 1, as<kBool>},
    {"torch.str", 1, as<kStr>},
    {"torch.sorted", 1, as_unless_tensor<kSorted>},
    {"torch.dict", 0, as<kDict>},
    {"torch.sum", 1, as_unless_tensor<kSum>},
    {"torch.round", 1, as_unless_tensor<kRound>},
    {"torch.abs", 1, as_unless_tensor<kAbs>},
    {"torch.any", 1, as_unless_tensor<kAny>},
    {"torch.all", 1, as_unless_tensor<kAll>},
    {"torch.get", 2, as<kGet>},
    {"torch.update", 2, as<kUpdate>},
    {"torch.copy", 1, as_unless_tensor<kCopy>},
    {"torch.startswith", 2, as<kStarts>},
    {"torch.split", 2, as_unless_tensor<kSplit>},
    {"torch.join", 2, as<kJoin>},
    {"torch.replace", 3, as<kReplace>},
    {"torch.list_with_default", 1, list_with_default},
    {"torch.__range_length", 3, range_length},
    {"torch.__derive_index", 3, derive_index},
    {"torch.warn", 0, nothing},
    {"torch.percentFormat", 1, percent_format},
    {"torch.has_torch_function", 0, no},
    {"prim.RaiseException", 0, raise},
    {"prim.Print", 0, nothing},
    {"prim.unchecked_unwrap_optional", 1, first},
    {"prim.unchecked_cast", 1, first},
    {"prim.data", 1, tensor_property<kData>},
    {"prim.dtype", 1, tensor_property<kDType>},
    {"prim.device", 1, tensor_property<kDevice>},
    {"prim.layout", 1, tensor_property<kLayout>},
    {"prim.shape", 1, tensor_property<kShape>},
    {"prim.ndim", 1, tensor_property<kNdim>},
    {"prim.T", 1, tensor_property<kT>},
    {"prim.mT", 1, tensor_property<kMT>},
    {"torch.numpy_T", 1, tensor_property<kT>},
    {"prim.type", 1, device_type},
    {"prim.is_cuda", 1, no},
    {"prim.is_cpu", 1, yes},
    {"prim.is_quantized", 1, no},
    {"prim.is_sparse", 1, no},
    {"prim.is_mkldnn", 1, no},
    {"prim.is_mps", 1, no},
    {"prim.is_nested", 1, no},
    {"prim.requires_grad", 1, no},
    {"prim.max", 1, as<kMax>},
    {"prim.min", 1, as<kMin>},
    {"prim.abs", 1, as<kAbs>},
    {"prim.rangelist", 1, list_with_default},
};

}  // namespace

std::span<const NativeRow> script_rows() {
  return kRows;
}

}  // namespace wherry::torch
