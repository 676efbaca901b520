#include <algorithm>
#include <array>

#include "graph/verbs.h"

#include "base/text.h"
#include "import/torch/scalar_type.h"
#include "import/torch/script_interpreter.h"

namespace wherry::torch {
namespace {

using base::Result;
using graph::ValueId;

// Operators which give a tensor of their first argument's shape and work on any rank.
constexpr auto kElementwise = std::to_array<std::string_view>({"add",
                                                               "sub",
                                                               "mul",
                                                               "div",
                                                               "rsub",
                                                               "relu",
                                                               "relu6",
                                                               "sigmoid",
                                                               "tanh",
                                                               "exp",
                                                               "log",
                                                               "sqrt",
                                                               "rsqrt",
                                                               "abs",
                                                               "neg",
                                                               "pow",
                                                               "clamp",
                                                               "clamp_min",
                                                               "clamp_max",
                                                               "gelu",
                                                               "silu",
                                                               "elu",
                                                               "leaky_relu",
                                                               "hardtanh",
                                                               "hardswish",
                                                               "hardsigmoid",
                                                               "mish",
                                                               "softplus",
                                                               "sin",
                                                               "cos",
                                                               "to",
                                                               "dropout",
                                                               "contiguous",
                                                               "type_as",
                                                               "float",
                                                               "detach",
                                                               "clone",
                                                               "alias",
                                                               "square",
                                                               "round",
                                                               "floor",
                                                               "ceil",
                                                               "sign",
                                                               "log1p",
                                                               "expm1",
                                                               "erf",
                                                               "reciprocal",
                                                               "selu",
                                                               "celu",
                                                               "logit",
                                                               "lift_fresh_copy",
                                                               "lift_fresh",
                                                               "requires_grad_",
                                                               "feature_dropout",
                                                               "alpha_dropout",
                                                               "log_sigmoid",
                                                               "softsign",
                                                               "hardshrink",
                                                               "softshrink",
                                                               "tanhshrink",
                                                               "threshold",
                                                               "nan_to_num",
                                                               "copy",
                                                               "eq",
                                                               "ne",
                                                               "lt",
                                                               "le",
                                                               "gt",
                                                               "ge",
                                                               "logical_not",
                                                               "isnan",
                                                               "isinf",
                                                               "zeros_like",
                                                               "ones_like",
                                                               "full_like",
                                                               "cumsum",
                                                               "rrelu",
                                                               "prelu"});

// Operators whose result has elements of the first argument, elsewhere.
constexpr auto kRearranging = std::to_array<std::string_view>(
    {"view",      "reshape", "flatten", "unflatten", "transpose", "permute",    "squeeze",
     "unsqueeze", "slice",   "select",  "expand",    "repeat",    "contiguous", "clone",
     "narrow",    "movedim", "t",       "alias",     "detach",    "chunk",      "split"});

struct RankRow {
  std::string_view op;
  std::size_t argument;      // which of the operator's arguments
  std::array<int, 5> ranks;  // the likely ones first; 0: no more
  bool indices = false;      // integers are wanted
};
constexpr std::array<int, 5> kAnyRank = {2, 4, 3, 1, 5};
constexpr auto kRanks = std::to_array<RankRow>({
    {"embedding", 1, {2, 1}, true},
    {"embedding_bag", 1, {2, 1}, true},
    {"embedding_bag", 2, {1}, true},
    {"one_hot", 0, {1, 2}, true},
    {"max_pool1d", 0, {3}},
    {"avg_pool1d", 0, {3}},
    {"adaptive_avg_pool1d", 0, {3}},
    {"adaptive_max_pool1d", 0, {3}},
    {"max_pool2d", 0, {4}},
    {"avg_pool2d", 0, {4}},
    {"adaptive_avg_pool2d", 0, {4}},
    {"adaptive_max_pool2d", 0, {4}},
    {"max_pool3d", 0, {5}},
    {"avg_pool3d", 0, {5}},
    {"adaptive_avg_pool3d", 0, {5}},
    {"adaptive_max_pool3d", 0, {5}},
    {"upsample_nearest1d", 0, {3}},
    {"upsample_linear1d", 0, {3}},
    {"upsample_nearest2d", 0, {4}},
    {"upsample_bilinear2d", 0, {4}},
    {"upsample_bicubic2d", 0, {4}},
    {"upsample_nearest3d", 0, {5}},
    {"upsample_trilinear3d", 0, {5}},
    {"pixel_shuffle", 0, {4}},
    {"pixel_unshuffle", 0, {4}},
    {"channel_shuffle", 0, {4}},
    {"grid_sampler", 0, {4, 5}},
    {"instance_norm", 0, {4, 3, 5}},
    {"group_norm", 0, {4, 3, 2, 5}},
    {"batch_norm", 0, {2, 4, 3, 5}},
    {"lstm", 0, {3}},
    {"gru", 0, {3}},
    {"rnn_tanh", 0, {3}},
    {"rnn_relu", 0, {3}},
    {"lstm_cell", 0, {2}},
    {"gru_cell", 0, {2}},
    {"bilinear", 0, {2, 3, 1}},
    {"bilinear", 1, {2, 3, 1}},
    {"bmm", 0, {3}},
    {"mm", 0, {2}},
    {"addmm", 1, {2}},
    {"linear", 0, {2, 3, 1}},
    {"matmul", 0, {2, 3}},
    {"scaled_dot_product_attention", 0, {4, 3}},
});

std::vector<int> ranks_of(const std::array<int, 5>& row) {
  return {row.begin(), std::ranges::find(row, 0)};
}

std::string_view plain(std::string_view name) {
  if (const std::size_t colon = name.rfind(':'); colon != std::string_view::npos)
    name.remove_prefix(colon + 1);
  if (name.ends_with('_') && !name.ends_with("__")) name.remove_suffix(1);
  return name;
}

bool elementwise(std::string_view name) {
  return std::ranges::find(kElementwise, plain(name)) != kElementwise.end();
}

bool convolves(std::string_view op) {
  return op == "conv1d" || op == "conv2d" || op == "conv3d" || op == "_convolution" || op == "convolution" ||
         op == "_convolution_mode" || op.starts_with("conv_transpose");
}

struct ToArgument {
  Interpreter& in;
  Result<Argument> list(const Values& items) const {
    Argument::List made;
    for (const Value& item : items) {
      TRY_ASSIGN(Argument one, in.to_argument(item));
      made.push_back(std::move(one));
    }
    return Argument(std::move(made));
  }
  template <class T>
    requires std::constructible_from<Argument, const T&>
  Result<Argument> operator()(const T& value) const {
    return Argument(value);
  }
  Result<Argument> operator()(const List& value) const {
    if (value->rounds) return in.refuse("a list whose length is not known is given to an operator");
    return list(value->items);
  }
  Result<Argument> operator()(const Tuple& value) const { return list(value->items); }
  Result<Argument> operator()(const RangeValue& value) const {
    TRY_ASSIGN(const Values items, in.iterate(Value(value)));
    return list(items);
  }
  Result<Argument> operator()(const Named& value) const {
    if (value.path == "builtins.float") return Argument(tensor::DType::kFloat64);
    if (value.path == "builtins.int") return Argument(tensor::DType::kInt64);
    if (value.path == "builtins.bool") return Argument(tensor::DType::kBool);
    return other(Value(value));
  }
  Result<Argument> other(const Value& value) const {
    return in.refuse(base::cat(describe(value), " is given to an operator on tensors"));
  }
  Result<Argument> operator()(const Dict& value) const { return other(Value(value)); }
  Result<Argument> operator()(const Object& value) const { return other(Value(value)); }
  Result<Argument> operator()(const FunctionRef& value) const { return other(Value(value)); }
  Result<Argument> operator()(const NativeRef& value) const { return other(Value(value)); }
  Result<Argument> operator()(const std::shared_ptr<const ClassObject>& value) const {
    return other(Value(value));
  }
  Result<Argument> operator()(EllipsisValue) const { return other(Value(EllipsisValue{})); }
  Result<Argument> operator()(Uninitialized) const { return other(Value(Uninitialized{})); }
  Result<Argument> operator()(const SliceValue& value) const { return other(Value(value)); }
  Result<Argument> operator()(const SuperValue& value) const { return other(Value(value)); }
};

}  // namespace

Result<Argument> Interpreter::to_argument(const Value& value) {
  return std::visit(ToArgument{*this}, value.value);
}

Value Interpreter::from_argument(const Argument& argument) {
  return std::visit(
      [&]<class T>(const T& value) -> Value {
        if constexpr (std::same_as<T, Argument::List>) {
          Values items;
          for (const Argument& each : value) items.push_back(from_argument(each));
          return make_list(std::move(items), branches_);
        } else {
          return Value(value);
        }
      },
      argument.value);
}

// --- ranks of inputs ---------------------------------------------------------------------------------------

void Interpreter::track_input(std::size_t input, ValueId value) {
  inputs_[value] = input;
  originals_[value] = input;
}

std::optional<std::size_t> Interpreter::input_of(const Value& value) {
  const auto* tensor = value.get<Tensor>();
  if (!tensor) return std::nullopt;
  const ValueId id = aten_.current(*tensor);
  const auto found = inputs_.find(id);
  if (found == inputs_.end() || builder().type(id).ranked) return std::nullopt;
  return found->second;
}

// What an input whose rank is unknown must be, when this operator gets it (or something computed from it
// element by element).
std::optional<InputNeed> Interpreter::need_for(std::string_view name, const Values& positional) {
  const std::string_view op = plain(name);
  for (std::size_t i = 0; i < positional.size(); ++i) {
    const auto* tensor = positional[i].get<Tensor>();
    if (!tensor) continue;
    const auto row = std::ranges::find_if(
        kRanks, [&](const RankRow& each) { return each.op == op && each.argument == i; });
    const ValueId id = aten_.current(*tensor);
    const auto tracked = inputs_.find(id);
    if (tracked == inputs_.end()) continue;
    const bool wants_integers = row != kRanks.end() && row->indices && is_floating(builder().dtype(id));
    if (builder().type(id).ranked && !wants_integers) continue;
    InputNeed need{tracked->second, ranks_of(kAnyRank), std::nullopt};
    if (wants_integers || (row != kRanks.end() && row->indices)) need.dtype = tensor::DType::kInt64;
    if (builder().type(id).ranked) {
      need.ranks = {-1};  // as it is
      return need;
    }
    if (row != kRanks.end()) {
      need.ranks = ranks_of(row->ranks);
    } else if (convolves(op) && i == 0 && positional.size() > 1 && positional[1].is<Tensor>()) {
      need.ranks = {builder().rank(aten_.current(*positional[1].get<Tensor>()))};
    } else if (op == "layer_norm" && positional.size() > 1 && sequence(positional[1])) {
      const int inner = static_cast<int>(sequence(positional[1])->size());
      need.ranks = {inner + 1, inner + 2, inner};
    } else if (op == "permute" && positional.size() > 1 && sequence(positional[1])) {
      need.ranks = {static_cast<int>(sequence(positional[1])->size())};
    } else if (elementwise(name)) {
      continue;
    }
    return need;
  }
  return std::nullopt;
}

// An axis (from the end when negative) of something that may be an input, or what came of one.
void Interpreter::learn(const Value& tensor, std::int64_t axis, std::int64_t length) {
  if (!tensor.is<Tensor>()) return;
  const ValueId x = aten_.current(*tensor.get<Tensor>());
  const int rank = builder().rank(x);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank || builder().dim(x, axis).is(length)) return;
  if (inputs_.contains(x)) {
    graph::Dims dims;
    for (int i = 0; i < rank; ++i) dims.push_back(i == axis ? graph::Dim{length, 0} : builder().dim(x, i));
    builder().refine(x, dims);
  }
  if (const auto original = originals_.find(x); original != originals_.end()) {
    learned_.push_back({original->second, axis, length, false});
  } else if (const auto channels = channels_.find(x);
             channels != channels_.end() && axis == 1 && branches_ == 0) {
    const auto& [input, times, over] = channels->second;
    if (length * over % times == 0) learned_.push_back({input, 1, length * over / times, true});
  }
}

