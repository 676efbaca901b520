#include "import/tensorflow/recurrent.h"

#include <algorithm>
#include <array>

namespace wherry::tensorflow {
namespace {

using Ref = Flat::Ref;

bool equal(const Ref& a, const Ref& b) {
  return a.node == b.node && a.output == b.output;
}

// One of the gates a product is cut into.
struct Gate {
  Ref whole;
  std::size_t number = 0;
};

// The parts of z = x · W + h · R + b.
struct Sum {
  std::optional<Ref> of_inputs, of_state;  // what the kernels are
  std::optional<Ref> bias;
};

class Matcher {
 public:
  Matcher(const Flat& body, std::size_t hidden, std::int64_t units, const Constants& constants)
      : body_(body), hidden_(hidden), units_(units), constants_(constants) {}

  std::optional<RecurrentBody> lstm(std::size_t memory) {
    const Ref& next = body_.outputs[memory];
    const Ref state{-1, static_cast<std::uint32_t>(memory)};
    const auto out = pair(body_.outputs[hidden_], {"Mul"});  // o · tanh(c')
    const auto sum = pair(next, {"AddV2", "Add"});           // f · c + i · g
    if (!out || !sum) return std::nullopt;
    for (const std::size_t side : {0, 1}) {
      const auto keep = pair((*sum)[side], {"Mul"}), write = pair((*sum)[1 - side], {"Mul"});
      if (!keep || !write) continue;
      const std::size_t own = equal((*keep)[0], state) ? 0 : equal((*keep)[1], state) ? 1 : 2;
      if (own == 2) continue;
      for (const std::size_t shown : {0, 1}) {
        const auto h = activation((*out)[shown]);
        if (!h || !equal(h->second, next)) continue;
        for (const std::size_t written : {0, 1}) {
          const auto f = activation((*keep)[1 - own]), o = activation((*out)[1 - shown]);
          const auto i = activation((*write)[1 - written]), g = activation((*write)[written]);
          if (!f || !o || !i || !g || f->first != o->first || f->first != i->first) continue;
          if (f->first == "Tanh" || (g->first == "Sigmoid" && h->first != "Sigmoid")) continue;
          if (auto found = lstm_of({i->second, o->second, f->second, g->second}, memory,
                                   {f->first, g->first, h->first}))
            return found;
        }
      }
    }
    return std::nullopt;
  }

  // z · h + (1 - z) · tanh(xh + r · (h · Rh + bh))
  std::optional<RecurrentBody> gru() {
    const auto sum = pair(body_.outputs[hidden_], {"AddV2", "Add"});
    if (!sum) return std::nullopt;
    for (const std::size_t side : {0, 1}) {
      const auto keep = pair((*sum)[side], {"Mul"}), write = pair((*sum)[1 - side], {"Mul"});
      if (!keep || !write) continue;
      for (const std::size_t own : {0, 1}) {
        if (!is_state((*keep)[own])) continue;
        const Ref update = (*keep)[1 - own];
        for (const std::size_t rest : {0, 1}) {
          if (!is_one_minus((*write)[rest], update)) continue;
          if (auto found = gru_of(update, (*write)[1 - rest])) return found;
        }
      }
    }
    return std::nullopt;
  }

  std::optional<RecurrentBody> simple() {
    const auto h = activation(body_.outputs[hidden_]);
    if (!h) return std::nullopt;
    Sum sum;
    if (!add_terms(h->second, sum) || !sum.of_inputs || !sum.of_state) return std::nullopt;
    RecurrentBody found = start(Cell::kSimple);
    found.kernel = *sum.of_inputs, found.recurrent = *sum.of_state, found.bias = sum.bias;
    found.order = {0};
    found.activations = {h->first};
    return found;
  }

 private:
  const Flat::Node* node(const Ref& ref) const {
    return ref.node < 0 ? nullptr : &body_.nodes[static_cast<std::size_t>(ref.node)];
  }
  bool is_state(const Ref& ref) const { return ref.node < 0 && ref.output == hidden_; }

