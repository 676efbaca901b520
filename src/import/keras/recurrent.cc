// Recurrent layers (keras/src/layers/rnn, keras/src/backend/tensorflow/rnn.py). Where ONNX's LSTM, GRU and
// RNN compute the same, they are used; masks, stacked cells and other activations are a Scan over the cell.
#include "import/keras/recurrent.h"

#include <algorithm>

#include "base/text.h"

namespace wherry::keras {

using base::cat;

namespace {

struct Run {
  ValueId outputs = kNone;  // [batch, time, …], in the order of the steps
  ValueId last = kNone;
  std::vector<ValueId> states;
};

// ONNX's names of the activations which its recurrent operators have as Keras does.
std::optional<std::string> onnx_activation(Lowering& l, const std::string& name, std::vector<float>& alpha,
                                           std::vector<float>& beta) {
  if (name == "tanh") return "Tanh";
  if (name == "sigmoid") return "Sigmoid";
  if (name == "relu") return "Relu";
  if (name == "hard_sigmoid") {
    alpha.push_back(l.keras < 3 ? 0.2F : 1.0F / 6.0F);
    beta.push_back(0.5F);
    return "HardSigmoid";
  }
  return std::nullopt;
}

struct Fused {
  std::string op;
  std::vector<std::string> activations;
  std::vector<float> alpha, beta;
  std::vector<std::size_t> order;  // which of Keras's gates comes first, second, …
};

std::optional<Fused> fused_form(Lowering& l, const Layer& cell) {
  Fused form;
  const bool is_lstm = cell.class_name == "LSTMCell", is_gru = cell.class_name == "GRUCell";
  if (!is_lstm && !is_gru && cell.class_name != "SimpleRNNCell") return std::nullopt;
  form.op = is_lstm ? "LSTM" : is_gru ? "GRU" : "RNN";
  form.order = is_lstm  ? std::vector<std::size_t>{0, 3, 1, 2}
               : is_gru ? std::vector<std::size_t>{0, 1, 2}
                        : std::vector<std::size_t>{0};
  std::vector<std::string> names;
  if (form.op != "RNN")
    names.push_back(activation_name(cell, "recurrent_activation", l.keras < 3 ? "hard_sigmoid" : "sigmoid"));
  names.push_back(activation_name(cell, "activation", "tanh"));
  if (is_lstm) names.push_back(names.back());
  for (const std::string& name : names) {
    auto known = onnx_activation(l, name, form.alpha, form.beta);
    if (!known) return std::nullopt;
    form.activations.push_back(*std::move(known));
  }
  return form;
}

// [in, gates · units] as ONNX has it: [1, gates · units, in], gates in its order.
ValueId reorder(Lowering& l, ValueId kernel, const std::vector<std::size_t>& order) {
  Builder& b = l.b;
  const ValueId turned = b.rank(kernel) == 2 ? graph::transpose(b, kernel, {1, 0}) : kernel;
  const graph::Dim width = b.dim(turned, 0);
  const auto count = static_cast<std::int64_t>(order.size());
  if (!width.known() || width.number % count != 0) {
    b.fail("the weights of a recurrent layer are not of as many gates as it has");
    return turned;
  }
  const auto parts = graph::split(b, turned, Ints(order.size(), width.number / count), 0);
  std::vector<ValueId> sorted;
  for (const std::size_t gate : order) sorted.push_back(parts[gate]);
  return graph::unsqueeze(b, graph::concat(b, sorted, 0), {0});
}

ValueId fused_bias(Lowering& l, const Layer& cell, const Fused& form) {
  Builder& b = l.b;
  if (!l.flag(cell, "use_bias", true)) return kNone;
  const ValueId bias = l.weight(cell, 2);
  ValueId of_x = bias, of_h = kNone;
  if (b.rank(bias) == 2) {
    of_x = graph::select(b, bias, 0, 0);
    of_h = graph::select(b, bias, 0, 1);
  }
  of_x = reorder(l, of_x, form.order);
  of_h =
      of_h == kNone ? graph::full(b, l.dtype(), {1, b.dim(of_x, 1).number}, 0) : reorder(l, of_h, form.order);
  return graph::concat(b, {of_x, of_h}, 1);
}

Run run_fused(Lowering& l, const Layer& cell, const Fused& form, ValueId x,
              const std::vector<ValueId>& initial, bool reverse) {
  Builder& b = l.b;
  const ValueId recurrent = l.weight(cell, 1);
  if (b.rank(recurrent) != 2 || b.rank(x) != 3) {
    l.bad(cell, "has weights or an input of another number of axes");
    return {};
  }
  std::vector<ValueId> inputs{graph::transpose(b, x, {1, 0, 2}), reorder(l, l.weight(cell, 0), form.order),
                              reorder(l, recurrent, form.order), fused_bias(l, cell, form)};
  if (!initial.empty()) {
    inputs.push_back(kNone);
    for (const ValueId state : initial) inputs.push_back(graph::unsqueeze(b, state, {0}));
  }
  graph::Attributes attributes{{"hidden_size", b.dim(recurrent, 0).number},
                               {"direction", reverse ? "reverse" : "forward"},
                               {"activations", form.activations}};
  if (!form.alpha.empty()) {
    attributes.push_back({"activation_alpha", form.alpha});
    attributes.push_back({"activation_beta", form.beta});
  }
  if (form.op == "GRU")
    attributes.push_back({"linear_before_reset", std::int64_t{l.flag(cell, "reset_after", true) ? 1 : 0}});
  const bool is_lstm = form.op == "LSTM";
  const auto made = b.add_many(form.op, inputs, is_lstm ? 3 : 2, attributes);
  Run run;
  run.outputs = graph::transpose(b, graph::squeeze(b, made[0], {1}), {1, 0, 2});
  run.last = graph::squeeze(b, made[1], {0});
  run.states.push_back(run.last);
  if (is_lstm) run.states.push_back(graph::squeeze(b, made[2], {0}));
  return run;
}

struct ScanOptions {
  bool backwards = false;
  bool zero_masked = false;  // masked steps give zeros, not the output before
  bool spatial = false;      // of ConvLSTM
};

graph::Type step_type(Builder& b, ValueId scanned) {
  graph::Type type = b.type(scanned);
  if (type.ranked && !type.dims.empty()) type.dims.erase(type.dims.begin());
  return type;
}

// `x` is [time, batch, …] here.
Run run_scan(Lowering& l, const Layer& cell, ValueId x, ValueId mask, std::vector<ValueId> states,
             const ScanOptions& options) {
  Builder& b = l.b;
  const ValueId first_step = graph::select(b, x, 0, 0);
  if (states.empty()) states = zero_states(l, cell, first_step);
  const std::size_t count = states.size();
  if (count != state_count(cell) || count == 0) {
    l.bad(cell, "is given another number of states than it has");
    return {};
  }
  std::vector<ValueId> inputs = states, scanned{x};
  if (mask != kNone) {
    // The output before the first step is zeros of the output's shape, which is that of a state of the last
    // cell.
    const bool stacked = cell.class_name == "StackedRNNCells";
    const std::size_t at = stacked && !cell.parts.empty() ? count - state_count(cell.parts.back()) : 0;
    inputs.push_back(graph::full(b, l.dtype(), graph::shape_of(b, states[at]), 0));
    scanned.push_back(graph::transpose(b, mask, {1, 0}));
  }
  inputs.insert(inputs.end(), scanned.begin(), scanned.end());
  b.begin_block();
  std::vector<ValueId> held;
  for (std::size_t i = 0; i < count; ++i) held.push_back(b.block_input(b.type(states[i])));
  const ValueId previous = mask == kNone ? kNone : b.block_input(b.type(inputs[count]));
  const ValueId now = b.block_input(step_type(b, x));
  const ValueId now_mask = mask == kNone ? kNone : b.block_input(step_type(b, scanned[1]));
  Step step = cell_step(l, cell, now, held);
  if (mask != kNone && step.states.size() == count) {
    const auto keep = [&](ValueId fresh, ValueId old) {
      Ints axes;
      for (int axis = 1; axis < b.rank(fresh); ++axis) axes.push_back(axis);
      return graph::where(b, graph::unsqueeze(b, now_mask, axes), fresh, old);
    };
    for (std::size_t i = 0; i < count; ++i) step.states[i] = keep(step.states[i], held[i]);
    step.output = keep(step.output, options.zero_masked ? graph::scalar_like(b, step.output, 0) : previous);
  }
  // Outputs of a body must be values of its own, each once.
  std::vector<ValueId> results = step.states;
  if (mask != kNone) results.push_back(step.output);
  results.push_back(step.output);
  for (std::size_t i = 0; i < results.size(); ++i) results[i] = b.add("Identity", {results[i]});
  const auto body = b.end_block(results);
  graph::Attributes attributes{{"body", body},
                               {"num_scan_inputs", static_cast<std::int64_t>(scanned.size())}};
  if (options.backwards) attributes.push_back({"scan_input_directions", Ints(scanned.size(), 1)});
  const auto made = b.add_many("Scan", inputs, results.size(), attributes);
  Run run;
  run.outputs = made.back();
  run.states.assign(made.begin(), made.begin() + static_cast<std::ptrdiff_t>(count));
  run.last = mask != kNone ? made[count] : graph::select(b, made.back(), 0, -1);
  return run;
}

Ints swap_first_two(int rank) {
  Ints perm;
  for (int axis = 0; axis < rank; ++axis) perm.push_back(axis);
  std::swap(perm[0], perm[1]);
  return perm;
}

ValueId flip_time(Lowering& l, ValueId x) {
  return graph::slice(l.b, x, 1, -1, std::numeric_limits<std::int64_t>::min() + 1, -1);
}

const Layer* cell_of(Lowering& l, const Layer& layer) {
  const Layer* cell = layer.part("cell");
  if (cell == nullptr) l.bad(layer, "has no cell");
  return cell;
}

// The steps of a layer. `aligned`: what goes backwards is turned round again, as Bidirectional wants it.
Run run_layer(Lowering& l, const Layer& layer, const Value& input, ValueId mask,
              const std::vector<ValueId>& initial, bool aligned) {
  Builder& b = l.b;
  const Layer* cell = cell_of(l, layer);
  if (cell == nullptr) return {};
  if (l.flag(layer, "time_major", false)) l.refuse(layer, "time_major=True");
  if (l.flag(layer, "stateful", false))
    l.refuse(
        layer,
        "stateful=True: its answers depend on the requests before, which a service does not keep. Make "
        "the same model with stateful=False, give it the weights (new.set_weights(old.get_weights())) "
        "and save that; to go on from a state, give it as initial_state and take it by return_state=True");
  const bool backwards = l.flag(layer, "go_backwards", false);
  const ValueId x = l.floating(input.tensor);
  const bool spatial = layer.class_name.starts_with("ConvLSTM");
  if (const auto form = fused_form(l, *cell);
      form && mask == kNone && !spatial && l.dtype() == DType::kFloat32) {
    Run run = run_fused(l, *cell, *form, x, initial, backwards);
    if (backwards && !aligned && run.outputs != kNone) run.outputs = flip_time(l, run.outputs);
    return run;
  }
  const int rank = b.rank(x);
  if (rank < 3) {
    l.bad(layer, "is called on a tensor without time");
    return {};
  }
  const bool last = spatial && l.channels_last(layer);
  Ints enter = swap_first_two(rank), leave = swap_first_two(rank), state_enter, state_leave;
  if (last) {  // [batch, time, spatial…, channels] ↔ [time, batch, channels, spatial…]
    enter = {1, 0, rank - 1};
    leave = {1, 0};
    state_enter = {0, rank - 2};
    state_leave = {0};
    for (int axis = 2; axis < rank - 1; ++axis) {
      enter.push_back(axis);
      leave.push_back(axis + 1);
      state_enter.push_back(axis - 1);
      state_leave.push_back(axis);
    }
    leave.push_back(2);
    state_leave.push_back(1);
  }
  // Bidirectional sets this, whatever the configuration says.
  const bool zero_masked = l.flag(layer, aligned ? "return_sequences" : "zero_output_for_mask", false);
  std::vector<ValueId> states = initial;
  if (last)
    for (ValueId& state : states) state = graph::transpose(b, state, state_enter);
  Run run =
      run_scan(l, *cell, graph::transpose(b, x, enter), mask, states, {backwards, zero_masked, spatial});
  if (run.outputs == kNone) return run;
  run.outputs = graph::transpose(b, run.outputs, leave);
  if (last) {
    run.last = graph::transpose(b, run.last, state_leave);
    for (ValueId& state : run.states) state = graph::transpose(b, state, state_leave);
  }
  if (backwards && aligned) run.outputs = flip_time(l, run.outputs);
  return run;
}

struct Arguments {
  Value input;
  ValueId mask = kNone;
  std::vector<ValueId> initial;
};

Arguments arguments_of(Lowering& l, const Layer& layer, const Call& call) {
  Arguments out;
  const auto tensors = tensors_of(call.arg(0, "sequences"));
  if (tensors.empty()) {
    l.bad(layer, "is called without a tensor");
    return out;
  }
  out.input = tensors[0];
  for (std::size_t i = 1; i < tensors.size(); ++i) out.initial.push_back(tensors[i].tensor);
  for (const Value& state : tensors_of(call.arg(1, "initial_state"))) out.initial.push_back(state.tensor);
  const Value& given = call.arg(2, "mask");
  out.mask = given.is_tensor() ? given.tensor : out.input.mask;
  if (out.mask != kNone) out.mask = graph::cast(l.b, out.mask, DType::kBool);
  if (out.mask != kNone && l.b.rank(out.mask) != 2) l.refuse(layer, "a mask that is not of the steps");
  return out;
}

Value recurrent(Lowering& l, const Layer& layer, const Call& call) {
  const Arguments given = arguments_of(l, layer, call);
  if (!given.input.is_tensor()) return {};
  const Run run = run_layer(l, layer, given.input, given.mask, given.initial, false);
  const bool sequences = l.flag(layer, "return_sequences", false);
  const Value output = Value::of(sequences ? run.outputs : run.last, sequences ? given.mask : kNone);
  if (!l.flag(layer, "return_state", false)) return output;
  std::vector<Value> all{output};
  for (const ValueId state : run.states) all.push_back(Value::of(state));
  return Value::list(std::move(all));
}

Value bidirectional(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const Layer *forward = layer.part("forward_layer"), *backward = layer.part("backward_layer");
  const Arguments given = arguments_of(l, layer, call);
  if (forward == nullptr || backward == nullptr || !given.input.is_tensor()) {
    l.bad(layer, "has no layer inside");
    return {};
  }
  if (l.flag(*forward, "go_backwards", false) || !l.flag(*backward, "go_backwards", false))
    l.refuse(layer, "layers which do not go forwards and backwards");
  const auto half = static_cast<std::ptrdiff_t>(given.initial.size() / 2);
  const std::vector<ValueId> initial_forward(given.initial.begin(), given.initial.begin() + half);
  const std::vector<ValueId> initial_backward(given.initial.begin() + half, given.initial.end());
  const Run one = run_layer(l, *forward, given.input, given.mask, initial_forward, true);
  const Run other = run_layer(l, *backward, given.input, given.mask, initial_backward, true);
  if (one.outputs == kNone || other.outputs == kNone) return {};
  const bool sequences = l.flag(*forward, "return_sequences", false);
  const ValueId mask = sequences ? given.mask : kNone;
  const ValueId y = sequences ? one.outputs : one.last, z = sequences ? other.outputs : other.last;
  // A null merge_mode means both; a missing one means "concat".
  const Json* mode_json = text::find(*layer.config, "merge_mode");
  const std::string mode =
      mode_json != nullptr && mode_json->is_null() ? "" : l.text(layer, "merge_mode", "concat");
  std::vector<Value> all;
  if (mode == "concat")
    all.push_back(Value::of(graph::concat(b, {y, z}, -1), mask));
  else if (mode == "sum")
    all.push_back(Value::of(graph::binary(b, "Add", y, z), mask));
  else if (mode == "mul")
    all.push_back(Value::of(graph::binary(b, "Mul", y, z), mask));
  else if (mode == "ave")
    all.push_back(Value::of(graph::binary(b, "Div", graph::binary(b, "Add", y, z), 2.0), mask));
  else
    all = {Value::of(y, mask), Value::of(z, mask)};
  if (l.flag(*forward, "return_state", false))
    for (const Run* run : {&one, &other})
      for (const ValueId state : run->states) all.push_back(Value::of(state));
  return all.size() == 1 ? all.front() : Value::list(std::move(all));
}

Value time_distributed(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const Layer* inner = layer.part("layer");
  const Value& input = call.arg(0, "inputs");
  if (inner == nullptr || !input.is_tensor() || b.rank(input.tensor) < 2) {
    l.bad(layer, "has no layer inside, or is called on a tensor without time");
    return {};
  }
  const ValueId x = input.tensor;
  Call one;
  one.args.push_back(Value::of(graph::flatten(b, x, 0, 1)));
  const Value made = l.call(*inner, one);
  if (!made.is_tensor()) {
    if (b.status()) l.refuse(layer, "a layer of several outputs inside");
    return {};
  }
  const ValueId shape = graph::concat(b,
                                      {graph::slice(b, graph::shape_of(b, x), 0, 0, 2),
                                       graph::slice(b, graph::shape_of(b, made.tensor), 0, 1, graph::kToEnd)},
                                      0);
  return Value::of(graph::reshape(b, made.tensor, shape));
}

constexpr LayerRow kRows[] = {
    {"LSTM", recurrent, Mask::kOwn},
    {"GRU", recurrent, Mask::kOwn},
    {"SimpleRNN", recurrent, Mask::kOwn},
    {"RNN", recurrent, Mask::kOwn},
    {"ConvLSTM1D", recurrent, Mask::kOwn},
    {"ConvLSTM2D", recurrent, Mask::kOwn},
    {"ConvLSTM3D", recurrent, Mask::kOwn},
    {"Bidirectional", bidirectional, Mask::kOwn},
    {"TimeDistributed", time_distributed, Mask::kPass},
};

}  // namespace

std::span<const LayerRow> recurrent_layers() {
  return kRows;
}

}  // namespace wherry::keras