// Lengths of an input that the weights it meets say.
void Interpreter::refine_input(std::string_view name, const Values& positional) {
  const std::string_view op = plain(name);
  const auto weight_at = [&](std::size_t i) -> const tensor::Shape* {
    const auto* tensor = i < positional.size() ? positional[i].get<Tensor>() : nullptr;
    const tensor::Tensor* weight = tensor ? builder().constant(aten_.current(*tensor)) : nullptr;
    return weight ? &weight->shape() : nullptr;
  };
  if (positional.empty() || !positional[0].is<Tensor>()) return;
  const Value& x = positional[0];
  if (op == "layer_norm" && positional.size() > 1 && sequence(positional[1])) {
    const Values& shape = *sequence(positional[1]);
    for (std::size_t i = 0; i < shape.size(); ++i) {
      const auto* length = shape[i].get<std::int64_t>();
      if (length) learn(x, static_cast<std::int64_t>(i) - static_cast<std::int64_t>(shape.size()), *length);
    }
  }
  if (op == "lstm" || op == "gru" || op == "rnn_tanh" || op == "rnn_relu") {
    const Values* weights = positional.size() > 2 ? sequence(positional[2]) : nullptr;
    const auto* first = weights && !weights->empty() ? weights->front().get<Tensor>() : nullptr;
    const tensor::Tensor* weight = first ? builder().constant(aten_.current(*first)) : nullptr;
    if (weight && weight->shape().size() == 2) learn(x, -1, weight->shape()[1]);
  }
  if (const tensor::Shape* weight = weight_at(2); weight && weight->size() == 2 && op.ends_with("_cell"))
    learn(x, -1, (*weight)[1]);
  if (const tensor::Shape* weight = weight_at(2); weight && weight->size() == 3 && op == "bilinear") {
    learn(x, -1, (*weight)[1]);
    learn(positional[1], -1, (*weight)[2]);
  }
  const std::size_t of_norm = op == "group_norm" ? 2 : op == "batch_norm" || op == "instance_norm" ? 1 : 0;
  const tensor::Shape* scale = of_norm > 0 ? weight_at(of_norm) : nullptr;
  if (of_norm == 1 && !scale) scale = weight_at(3);  // running_mean
  if (scale && scale->size() == 1) learn(x, 1, (*scale)[0]);
  const tensor::Shape* weight = weight_at(1);
  if (!weight) return;
  if (op == "linear" && weight->size() == 2) learn(x, -1, (*weight)[1]);
  const int rank = builder().rank(aten_.current(*x.get<Tensor>()));
  if (!convolves(op) || rank != static_cast<int>(weight->size()) || rank < 3) return;
  const bool mixed = op == "_convolution" || op == "convolution";
  const std::size_t at = mixed ? 8 : 6;
  const auto* groups = positional.size() > at ? positional[at].get<std::int64_t>() : nullptr;
  const bool* turned = mixed && positional.size() > 6 ? positional[6].get<bool>() : nullptr;
  const bool transposed = op.starts_with("conv_transpose") || (turned && *turned);
  if (positional.size() > at && !groups) return;
  learn(x, 1, transposed ? (*weight)[0] : (*weight)[1] * (groups ? *groups : 1));
}