  std::optional<std::array<Ref, 2>> pair(const Ref& ref, std::initializer_list<std::string_view> ops) const {
    const Flat::Node* at = node(ref);
    if (at == nullptr || at->inputs.size() != 2 || std::ranges::find(ops, at->def->op) == ops.end())
      return std::nullopt;
    return std::array{at->inputs[0], at->inputs[1]};
  }

  std::optional<std::pair<std::string, Ref>> activation(const Ref& ref) const {
    const Flat::Node* at = node(ref);
    if (at == nullptr || at->inputs.size() != 1) return std::nullopt;
    for (const std::string_view op : {"Sigmoid", "Tanh", "Relu"})
      if (at->def->op == op) return std::pair(std::string(op), at->inputs[0]);
    return std::nullopt;
  }

  bool is_one_minus(const Ref& ref, const Ref& other) const {
    const Flat::Node* at = node(ref);
    if (at == nullptr || at->def->op != "Sub" || at->inputs.size() != 2) return false;
    return equal(at->inputs[1], other) && is_one(at->inputs[0]);
  }

  // A float constant 1; its place is looked at by the caller through Constants, which rounds nothing.
  bool is_one(const Ref& ref) const {
    const auto values = constants_(ref);
    return values && values->size() == 1 && values->front() == 1;
  }

  std::optional<Gate> gate(const Ref& ref) const {
    const Flat::Node* at = node(ref);
    if (at == nullptr) return std::nullopt;
    if (at->def->op == "Split" && at->inputs.size() == 2) {
      const auto axis = constants_(at->inputs[0]);
      if (!axis || axis->size() != 1 || (axis->front() != 1 && axis->front() != -1)) return std::nullopt;
      return Gate{at->inputs[1], ref.output};
    }
    if (at->def->op != "StridedSlice" || at->inputs.size() != 4) return std::nullopt;
    const auto& a = at->def->attributes;
    const auto mask = [&](std::string_view name) { return a.integer(name).value_or(0); };
    const auto begin = constants_(at->inputs[1]), end = constants_(at->inputs[2]),
               step = constants_(at->inputs[3]);
    if (!begin || !end || !step || begin->size() != 2 || end->size() != 2 || *step != Ints{1, 1})
      return std::nullopt;
    if (mask("shrink_axis_mask") != 0 || mask("new_axis_mask") != 0 || mask("ellipsis_mask") != 0)
      return std::nullopt;
    if ((mask("begin_mask") & 1) == 0 || (mask("end_mask") & 1) == 0) return std::nullopt;
    const std::int64_t from = (mask("begin_mask") & 2) != 0 ? 0 : (*begin)[1];
    const std::int64_t to = (mask("end_mask") & 2) != 0 ? 3 * units_ : (*end)[1];
    if (units_ < 1 || from < 0 || from % units_ != 0 || to - from != units_) return std::nullopt;
    return Gate{at->inputs[0], static_cast<std::size_t>(from / units_)};
  }

  // The list's item of this round.
  bool set_inputs(const Ref& ref) {
    const Flat::Node* at = node(ref);
    if (at == nullptr || at->def->op != "TensorListGetItem" || at->inputs.size() < 2) return false;
    if (at->inputs[0].node >= 0 || at->inputs[1].node >= 0) return false;
    inputs_ = at->inputs[0].output;
    counter_ = at->inputs[1].output;
    return true;
  }

