// Layers and functions called, in the dtype their policy says (keras/src/dtype_policies, layers/layer.py).
#include <algorithm>

#include "base/text.h"
#include "import/keras/lowering.h"
#include "tensor/half.h"

namespace wherry::keras {

using base::cat;
using base::Code;

namespace {

bool is_short(DType dtype) {
  return dtype == DType::kFloat16 || dtype == DType::kBfloat16;
}

// The mask that goes on: the one given, or that of the first argument.
ValueId previous_mask(const Call& call) {
  const Value& given = call.arg(99, "mask");
  if (given.is_tensor()) return given.tensor;
  const auto first = call.args.empty() ? std::vector<Value>() : tensors_of(call.args.front());
  return first.empty() ? graph::kNone : first.front().mask;
}

struct PolicyRow {
  std::string_view name;
  DType compute;
};
constexpr PolicyRow kPolicies[] = {
    {"float32", DType::kFloat32},       {"float64", DType::kFloat64},   {"float16", DType::kFloat16},
    {"mixed_float16", DType::kFloat16}, {"bfloat16", DType::kBfloat16}, {"mixed_bfloat16", DType::kBfloat16},
    {"int32", DType::kFloat32},         {"int64", DType::kFloat32},     {"string", DType::kFloat32},
    {"uint8", DType::kFloat32},         {"bool", DType::kFloat32},
};

// Layers which see their inputs or their variables as they are (autocast=False).
struct ExemptRow {
  std::string_view class_name;
  bool casts_inputs, casts_weights;
};
constexpr ExemptRow kExempt[] = {
    {"BatchNormalization", true, false},
    {"SyncBatchNormalization", true, false},
    {"LayerNormalization", false, false},
    {"GroupNormalization", false, false},
};

std::span<const std::uint16_t> short_floats(const tensor::Tensor& tensor) {
  return {reinterpret_cast<const std::uint16_t*>(tensor.bytes().data()), tensor.size()};
}

// Elements of any float dtype, each by way of `map`.
template <class To, class Map>
tensor::Tensor mapped(const tensor::Tensor& from, Map map) {
  std::vector<To> out;
  out.reserve(from.size());
  const auto add = [&](const auto elements, auto widen) {
    for (const auto element : elements) out.push_back(static_cast<To>(map(widen(element))));
  };
  const auto same = [](auto number) { return static_cast<double>(number); };
  switch (from.dtype()) {
    case DType::kFloat64:
      add(from.as<double>(), same);
      break;
    case DType::kFloat32:
      add(from.as<float>(), same);
      break;
    case DType::kFloat16:
      add(short_floats(from), tensor::half_to_double);
      break;
    default:
      add(short_floats(from), tensor::bfloat_to_double);
  }
  return tensor::Tensor::of<To>(from.shape(), std::move(out));
}

double rounded_to(DType dtype, double number) {
  if (dtype == DType::kFloat16) return tensor::half_to_double(tensor::double_to_half(number));
  if (dtype == DType::kBfloat16) return tensor::bfloat_to_double(tensor::double_to_bfloat(number));
  return number;
}

void visit(Value& value, auto&& function) {
  if (value.is_tensor()) function(value.tensor);
  for (Value& item : value.items) visit(item, function);
}

}  // namespace

std::optional<Lowering::Policy> Lowering::policy_for(const Layer& layer) {
  const std::string name = policy_of(layer);
  const auto row = std::ranges::find(kPolicies, std::string_view(name), &PolicyRow::name);
  if (row == std::end(kPolicies)) {
    refuse(layer, cat("computing in ", base::quoted(name)));
    return std::nullopt;
  }
  Policy policy{row->compute};
  const auto exempt = std::ranges::find(kExempt, std::string_view(layer.class_name), &ExemptRow::class_name);
  if (exempt != std::end(kExempt)) {
    policy.casts_inputs = exempt->casts_inputs;
    policy.casts_weights = exempt->casts_weights;
  }
  return policy;
}

ValueId Lowering::cast(ValueId x, DType dtype) {
  if (b.dtype(x) == dtype) return x;
  return elementwise(x, [&](ValueId y) { return graph::cast(b, y, dtype); });
}

ValueId Lowering::floating(ValueId x) {
  const DType now = b.dtype(x);
  return now == DType::kFloat32 || now == DType::kFloat64 ? x : cast(x, dtype());
}

ValueId Lowering::rounded(ValueId x) {
  return is_short(policy_.compute) ? cast(cast(x, policy_.compute), dtype()) : x;
}

tensor::Tensor Lowering::converted(const tensor::Tensor& weight) const {
  const DType to = policy_.casts_weights ? policy_.compute : DType::kFloat32;
  const auto map = [to](double number) { return rounded_to(to, number); };
  return dtype() == DType::kFloat64 ? mapped<double>(weight, map) : mapped<float>(weight, map);
}

ValueId Lowering::weight(const Layer& layer, std::size_t index) {
  if (index < layer.weights.size()) {
    const tensor::Tensor& weight = layer.weights[index];
    const bool as_it_is = weight.dtype() == dtype() && !(is_short(policy_.compute) && policy_.casts_weights);
    if (as_it_is || !is_float(weight.dtype())) return b.constant(weight);
    const auto key =
        std::pair(static_cast<const void*>(&weight), policy_.casts_weights ? policy_.compute : dtype());
    const auto found = weights_.find(key);
    if (found != weights_.end()) return found->second;
    const ValueId made = b.constant(converted(weight));
    weights_.emplace(key, made);
    return made;
  }
  b.fail({Code::kInvalidInput,
          "keras.bad_weights",
          cat("layer ", base::quoted(layer.name), " (", layer.class_name, ") has no weight ", index,
              " in the file"),
          "save the model again",
          {}});
  return b.constant(tensor::Tensor::of<float>({1}, {0}));
}

void Lowering::enter(Value& value) {
  visit(value, [&](ValueId& x) {
    if (!is_float(b.dtype(x))) return;
    const bool rounds = is_short(policy_.compute) && policy_.casts_inputs && b.dtype(x) != policy_.compute;
    if (rounds) x = cast(x, policy_.compute);
    x = cast(x, dtype());
  });
}

void Lowering::leave(Value& value) {
  if (!is_short(policy_.compute)) return;
  visit(value, [&](ValueId& x) {
    if (b.dtype(x) == DType::kFloat32) x = cast(x, policy_.compute);
  });
}

Value Lowering::lower_layer(const Layer& layer, const LayerRow& row, Call& call) {
  const auto policy = policy_for(layer);
  if (!policy) return {};
  const Policy before = std::exchange(policy_, *policy);
  for (Value& arg : call.args) enter(arg);
  for (auto& [name, value] : call.kwargs) enter(value);
  Value result = row.lower(*this, layer, call);
  leave(result);
  policy_ = before;
  return result;
}

// Functions have no policy: they compute in the widest dtype of their operands.
Value Lowering::lower_operation(const Layer& layer, const LayerRow& row, Call& call) {
  std::optional<DType> widest;
  const auto each = [&](auto&& function) {
    for (Value& arg : call.args) visit(arg, function);
    for (auto& [name, value] : call.kwargs) visit(value, function);
  };
  each([&](ValueId& x) {
    const DType dtype = b.dtype(x);
    if (is_float(dtype)) widest = widest ? wider(*widest, dtype) : dtype;
  });
  each([&](ValueId& x) {
    if (is_short(b.dtype(x))) x = cast(x, DType::kFloat32);
  });
  Value result = row.lower(*this, layer, call);
  const bool states_dtype = row.class_name == "Cast" || row.class_name == "cast";
  if (!widest || !is_short(*widest) || states_dtype) return result;
  visit(result, [&](ValueId& x) {
    if (b.dtype(x) == DType::kFloat32) x = cast(x, *widest);
  });
  return result;
}

Value Lowering::call(const Layer& layer, Call call) {
  if (!b.status()) return {};
  if (calls_left_ == 0) {
    b.fail({Code::kLimit, "keras.limit", "the model calls its layers more often than the limit", "", {}});
    return {};
  }
  --calls_left_;
  if (layer.is_model()) {
    Value result = call_model(*this, layer, call);
    if (const auto tensors = tensors_of(result); !tensors.empty())
      results_.insert_or_assign(layer.name, tensors.front().tensor);
    return result;
  }
  b.source(cat(layer.class_name, " ", layer.name));
  const auto row = find_row(layer);
  if (!row) {
    refuse(layer, "an unknown class");
    return {};
  }
  const bool is_function =
      layer.is_operation() || layer.class_name == "TFOpLambda" || layer.class_name == "SlicingOpLambda";
  Value result = is_function ? lower_operation(layer, *row, call) : lower_layer(layer, *row, call);
  if (row->mask == Mask::kPass && result.is_tensor() && result.mask == graph::kNone)
    result.mask = previous_mask(call);
  if (const auto tensors = tensors_of(result); !tensors.empty())
    results_.insert_or_assign(layer.name, tensors.front().tensor);
  return result;
}

}  // namespace wherry::keras