// Operators of one tensor that keep axis 1, or take it apart by a known factor.
void Interpreter::follow_channels(std::string_view op, const Values& positional, ValueId made) {
  const ValueId x = aten_.current(*positional[0].get<Tensor>());
  Channels channels;
  if (const auto original = originals_.find(x); original != originals_.end()) {
    channels.input = original->second;
  } else if (const auto known = channels_.find(x); known != channels_.end()) {
    channels = known->second;
  } else {
    return;
  }
  const int rank = builder().rank(x);
  if (rank < 3 || builder().rank(made) != rank) return;
  const auto* factor = positional.size() > 1 ? positional[1].get<std::int64_t>() : nullptr;
  if (op == "pixel_shuffle" || op == "pixel_unshuffle") {
    if (!factor || *factor < 1 || *factor > 1024) return;
    std::int64_t& side = op == "pixel_shuffle" ? channels.over : channels.times;
    side *= *factor * *factor;
    if (side > 1 << 20) return;
  } else if (op == "pad" || op == "constant_pad_nd") {
    const Values* amounts = positional.size() > 1 ? sequence(positional[1]) : nullptr;
    if (!amounts || static_cast<int>(amounts->size()) > 2 * (rank - 2)) return;
  } else {
    const bool keeps = elementwise(op) || op == "channel_shuffle" || op == "batch_norm" ||
                       op == "instance_norm" || op.starts_with("upsample_") ||
                       op.find("_pool") != std::string_view::npos ||
                       op.find("_pad") != std::string_view::npos;
    const auto tensors =
        std::ranges::count_if(positional, [](const Value& each) { return each.is<Tensor>(); });
    if (!keeps || (elementwise(op) && tensors > 1)) return;
  }
  channels_.emplace(made, channels);
}