  // Adds the terms of a sum; false when one is neither a product of the inputs or the state nor a bias.
  bool add_terms(const Ref& ref, Sum& sum, int depth = 0) {
    if (depth > 4) return false;
    if (const auto product = pair(ref, {"MatMul"})) {
      const auto& a = node(ref)->def->attributes;
      if (a.boolean("transpose_a").value_or(false) || a.boolean("transpose_b").value_or(false)) return false;
      auto& kernel = is_state((*product)[0]) ? sum.of_state : sum.of_inputs;
      if (kernel || (!is_state((*product)[0]) && !set_inputs((*product)[0]))) return false;
      kernel = (*product)[1];
      return true;
    }
    if (const auto parts = pair(ref, {"AddV2", "Add"})) {
      const auto is_product = [&](const Ref& each) { return is_sum(each); };
      if (is_product((*parts)[0]) && is_product((*parts)[1]))
        return add_terms((*parts)[0], sum, depth + 1) && add_terms((*parts)[1], sum, depth + 1);
      if (sum.bias || !is_product((*parts)[0])) return false;
      sum.bias = (*parts)[1];
      return add_terms((*parts)[0], sum, depth + 1);
    }
    if (const auto parts = pair(ref, {"BiasAdd"})) {
      if (sum.bias) return false;
      sum.bias = (*parts)[1];
      return add_terms((*parts)[0], sum, depth + 1);
    }
    return false;
  }
  bool is_sum(const Ref& ref) const {
    const Flat::Node* at = node(ref);
    return at != nullptr && (at->def->op == "MatMul" || at->def->op == "AddV2" || at->def->op == "Add" ||
                             at->def->op == "BiasAdd");
  }

  RecurrentBody start(Cell cell) const {
    RecurrentBody body;
    body.cell = cell;
    body.hidden = hidden_;
    body.inputs = inputs_;
    body.counter = counter_;
    return body;
  }

  std::optional<RecurrentBody> lstm_of(const std::array<Ref, 4>& gates, std::size_t memory,
                                       std::vector<std::string> activations) {
    std::vector<std::size_t> order;
    std::optional<Ref> whole;
    for (const Ref& ref : gates) {
      const auto found = gate(ref);
      if (!found || found->number > 3 || (whole && !equal(*whole, found->whole))) return std::nullopt;
      if (std::ranges::find(order, found->number) != order.end()) return std::nullopt;
      whole = found->whole;
      order.push_back(found->number);
    }
    Sum sum;
    if (!add_terms(*whole, sum) || !sum.of_inputs || !sum.of_state) return std::nullopt;
    RecurrentBody body = start(Cell::kLstm);
    body.memory = memory;
    body.kernel = *sum.of_inputs, body.recurrent = *sum.of_state, body.bias = sum.bias;
    body.order = std::move(order);
    body.activations = std::move(activations);
    return body;
  }

  // A gate of the inputs plus the same gate of the state.
  std::optional<std::pair<Gate, Gate>> both_gates(const Ref& ref) const {
    const auto sum = pair(ref, {"AddV2", "Add"});
    if (!sum) return std::nullopt;
    const auto x = gate((*sum)[0]), h = gate((*sum)[1]);
    if (!x || !h || x->number != h->number) return std::nullopt;
    return std::pair(*x, *h);
  }

  std::optional<RecurrentBody> gru_of(const Ref& update, const Ref& candidate) {
    const auto z = activation(update), c = activation(candidate);
    if (!z || !c) return std::nullopt;
    const auto sum = pair(c->second, {"AddV2", "Add"});
    const auto zs = both_gates(z->second);
    if (!sum || !zs) return std::nullopt;
    const auto xh = gate((*sum)[0]);
    const auto reset = pair((*sum)[1], {"Mul"});
    if (!xh || !reset) return std::nullopt;
    for (const std::size_t side : {0, 1}) {
      const auto r = activation((*reset)[side]);
      const auto hh = gate((*reset)[1 - side]);
      if (!r || !hh || r->first != z->first) continue;
      const auto rs = both_gates(r->second);
      if (!rs || hh->number != xh->number) continue;
      const Ref x = zs->first.whole, h = zs->second.whole;
      if (!equal(x, rs->first.whole) || !equal(x, xh->whole) || !equal(h, rs->second.whole) ||
          !equal(h, hh->whole))
        return std::nullopt;
      Sum of_x, of_h;
      if (!add_terms(x, of_x) || !add_terms(h, of_h) || !of_x.of_inputs || of_x.of_state || !of_h.of_state ||
          of_h.of_inputs)
        return std::nullopt;
      RecurrentBody body = start(Cell::kGru);
      body.kernel = *of_x.of_inputs, body.recurrent = *of_h.of_state;
      body.bias = of_x.bias, body.recurrent_bias = of_h.bias;
      body.order = {zs->first.number, rs->first.number, xh->number};
      body.activations = {z->first, c->first};
      std::vector<std::size_t> sorted = body.order;
      std::ranges::sort(sorted);
      if (sorted != std::vector<std::size_t>{0, 1, 2}) return std::nullopt;
      return body;
    }
    return std::nullopt;
  }

