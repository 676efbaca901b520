// What the operators that inputs meet say of their ranks, dtypes and lengths.
#include <algorithm>
#include <array>

#include "import/torch/scalar_type.h"
#include "import/torch/script_interpreter.h"

namespace wherry::torch {
namespace {

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

}  // namespace

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

}  // namespace wherry::torch