void Interpreter::follow_input(std::string_view name, const Values& positional,
                               const std::vector<Argument>& results) {
  if (results.size() != 1 || !results[0].get<Tensor>() || positional.empty()) return;
  const ValueId made = aten_.current(*results[0].get<Tensor>());
  if (positional[0].is<Tensor>()) follow_channels(plain(name), positional, made);
  if (const auto* whole = positional[0].get<Tensor>();
      whole && std::ranges::find(kRearranging, plain(name)) != kRearranging.end()) {
    const auto origin = inputs_.find(aten_.current(*whole));
    if (origin != inputs_.end() && builder().type(made).ranked) inputs_.emplace(made, origin->second);
    return;
  }
  if (!elementwise(name)) return;
  if (builder().type(made).ranked) return;
  for (const Value& each : positional) {
    if (const auto input = input_of(each)) {
      inputs_.emplace(made, *input);
      return;
    }
  }
}

Result<std::int64_t> Interpreter::rank(const Tensor& tensor) {
  const ValueId id = aten_.current(tensor);
  if (const int known = builder().rank(id); known >= 0) return known;
  if (const auto input = input_of(Value(tensor))) {
    need_ = InputNeed{*input, {4, 3, 2, 5, 1}, std::nullopt};
    return raised("the number of axes of an input is not known");
  }
  return refuse("the number of axes of this tensor is not known");
}

