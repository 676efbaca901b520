// Cells (keras/src/layers/rnn/*_cell, conv_lstm.py). Gates lie side by side in the kernels: LSTM input,
// forget, cell, output; GRU update, reset, new.
#include <algorithm>

#include "base/text.h"
#include "import/keras/recurrent.h"

namespace wherry::keras {

using base::cat;

namespace {

// The parts of x's axis for `n` gates, equally long.
std::vector<ValueId> gates(Lowering& l, const Layer& cell, ValueId x, std::size_t n, std::int64_t axis) {
  const graph::Dim width = l.b.dim(x, axis);
  const auto count = static_cast<std::int64_t>(n);
  if (!width.known() || width.number % count != 0) {
    l.bad(cell, cat("has weights which are not of ", n, " gates"));
    return std::vector<ValueId>(n, x);
  }
  return graph::split(l.b, x, Ints(n, width.number / count), axis);
}

bool has_bias(Lowering& l, const Layer& cell) {
  return l.flag(cell, "use_bias", true);
}

ValueId recurrent_activation(Lowering& l, const Layer& cell, ValueId x) {
  return activate(l, cell, "recurrent_activation", x, l.keras < 3 ? "hard_sigmoid" : "sigmoid");
}
ValueId activation(Lowering& l, const Layer& cell, ValueId x) {
  return activate(l, cell, "activation", x, "tanh");
}

// From the sums of the four gates and the cell's state.
Step lstm_end(Lowering& l, const Layer& cell, const std::vector<ValueId>& z, ValueId carry) {
  Builder& b = l.b;
  const ValueId i = recurrent_activation(l, cell, z[0]), f = recurrent_activation(l, cell, z[1]);
  const ValueId fresh = graph::binary(b, "Mul", i, activation(l, cell, z[2]));
  const ValueId c = graph::binary(b, "Add", graph::binary(b, "Mul", f, carry), fresh);
  const ValueId o = recurrent_activation(l, cell, z[3]);
  const ValueId h = graph::binary(b, "Mul", o, activation(l, cell, c));
  return {h, {h, c}};
}

Step lstm_step(Lowering& l, const Layer& cell, ValueId x, const std::vector<ValueId>& states) {
  Builder& b = l.b;
  ValueId z = graph::binary(b, "Add", graph::matmul(b, x, l.weight(cell, 0)),
                            graph::matmul(b, states[0], l.weight(cell, 1)));
  if (has_bias(l, cell)) z = graph::binary(b, "Add", z, l.weight(cell, 2));
  return lstm_end(l, cell, gates(l, cell, z, 4, -1), states[1]);
}

Step gru_step(Lowering& l, const Layer& cell, ValueId x, const std::vector<ValueId>& states) {
  Builder& b = l.b;
  const ValueId h = states[0];
  const bool after = l.flag(cell, "reset_after", true);
  ValueId input_bias = kNone, recurrent_bias = kNone;
  if (has_bias(l, cell)) {
    input_bias = l.weight(cell, 2);
    if (after) {
      recurrent_bias = graph::select(b, input_bias, 0, 1);
      input_bias = graph::select(b, input_bias, 0, 0);
    }
  }
  ValueId from_x = graph::matmul(b, x, l.weight(cell, 0));
  if (input_bias != kNone) from_x = graph::binary(b, "Add", from_x, input_bias);
  const auto xs = gates(l, cell, from_x, 3, -1);
  const auto kernels = gates(l, cell, l.weight(cell, 1), 3, -1);
  const auto biases =
      recurrent_bias == kNone ? std::vector<ValueId>(3, kNone) : gates(l, cell, recurrent_bias, 3, -1);
  const auto from_h = [&](std::size_t gate, ValueId state) {
    const ValueId product = graph::matmul(b, state, kernels[gate]);
    return biases[gate] == kNone ? product : graph::binary(b, "Add", product, biases[gate]);
  };
  const ValueId z = recurrent_activation(l, cell, graph::binary(b, "Add", xs[0], from_h(0, h)));
  const ValueId r = recurrent_activation(l, cell, graph::binary(b, "Add", xs[1], from_h(1, h)));
  const ValueId inner =
      after ? graph::binary(b, "Mul", r, from_h(2, h)) : from_h(2, graph::binary(b, "Mul", r, h));
  const ValueId fresh = activation(l, cell, graph::binary(b, "Add", xs[2], inner));
  const ValueId rest = graph::binary(b, "Sub", graph::scalar_like(b, z, 1), z);
  const ValueId next =
      graph::binary(b, "Add", graph::binary(b, "Mul", z, h), graph::binary(b, "Mul", rest, fresh));
  return {next, {next}};
}

Step simple_step(Lowering& l, const Layer& cell, ValueId x, const std::vector<ValueId>& states) {
  Builder& b = l.b;
  ValueId z = graph::matmul(b, x, l.weight(cell, 0));
  if (has_bias(l, cell)) z = graph::binary(b, "Add", z, l.weight(cell, 2));
  z = graph::binary(b, "Add", z, graph::matmul(b, states[0], l.weight(cell, 1)));
  const ValueId h = activation(l, cell, z);
  return {h, {h}};
}

Convolution input_convolution(Lowering& l, const Layer& cell) {
  const auto n = static_cast<std::size_t>(std::max(l.b.rank(l.weight(cell, 0)) - 2, 1));
  return {l.spread(cell, "strides", n, 1), l.spread(cell, "dilation_rate", n, 1),
          l.text(cell, "padding", "valid"), 1};
}

Step conv_lstm_step(Lowering& l, const Layer& cell, ValueId x, const std::vector<ValueId>& states) {
  Builder& b = l.b;
  const ValueId bias = has_bias(l, cell) ? l.weight(cell, 2) : kNone;
  const ValueId from_x = convolve(l, cell, x, l.weight(cell, 0), bias, input_convolution(l, cell));
  const ValueId kernel = l.weight(cell, 1);
  const auto n = static_cast<std::size_t>(std::max(b.rank(kernel) - 2, 1));
  const ValueId from_h = convolve(l, cell, states[0], kernel, kNone, {Ints(n, 1), Ints(n, 1), "same", 1});
  return lstm_end(l, cell, gates(l, cell, graph::binary(b, "Add", from_x, from_h), 4, 1), states[1]);
}

Step stacked_step(Lowering& l, const Layer& cell, ValueId x, const std::vector<ValueId>& states) {
  Step step{x, {}};
  std::size_t at = 0;
  for (const Layer& part : cell.parts) {
    const std::size_t count = state_count(part);
    const std::vector<ValueId> own(states.begin() + static_cast<std::ptrdiff_t>(at),
                                   states.begin() + static_cast<std::ptrdiff_t>(at + count));
    at += count;
    Step one = cell_step(l, part, step.output, own);
    step.output = one.output;
    step.states.insert(step.states.end(), one.states.begin(), one.states.end());
  }
  return step;
}

struct CellRow {
  std::string_view class_name;
  std::size_t states;
  Step (*step)(Lowering&, const Layer&, ValueId, const std::vector<ValueId>&);
};
constexpr CellRow kCells[] = {{"LSTMCell", 2, lstm_step},
                              {"GRUCell", 1, gru_step},
                              {"SimpleRNNCell", 1, simple_step},
                              {"ConvLSTMCell", 2, conv_lstm_step}};

const CellRow* row_of(const Layer& cell) {
  const auto row = std::ranges::find(kCells, std::string_view(cell.class_name), &CellRow::class_name);
  return row == std::end(kCells) ? nullptr : row;
}

}  // namespace

std::size_t state_count(const Layer& cell) {
  if (const CellRow* row = row_of(cell)) return row->states;
  std::size_t count = 0;
  if (cell.class_name == "StackedRNNCells")
    for (const Layer& part : cell.parts) count += state_count(part);
  return count;
}

Step cell_step(Lowering& l, const Layer& cell, ValueId x, const std::vector<ValueId>& states) {
  if (cell.class_name == "StackedRNNCells" && !l.flag(cell, "reverse_state_order", false))
    return stacked_step(l, cell, x, states);
  if (const CellRow* row = row_of(cell)) return row->step(l, cell, x, states);
  l.refuse(cell, "a cell of this class");
  return {x, states};
}

std::vector<ValueId> zero_states(Lowering& l, const Layer& cell, ValueId x) {
  Builder& b = l.b;
  std::vector<ValueId> states;
  if (cell.class_name == "StackedRNNCells") {
    for (const Layer& part : cell.parts)
      for (const ValueId state : zero_states(l, part, x)) states.push_back(state);
    return states;
  }
  const ValueId kernel = l.weight(cell, 1);
  ValueId shape;
  if (cell.class_name == "ConvLSTMCell") {
    const auto quarter = gates(l, cell, l.weight(cell, 0), 4, -1)[0];
    shape = graph::shape_of(b, convolve(l, cell, x, quarter, kNone, input_convolution(l, cell)));
  } else {
    const graph::Length parts[] = {graph::dim_of(b, x, 0), b.rank(kernel) == 2 ? b.dim(kernel, 0).number : 1};
    shape = graph::lengths(b, parts);
  }
  const ValueId zeros = graph::full(b, l.dtype(), shape, 0);
  return std::vector<ValueId>(state_count(cell), zeros);
}

}  // namespace wherry::keras
