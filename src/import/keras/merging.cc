// Layers of several inputs (keras/src/layers/merging).
#include <algorithm>

#include "base/text.h"
#include "import/keras/lowering.h"

namespace wherry::keras {

using base::cat;

namespace {

std::vector<Value> inputs_of(Lowering& l, const Layer& layer, const Call& call) {
  std::vector<Value> inputs = tensors_of(call.arg(0, "inputs"));
  for (const Value& more : call.args)
    if (&more != &call.args.front())
      for (const Value& tensor : tensors_of(more)) inputs.push_back(tensor);
  if (inputs.empty()) l.bad(layer, "is called without tensors");
  for (Value& input : inputs)
    if (layer.class_name != "Concatenate") input.tensor = l.floating(input.tensor);
  return inputs;
}

// Tensors of fewer axes get them behind the batch.
void equalise_ranks(Lowering& l, std::vector<Value>& inputs) {
  int most = 0;
  for (const Value& input : inputs) most = std::max(most, l.b.rank(input.tensor));
  for (Value& input : inputs) {
    Ints axes;
    for (int axis = l.b.rank(input.tensor); axis < most; ++axis)
      axes.push_back(static_cast<std::int64_t>(axes.size()) + 1);
    if (!axes.empty()) input.tensor = graph::unsqueeze(l.b, input.tensor, axes);
  }
}

struct MergeRow {
  std::string_view class_name, op;
};
constexpr MergeRow kOps[] = {{"Add", "Add"},     {"Subtract", "Sub"}, {"Multiply", "Mul"},
                             {"Average", "Add"}, {"Maximum", "Max"},  {"Minimum", "Min"}};

// In Keras 3, Add, Multiply, Average, Maximum and Minimum leave masked steps of one input out (base_merge.py
// _apply_merge_op_and_or_mask and the classes' own).
bool any_mask(const std::vector<Value>& inputs) {
  return std::ranges::any_of(inputs, [](const Value& input) { return input.mask != kNone; });
}

Value merge(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  std::vector<Value> inputs = inputs_of(l, layer, call);
  if (inputs.empty()) return {};
  equalise_ranks(l, inputs);
  const std::string_view op =
      std::ranges::find(kOps, std::string_view(layer.class_name), &MergeRow::class_name)->op;
  const bool first =
      std::ranges::all_of(inputs, [&](const Value& input) { return l.has_first(input.tensor); });
  ValueId y = kNone, mask = inputs[0].mask;
  for (const Value& input : inputs) {
    const ValueId x = first ? l.first(input.tensor) : input.tensor;
    y = y == kNone ? x : graph::binary(b, op, y, x);
  }
  if (layer.class_name == "Average") y = graph::binary(b, "Div", y, static_cast<double>(inputs.size()));
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    const ValueId other = inputs[i].mask;
    const bool both = mask != kNone && other != kNone;
    if (l.keras < 3)  // all of those there are
      mask = both ? graph::binary(b, "And", mask, other) : std::max(mask, other);
    else  // any, if all have one
      mask = both ? graph::binary(b, "Or", mask, other) : kNone;
  }
  return Value::of(first ? l.last(y) : y, mask);
}

Value merge_masked(Lowering& l, const Layer& layer, const Call& call);

Value concatenate(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const std::vector<Value> inputs = inputs_of(l, layer, call);
  if (inputs.empty()) return {};
  const bool floats =
      std::ranges::any_of(inputs, [&](const Value& input) { return is_float(b.dtype(input.tensor)); });
  std::vector<ValueId> values;
  for (const Value& input : inputs) values.push_back(floats ? l.floating(input.tensor) : input.tensor);
  const int rank = b.rank(values[0]);
  const std::int64_t axis = l.axis(values[0], l.integer(layer, "axis", -1));
  const bool first =
      axis == rank - 1 && rank > 2 && std::ranges::all_of(values, [&](ValueId x) { return l.has_first(x); });
  ValueId y;
  if (first) {
    for (ValueId& x : values) x = l.first(x);
    y = l.last(graph::concat(b, values, 1));
  } else {
    y = graph::concat(b, values, axis);
  }
  if (!any_mask(inputs)) return Value::of(y);
  // Masks get the axes of their inputs, and are concatenated like them.
  std::vector<ValueId> masks;
  for (const Value& input : inputs) {
    const ValueId shape = graph::shape_of(b, input.tensor);
    if (input.mask == kNone)
      masks.push_back(graph::expand(b, graph::bool_scalar(b, true), shape));
    else if (b.rank(input.mask) < b.rank(input.tensor))
      masks.push_back(graph::expand(b, graph::unsqueeze(b, input.mask, {-1}), shape));
    else
      masks.push_back(input.mask);
  }
  const ValueId together = graph::cast(b, graph::concat(b, masks, axis), DType::kInt32);
  const bool all = l.keras < 3;
  return Value::of(y, graph::cast(b, graph::reduce(b, all ? "ReduceMin" : "ReduceMax", together, {-1}, false),
                                  DType::kBool));
}

ValueId normalised(Lowering& l, ValueId x, std::int64_t axis) {
  Builder& b = l.b;
  const ValueId squares = graph::reduce(b, "ReduceSum", graph::binary(b, "Mul", x, x), {axis}, true);
  return graph::binary(
      b, "Div", x,
      graph::unary(b, "Sqrt", graph::clip(b, squares, 1e-12, std::numeric_limits<double>::infinity())));
}

// batch_dot: the axes named are contracted, all others of x before those of y.
Value dot(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const std::vector<Value> inputs = inputs_of(l, layer, call);
  if (inputs.size() != 2) {
    l.bad(layer, "is not called on two tensors");
    return {};
  }
  ValueId x = inputs[0].tensor, y = inputs[1].tensor;
  const Ints axes = l.spread(layer, "axes", 2, -1);
  const std::int64_t x_axis = l.axis(x, axes[0]), y_axis = l.axis(y, axes[1]);
  if (l.flag(layer, "normalize", false)) {
    x = normalised(l, x, x_axis);
    y = normalised(l, y, y_axis);
  }
  const int x_rank = b.rank(x), y_rank = b.rank(y);
  if (x_axis == 0 || y_axis == 0 || x_rank + y_rank > 20) {
    l.refuse(layer, "the batch axis");
    return {};
  }
  std::string x_letters(1, 'a'), y_letters(1, 'a'), out(1, 'a');
  char next = 'c';
  for (int axis = 1; axis < x_rank; ++axis) {
    x_letters += axis == x_axis ? 'b' : next;
    if (axis != x_axis) out += next++;
  }
  for (int axis = 1; axis < y_rank; ++axis) {
    y_letters += axis == y_axis ? 'b' : next;
    if (axis != y_axis) out += next++;
  }
  ValueId z = b.add("Einsum", {x, y}, {{"equation", cat(x_letters, ",", y_letters, "->", out)}});
  if (out.size() == 1) z = graph::unsqueeze(b, z, {1});
  return Value::of(z);
}

constexpr LayerRow kRows[] = {
    {"Add", merge_masked, Mask::kOwn},        {"Subtract", merge_masked, Mask::kOwn},
    {"Multiply", merge_masked, Mask::kOwn},   {"Average", merge_masked, Mask::kOwn},
    {"Maximum", merge_masked, Mask::kOwn},    {"Minimum", merge_masked, Mask::kOwn},
    {"Concatenate", concatenate, Mask::kOwn}, {"Dot", dot, Mask::kOwn},
};

ValueId wide_mask(Lowering& l, const Value& input) {
  Builder& b = l.b;
  ValueId mask = input.mask;
  while (b.rank(mask) < b.rank(input.tensor)) mask = graph::unsqueeze(b, mask, {-1});
  return graph::expand(b, mask, graph::shape_of(b, input.tensor));
}

// Masked steps count as 1, and where all inputs are masked the product is 0.
Value multiply_masked(Lowering& l, const std::vector<Value>& inputs) {
  Builder& b = l.b;
  const bool all = std::ranges::all_of(inputs, [](const Value& input) { return input.mask != kNone; });
  ValueId output = kNone, output_mask = kNone;
  for (const Value& input : inputs) {
    ValueId x = input.tensor;
    if (input.mask != kNone) {
      const ValueId mask = wide_mask(l, input);
      x = graph::where(b, mask, x, graph::scalar_like(b, x, 1));
      if (all) output_mask = output_mask == kNone ? mask : graph::binary(b, "Or", output_mask, mask);
    }
    output = output == kNone ? x : graph::binary(b, "Mul", output, x);
  }
  if (!all) return Value::of(output);
  output = graph::where(b, output_mask, output, graph::scalar_like(b, output, 0));
  const ValueId any = graph::reduce(b, "ReduceMax", graph::cast(b, output_mask, DType::kInt32), {-1}, false);
  return Value::of(output, graph::cast(b, any, DType::kBool));
}

Value merge_masked(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const std::vector<Value> inputs = inputs_of(l, layer, call);
  const bool keeps = layer.class_name == "Maximum" || layer.class_name == "Minimum";
  if (l.keras >= 3 && layer.class_name == "Multiply" && any_mask(inputs)) return multiply_masked(l, inputs);
  if (l.keras < 3 || !keeps || !any_mask(inputs)) return merge(l, layer, call);
  ValueId output = inputs[0].tensor, output_mask = kNone;
  if (inputs[0].mask != kNone) output_mask = wide_mask(l, inputs[0]);
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    ValueId x = inputs[i].tensor;
    const ValueId mask = inputs[i].mask == kNone ? kNone : wide_mask(l, inputs[i]);
    if (mask != kNone) x = graph::where(b, mask, x, output);
    if (output_mask != kNone) output = graph::where(b, output_mask, output, x);
    output_mask = mask != kNone && output_mask != kNone ? graph::binary(b, "Or", output_mask, mask) : kNone;
    output = graph::binary(b, layer.class_name == "Maximum" ? "Max" : "Min", output, x);
  }
  if (output_mask == kNone) return Value::of(output);
  const ValueId any = graph::reduce(b, "ReduceMax", graph::cast(b, output_mask, DType::kInt32), {-1}, false);
  return Value::of(output, graph::cast(b, any, DType::kBool));
}

}  // namespace

std::span<const LayerRow> merging_layers() {
  return kRows;
}

}  // namespace wherry::keras