Result<Values> Interpreter::shape(const Tensor& tensor) {
  TRY_ASSIGN(const std::int64_t axes, rank(tensor));
  const ValueId id = aten_.current(tensor);
  Values lengths;
  for (std::int64_t i = 0; i < axes; ++i) {
    const graph::Dim dim = builder().dim(id, i);
    lengths.push_back(dim.known() ? Value(dim.number) : Value(Symbol{graph::dim_scalar(builder(), id, i)}));
  }
  return lengths;
}

// --- calls -------------------------------------------------------------------------------------------------

// Evaluation goes on with the first tensor in the place of the result, so that all that is missing is found
// at once; nothing comes of it.
Result<Value> Interpreter::missing_operator(std::string name, const Values& positional) {
  constexpr std::size_t kMost = 100;
  const auto known = std::ranges::find(missing_, name, &std::pair<std::string, std::string>::first);
  if (known == missing_.end()) {
    if (missing_.size() >= kMost) return refuse("too many operators are not supported");
    std::string place = where();
    if (frame_ && frame_->source)
      place += base::cat(", in `", frame_->source->module.line(at_).substr(0, 120), "`");
    missing_.emplace_back(std::move(name), std::move(place));
  }
  for (const Value& each : positional) {
    if (each.is<Tensor>()) return each;
    const Values* items = sequence(each);
    if (items && !items->empty() && items->front().is<Tensor>()) return items->front();
  }
  return Value();
}