  const Flat& body_;
  const std::size_t hidden_;
  const std::int64_t units_;
  const Constants& constants_;
  std::size_t inputs_ = 0, counter_ = 0;
};

// [n, gates · units] → [1, gates · units, n], the gates in ONNX's order.
ValueId turned(Builder& b, ValueId kernel, const std::vector<std::size_t>& order) {
  const auto gates = static_cast<std::int64_t>(order.size());
  const graph::Dim all = b.dim(kernel, -1);
  std::vector<ValueId> parts;
  for (const std::size_t gate : order)
    parts.push_back(graph::slice(b, kernel, -1, static_cast<std::int64_t>(gate) * (all.number / gates),
                                 static_cast<std::int64_t>(gate + 1) * (all.number / gates)));
  return graph::unsqueeze(b, graph::transpose(b, graph::concat(b, parts, -1), {1, 0}), {0});
}

}  // namespace

std::optional<RecurrentBody> match_recurrent(const Flat& body, std::size_t hidden,
                                             std::optional<std::size_t> memory, std::int64_t units,
                                             const Constants& constants) {
  Matcher matcher(body, hidden, units, constants);
  if (memory) return matcher.lstm(*memory);
  if (auto found = matcher.gru()) return found;
  return matcher.simple();
}

RecurrentResults add_recurrent(Builder& b, const RecurrentBody& body, const RecurrentValues& values) {
  const auto gates = static_cast<std::int64_t>(body.order.size());
  const std::int64_t units = b.dim(values.kernel, -1).number / gates;
  const auto bias_row = [&](ValueId bias) {  // [gates · units] → the same as [1, …] in ONNX's order
    const ValueId whole = bias == kNone
                              ? graph::full(b, b.dtype(values.kernel), tensor::Shape{gates * units}, 0)
                              : graph::reshape(b, bias, Ints{-1});
    std::vector<ValueId> parts;
    for (const std::size_t gate : body.order)
      parts.push_back(graph::slice(b, whole, 0, static_cast<std::int64_t>(gate) * units,
                                   static_cast<std::int64_t>(gate + 1) * units));
    return graph::unsqueeze(b, graph::concat(b, parts, 0), {0});
  };
  std::vector<ValueId> inputs{values.inputs, turned(b, values.kernel, body.order),
                              turned(b, values.recurrent, body.order)};
  const bool biased = values.bias != kNone || values.recurrent_bias != kNone;
  inputs.push_back(biased ? graph::concat(b, {bias_row(values.bias), bias_row(values.recurrent_bias)}, 1)
                          : kNone);
  inputs.push_back(kNone);  // lengths
  inputs.push_back(graph::unsqueeze(b, values.hidden, {0}));
  graph::Attributes attributes{{"hidden_size", units}, {"activations", body.activations}};
  std::string_view op = "RNN";
  if (body.cell == Cell::kLstm) {
    op = "LSTM";
    inputs.push_back(graph::unsqueeze(b, values.memory, {0}));
  } else if (body.cell == Cell::kGru) {
    op = "GRU";
    attributes.push_back({"linear_before_reset", std::int64_t{1}});
  }
  const bool lstm = body.cell == Cell::kLstm;
  const auto outputs = b.add_many(op, inputs, lstm ? 3 : 2, std::move(attributes));
  RecurrentResults results{graph::squeeze(b, outputs[0], {1}), graph::squeeze(b, outputs[1], {0}), kNone};
  if (lstm) results.memory = graph::squeeze(b, outputs[2], {0});
  return results;
}

}  // namespace wherry::tensorflow
