// LSTM, GRU and plain recurrent layers as the operators which ONNX has for them.
#include <algorithm>
#include <array>
#include <string>

#include "import/torch/operators.h"

namespace wherry::torch {
namespace {

struct Kind {
  std::string_view op;
  std::string_view activation;  // of RNN
  std::vector<int> order;       // of PyTorch's gates, for each of ONNX's
};

const Kind& lstm_kind() {
  static const Kind kKind{"LSTM", "", {0, 3, 1, 2}};  // i f g o → i o f c
  return kKind;
}
const Kind& gru_kind() {
  static const Kind kKind{"GRU", "", {1, 0, 2}};  // r z n → z r h
  return kKind;
}
const Kind& rnn_kind(bool tanh) {
  static const Kind kTanh{"RNN", "Tanh", {0}};
  static const Kind kRelu{"RNN", "Relu", {0}};
  return tanh ? kTanh : kRelu;
}

constexpr std::int64_t kMostLayers = 1000;

struct Layer {
  ValueId input = kNone;
  ValueId recurrent = kNone;
  ValueId input_bias = kNone;
  ValueId recurrent_bias = kNone;
  ValueId projection = kNone;
};

class Recurrent {
 public:
  Recurrent(Call& c, const Kind& kind) : c_(c), b_(c.b), kind_(kind) {}

  Outputs run() {
    const bool lstm = kind_.op == "LSTM";
    ValueId x = c_.tensor("input");
    const bool batch_first = c_.flag("batch_first");
    directions_ = c_.flag("bidirectional") ? 2 : 1;
    const std::int64_t layers = c_.integer("num_layers", 1);
    if (c_.flag("train") && c_.number("dropout") != 0)
      return c_.refuse("the model was saved in training mode: call model.eval() before saving");
    if (c_.rank(x) != 3) return c_.refuse("an input without three axes");
    if (layers < 1 || layers > kMostLayers) return c_.refuse("no layers, or too many");
    const std::vector<ValueId> states = lstm ? c_.tensors("hx") : std::vector{c_.tensor("hx")};
    if (lstm && states.size() != 2) return c_.refuse("needs two initial states");
    if (!read_parameters(layers)) return kNone;
    if (batch_first) x = graph::swap_axes(b_, x, 0, 1);
    std::vector<std::vector<ValueId>> last(states.size());
    for (std::int64_t layer = 0; layer < layers; ++layer) {
      const std::vector<ValueId> out = one_layer(x, layer, states);
      if (out.empty()) return kNone;
      x = out[0];
      for (std::size_t i = 0; i < states.size(); ++i) last[i].push_back(out[i + 1]);
    }
    std::vector<ValueId> results{batch_first ? graph::swap_axes(b_, x, 0, 1) : x};
    for (const std::vector<ValueId>& parts : last)
      results.push_back(parts.size() == 1 ? parts[0] : graph::concat(b_, parts, 0));
    return Outputs::many(results);
  }

 private:
  bool read_parameters(std::int64_t layers) {
    const std::vector<ValueId> given = c_.tensors("params");
    const bool biases = c_.flag("has_biases");
    const auto cells = static_cast<std::size_t>(layers * directions_);
    const std::size_t plain = biases ? 4 : 2;
    const std::size_t each = given.size() == cells * (plain + 1) ? plain + 1 : plain;
    if (given.size() != cells * each) {
      c_.refuse("the number of its weights does not fit its layers");
      return false;
    }
    for (std::size_t i = 0; i < cells; ++i) {
      const ValueId* const at = given.data() + i * each;
      Layer layer{at[0], at[1]};
      if (biases) layer.input_bias = at[2], layer.recurrent_bias = at[3];
      if (each > plain) layer.projection = at[plain];
      layers_.push_back(layer);
    }
    return true;
  }

  // The gates along the first axis, in ONNX's order.
  ValueId reordered(ValueId weight) {
    const auto gates = static_cast<std::int64_t>(kind_.order.size());
    if (gates == 1) return weight;
    const std::int64_t size = c_.size(weight, 0) / gates;
    const std::vector<ValueId> parts =
        graph::split(b_, weight, Ints(static_cast<std::size_t>(gates), size), 0);
    std::vector<ValueId> out;
    for (const int gate : kind_.order) out.push_back(parts[static_cast<std::size_t>(gate)]);
    return graph::concat(b_, out, 0);
  }

  ValueId stacked(std::vector<ValueId> values) {
    return values.size() == 1 ? graph::unsqueeze(b_, values[0], {0}) : graph::stack(b_, std::move(values), 0);
  }

  bool is_zero(ValueId value) const {
    if (const Note* const note = c_.find_note(value)) return note->is_zero;
    const tensor::Tensor* const constant = b_.constant(value);
    return constant != nullptr &&
           std::ranges::all_of(constant->bytes(), [](std::byte byte) { return byte == std::byte{0}; });
  }