Result<Value> Interpreter::call_aten(std::string_view name, Values positional, NamedValues keywords) {
  if (!Aten::knows(name, "")) return missing_operator(std::string(name), positional);
  if (auto need = need_for(name, positional)) {
    need_ = std::move(need);
    return raised("the number of axes of an input is not known");
  }
  refine_input(name, positional);
  std::vector<Argument> arguments;
  for (const Value& each : positional) {
    TRY_ASSIGN(Argument argument, to_argument(each));
    arguments.push_back(std::move(argument));
  }
  std::vector<NamedArgument> named;
  for (const auto& [key, each] : keywords) {
    TRY_ASSIGN(Argument argument, to_argument(each));
    named.push_back({key, std::move(argument)});
  }
  if (frame_ && frame_->source) builder().source(where());
  auto results = aten_.call(name, "", std::move(arguments), std::move(named));
  if (!results) return base::with_context(results.error(), base::cat("in ", where()));
  follow_input(name, positional, *results);
  if (results->empty()) return Value();
  if (results->size() == 1) {
    if (const auto* symbol = results->front().get<Symbol>()) return number(symbol->value);
    return from_argument(results->front());
  }
  Values items;
  for (const Argument& each : *results) items.push_back(from_argument(each));
  return make_tuple(std::move(items));
}

Result<Value> Interpreter::tensor_attribute(const Tensor& tensor, std::string_view name) {
  const ValueId id = aten_.current(tensor);
  if (name == "shape") {
    TRY_ASSIGN(Values lengths, shape(tensor));
    return make_tuple(std::move(lengths));
  }
  if (name == "ndim") {
    TRY_ASSIGN(const std::int64_t axes, rank(tensor));
    return Value(axes);
  }
  if (name == "dtype") return Value(builder().dtype(id));
  if (name == "device") return Value(Device{"cpu"});
  if (name == "layout") return Value(Layout{0});
  if (name == "data") return Value(tensor);
  if (name == "T" || name == "mT") {
    TRY_ASSIGN(const std::int64_t axes, rank(tensor));
    if (axes < 2) return Value(tensor);
    Values perm;
    for (std::int64_t i = 0; i < axes; ++i)
      perm.emplace_back(name == "T" ? axes - 1 - i : i < axes - 2 ? i : 2 * axes - 3 - i);
    return call_aten("aten::permute", {Value(tensor), make_list(std::move(perm))}, {});
  }
  static constexpr std::string_view kFalse[] = {"is_cuda",   "requires_grad", "is_sparse", "is_quantized",
                                                "is_mps",    "is_meta",       "is_nested", "is_complex_",
                                                "is_mkldnn", "is_xla"};
  if (std::ranges::find(kFalse, name) != std::end(kFalse)) return Value(false);
  if (name == "is_leaf") return Value(true);
  if (name == "grad_fn" || name == "grad") return Value();
  auto method = std::make_shared<NativeMethod>();
  method->name = std::string(name);
  method->call = [tensor, path = base::cat("Tensor.", name)](Interpreter& in, Values positional,
                                                             NamedValues keywords) {
    positional.insert(positional.begin(), Value(tensor));
    return in.call_named(Named{path}, std::move(positional), std::move(keywords));
  };
  return Value(NativeRef(method));
}

// --- parts -------------------------------------------------------------------------------------------------

namespace {

// x[index]: what is left after everything but tensors of indices, and those by axis (None: none).
struct Indexed {
  Value part;
  Values tensors;
  bool any = false;
};

struct Indexer {
  Interpreter& in;