  std::vector<ValueId> one_layer(ValueId x, std::int64_t layer, const std::vector<ValueId>& states) {
    std::vector<ValueId> w;
    std::vector<ValueId> r;
    std::vector<ValueId> bias;
    const auto first = static_cast<std::size_t>(layer * directions_);
    const bool projected = layers_[first].projection != kNone;
    std::int64_t hidden = 0;
    for (std::size_t i = first; i < first + static_cast<std::size_t>(directions_); ++i) {
      const Layer& cell = layers_[i];
      const ValueId recurrent =
          projected ? graph::matmul(b_, cell.recurrent, cell.projection) : cell.recurrent;
      hidden = c_.size(recurrent, 1);
      w.push_back(reordered(cell.input));
      r.push_back(reordered(recurrent));
      if (cell.input_bias != kNone)
        bias.push_back(graph::concat(b_, {reordered(cell.input_bias), reordered(cell.recurrent_bias)}, 0));
    }
    std::vector<ValueId> inputs{x, stacked(w), stacked(r), bias.empty() ? kNone : stacked(bias), kNone};
    for (std::size_t i = 0; i < states.size(); ++i) {
      const ValueId start = graph::slice(b_, states[i], 0, layer * directions_, (layer + 1) * directions_);
      if (projected && i == 0) {
        // h = P·h' enters the next step as W·P·h', so the first h' must be known: zeros.
        if (!is_zero(states[i])) {
          c_.refuse("proj_size with an initial state that is not zero");
          return {};
        }
        inputs.push_back(kNone);
      } else {
        inputs.push_back(start);
      }
    }
    graph::Attributes attributes{{"hidden_size", hidden},
                                 {"direction", std::string(directions_ == 2 ? "bidirectional" : "forward")}};
    if (kind_.op == "GRU") attributes.push_back({"linear_before_reset", std::int64_t{1}});
    if (!kind_.activation.empty())
      attributes.push_back({"activations", std::vector<std::string>(static_cast<std::size_t>(directions_),
                                                                    std::string(kind_.activation))});
    std::vector<ValueId> out = b_.add_many(kind_.op, inputs, states.size() + 1, attributes);
    if (projected) project(out, first);
    // [seq, directions, batch, hidden] → [seq, batch, directions · hidden]
    out[0] = directions_ == 1
                 ? graph::squeeze(b_, out[0], {1})
                 : graph::reshape(b_, graph::transpose(b_, out[0], {0, 2, 1, 3}), Ints{0, 0, -1});
    return out;
  }

  void project(std::vector<ValueId>& out, std::size_t first) {
    std::vector<ValueId> matrices;
    for (std::size_t i = first; i < first + static_cast<std::size_t>(directions_); ++i)
      matrices.push_back(graph::swap_axes(b_, layers_[i].projection, 0, 1));
    const ValueId all = stacked(matrices);    // [directions, hidden, projected]
    out[0] = graph::matmul(b_, out[0], all);  // [seq, directions, batch, ·]
    out[1] = graph::matmul(b_, out[1], all);  // [directions, batch, ·]
  }