  Result<Value> as_tensor(const Value& item) const {
    if (item.is<Tensor>()) return item;
    return in.call_named(Named{"torch.tensor"}, {item}, {});
  }

  // Axes of x that an item takes up.
  Result<std::int64_t> axes_of(const Value& item) const {
    if (item.is_none() || item.is<EllipsisValue>() || item.is<bool>()) return 0;
    if (const auto* tensor = item.get<Tensor>()) {
      if (in.builder().dtype(in.aten().current(*tensor)) == tensor::DType::kBool) return in.rank(*tensor);
    }
    return 1;
  }

  Result<Indexed> walk(const Value& whole, const Values& items) const {
    Indexed made{whole, {}, false};
    std::int64_t axis = 0;
    std::int64_t taken = 0;
    for (const Value& item : items) {
      TRY_ASSIGN(const std::int64_t axes, axes_of(item));
      taken += axes;
    }
    for (const Value& item : items) {
      if (item.is<EllipsisValue>()) {
        TRY_ASSIGN(const std::int64_t rank, in.rank(*whole.get<Tensor>()));
        for (std::int64_t i = taken; i < rank; ++i) {
          made.tensors.emplace_back();
          ++axis;
        }
      } else if (item.is_none()) {
        TRY_ASSIGN(made.part, in.call_aten("aten::unsqueeze", {made.part, Value(axis)}, {}));
        made.tensors.emplace_back();
        ++axis;
      } else if (const auto* slice = item.get<SliceValue>()) {
        const Values& parts = *slice->parts;
        if (!parts[0].is_none() || !parts[1].is_none() || !parts[2].is_none()) {
          const Value step = parts[2].is_none() ? Value(std::int64_t{1}) : parts[2];
          TRY_ASSIGN(made.part,
                     in.call_aten("aten::slice", {made.part, Value(axis), parts[0], parts[1], step}, {}));
        }
        made.tensors.emplace_back();
        ++axis;
      } else if (item.is<std::int64_t>() || item.is<Symbol>()) {
        TRY_ASSIGN(made.part, in.call_aten("aten::select", {made.part, Value(axis), item}, {}));
      } else if (item.is<Tensor>() || sequence(item) || item.is<RangeValue>()) {
        TRY_ASSIGN(Value tensor, as_tensor(item));
        TRY_ASSIGN(const std::int64_t axes, axes_of(tensor));
        made.tensors.push_back(std::move(tensor));
        made.any = true;
        axis += axes;
      } else {
        return in.refuse(base::cat("a tensor is indexed with ", describe(item)));
      }
    }
    while (!made.tensors.empty() && made.tensors.back().is_none()) made.tensors.pop_back();
    return made;
  }

  static Values items_of(const Value& index) {
    if (const auto* tuple = index.get<Tuple>()) return (*tuple)->items;
    return {index};
  }
};

}  // namespace

Result<Value> Interpreter::tensor_index(const Tensor& tensor, const Value& index) {
  const Indexer indexer{*this};
  TRY_ASSIGN(const Indexed found, indexer.walk(Value(tensor), Indexer::items_of(index)));
  if (!found.any) return found.part;
  return call_aten("aten::index", {found.part, make_list(found.tensors)}, {});
}

base::Status Interpreter::set_tensor_part(const Tensor& tensor, const Value& index, Value value) {
  const Indexer indexer{*this};
  TRY_ASSIGN(const Indexed found, indexer.walk(Value(tensor), Indexer::items_of(index)));
  if (found.any) {
    if (!value.is<Tensor>()) {
      TRY_ASSIGN(const ValueId number, scalar(value, builder().dtype(aten_.current(tensor))));
      value = Value(aten_.tensor(number));
    }
    TRY(call_aten("aten::index_put_", {found.part, make_list(found.tensors), value}, {}));
    return {};
  }
  TRY(call_aten(value.is<Tensor>() ? "aten::copy_" : "aten::fill_", {found.part, value}, {}));
  return {};
}

}  // namespace wherry::torch