  Call& c_;
  Builder& b_;
  const Kind& kind_;
  std::int64_t directions_ = 1;
  std::vector<Layer> layers_;
};

Outputs lstm(Call& c) {
  return Recurrent(c, lstm_kind()).run();
}
Outputs gru(Call& c) {
  return Recurrent(c, gru_kind()).run();
}
Outputs rnn_tanh(Call& c) {
  return Recurrent(c, rnn_kind(true)).run();
}
Outputs rnn_relu(Call& c) {
  return Recurrent(c, rnn_kind(false)).run();
}

// One layer in one direction, as oneDNN is given it (torch 2.1 decomposes lstm to these).
Outputs mkldnn_layer(Call& c) {
  Builder& b = c.b;
  const auto reordered = [&](ValueId weight) {
    const std::int64_t size = c.size(weight, 0) / 4;
    const std::vector<ValueId> parts = graph::split(b, weight, {size, size, size, size}, 0);
    return graph::concat(b, {parts[0], parts[3], parts[1], parts[2]}, 0);
  };
  if (c.integer("mode") != 2 || c.flag("batch_first")) return c.refuse("another layer than an LSTM");
  std::vector<ValueId> inputs{c.tensor("input"), graph::unsqueeze(b, reordered(c.tensor("weight0")), {0}),
                              graph::unsqueeze(b, reordered(c.tensor("weight1")), {0}), kNone, kNone};
  if (c.flag("has_biases"))
    inputs[3] = graph::unsqueeze(
        b, graph::concat(b, {reordered(c.tensor("weight2")), reordered(c.tensor("weight3"))}, 0), {0});
  for (const std::string_view state : {"hx_", "cx_"})
    inputs.push_back(c.rank(c.tensor(state)) == 2 ? graph::unsqueeze(b, c.tensor(state), {0})
                                                  : c.tensor(state));
  const std::vector<ValueId> out =
      b.add_many("LSTM", inputs, 3,
                 {{"hidden_size", c.integer("hidden_size")},
                  {"direction", std::string(c.flag("reverse") ? "reverse" : "forward")}});
  return Outputs::many(std::array{graph::squeeze(b, out[0], {1}), out[1], out[2],
                                  graph::full(b, DType::kUint8, tensor::Shape{0}, 0)});
}

// --- single steps
// ------------------------------------------------------------------------------------------------

ValueId gates(Call& c, ValueId x, std::string_view weight, std::string_view bias) {
  const ValueId y = graph::matmul(c.b, x, graph::swap_axes(c.b, c.tensor(weight), 0, 1));
  return c.has(bias) ? graph::binary(c.b, "Add", y, c.tensor(bias)) : y;
}

std::vector<ValueId> cut(Call& c, ValueId x, std::int64_t parts) {
  return graph::split(c.b, x, Ints(static_cast<std::size_t>(parts), c.size(x, -1) / parts), -1);
}

Outputs lstm_cell(Call& c) {
  Builder& b = c.b;
  const std::vector<ValueId> hx = c.tensors("hx");
  if (hx.size() != 2) return c.refuse("needs two states");
  const std::vector<ValueId> g = cut(
      c,
      graph::binary(b, "Add", gates(c, c.tensor("input"), "w_ih", "b_ih"), gates(c, hx[0], "w_hh", "b_hh")),
      4);
  if (g.size() != 4) return kNone;
  const auto sigmoid = [&](ValueId x) { return graph::unary(b, "Sigmoid", x); };
  const ValueId cell = graph::binary(b, "Add", graph::binary(b, "Mul", sigmoid(g[1]), hx[1]),
                                     graph::binary(b, "Mul", sigmoid(g[0]), graph::unary(b, "Tanh", g[2])));
  const ValueId hidden = graph::binary(b, "Mul", sigmoid(g[3]), graph::unary(b, "Tanh", cell));
  return Outputs::many(std::array{hidden, cell});
}

Outputs gru_cell(Call& c) {
  Builder& b = c.b;
  const ValueId hx = c.tensor("hx");
  const std::vector<ValueId> from_x = cut(c, gates(c, c.tensor("input"), "w_ih", "b_ih"), 3);
  const std::vector<ValueId> from_h = cut(c, gates(c, hx, "w_hh", "b_hh"), 3);
  if (from_x.size() != 3 || from_h.size() != 3) return kNone;
  const auto gate = [&](std::size_t i) {
    return graph::unary(b, "Sigmoid", graph::binary(b, "Add", from_x[i], from_h[i]));
  };
  const ValueId update = gate(1);
  const ValueId fresh = graph::unary(
      b, "Tanh", graph::binary(b, "Add", from_x[2], graph::binary(b, "Mul", gate(0), from_h[2])));
  return graph::binary(b, "Add", fresh, graph::binary(b, "Mul", update, graph::binary(b, "Sub", hx, fresh)));
}

template <const char* Op>
Outputs rnn_cell(Call& c) {
  const ValueId sum = graph::binary(c.b, "Add", gates(c, c.tensor("input"), "w_ih", "b_ih"),
                                    gates(c, c.tensor("hx"), "w_hh", "b_hh"));
  return graph::unary(c.b, Op, sum);
}
constexpr char kTanh[] = "Tanh";
constexpr char kRelu[] = "Relu";

constexpr auto kRows = std::to_array<Operator>({
    {"aten::lstm.input(Tensor input, Tensor[] hx, Tensor[] params, bool has_biases, int num_layers, float "
     "dropout, bool "
     "train, bool bidirectional, bool batch_first) -> (Tensor, Tensor, Tensor)",
     lstm},
    {"aten::gru.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float "
     "dropout, bool "
     "train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)",
     gru},
    {"aten::rnn_tanh.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float "
     "dropout, "
     "bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)",
     rnn_tanh},
    {"aten::rnn_relu.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float "
     "dropout, "
     "bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)",
     rnn_relu},
    {"aten::mkldnn_rnn_layer(Tensor input, Tensor weight0, Tensor weight1, Tensor weight2, Tensor weight3, "
     "Tensor "
     "hx_, Tensor cx_, bool reverse, int[] batch_sizes, int mode, int hidden_size, int num_layers, bool "
     "has_biases, bool bidirectional, bool batch_first, bool train) -> (Tensor, Tensor, Tensor, Tensor)",
     mkldnn_layer},
    {"aten::lstm_cell(Tensor input, Tensor[] hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? "
     "b_hh=None) -> "
     "(Tensor, Tensor)",
     lstm_cell},
    {"aten::gru_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? "
     "b_hh=None) -> Tensor",
     gru_cell},
    {"aten::rnn_tanh_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? "
     "b_hh=None) -> "
     "Tensor",
     rnn_cell<kTanh>},
    {"aten::rnn_relu_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? "
     "b_hh=None) -> "
     "Tensor",
     rnn_cell<kRelu>},
});

}  // namespace

std::span<const Operator> recurrent_operators() {
  return kRows;
}

}  // namespace wherry::torch
