// Tables of vectors.
#include <array>
#include <limits>

#include "import/torch/operators.h"

namespace wherry::torch {
namespace {

Outputs embedding(Call& c) {
  return graph::gather(c.b, c.tensor("weight"), c.tensor("indices"), 0);
}

Outputs one_hot(Call& c) {
  const std::int64_t classes = c.integer("num_classes", -1);
  if (classes < 1) return c.refuse("num_classes must be given, else the shape depends on the data");
  return c.b.add("OneHot", {c.tensor("self"), graph::ints(c.b, {classes}), graph::ints(c.b, {0, 1})},
                 {{"axis", std::int64_t{-1}}});
}

enum class Mode { kSum, kMean, kMax };

// Bags of rows, each reduced to one. Of the results only the first means anything at inference.
class Bags {
 public:
  explicit Bags(Call& c) : c_(c), b_(c.b) {}

  Outputs run() {
    const std::int64_t mode = c_.integer("mode");
    if (mode < 0 || mode > 2) return c_.refuse("its mode is unknown");
    mode_ = static_cast<Mode>(mode);
    const ValueId weight = c_.tensor("weight");
    indices_ = c_.tensor("indices");
    const ValueId offsets = c_.tensor("offsets");
    dtype_ = b_.dtype(weight);
    rows_ = graph::gather(b_, weight, indices_, 0);  // [n, width]
    find_live();
    const ValueId out = [&] {
      if (const std::int64_t step = step_of(offsets); step > 0 && !c_.flag("include_last_offset"))
        return even(step);
      return general(offsets);
    }();
    const ValueId nothing = graph::full(b_, DType::kInt64, tensor::Shape{0}, 0);
    return Outputs::many(std::array{out, nothing, nothing, nothing});
  }

 private:
  // Which rows count (float 0 or 1, [n]); kNone: all. Weights per row come in here.
  void find_live() {
    const std::int64_t padding = c_.integer("padding_idx", -1);
    if (padding >= 0) {
      const ValueId index = graph::cast(b_, graph::int_scalar(b_, padding), b_.dtype(indices_));
      live_ = graph::cast(b_, graph::unary(b_, "Not", graph::binary(b_, "Equal", indices_, index)), dtype_);
    }
    if (c_.has("per_sample_weights"))
      rows_ = graph::binary(b_, "Mul", rows_, graph::unsqueeze(b_, c_.tensor("per_sample_weights"), {1}));
  }

  std::int64_t step_of(ValueId offsets) const {
    if (const Note* const note = c_.find_note(offsets)) return note->step;
    const tensor::Tensor* const known = b_.constant(offsets);
    if (known == nullptr || known->dtype() != DType::kInt64 || known->size() < 2) return 0;
    const auto numbers = known->as<std::int64_t>();
    const std::int64_t step = numbers[1];
    for (std::size_t i = 0; i < numbers.size(); ++i)
      if (numbers[i] != static_cast<std::int64_t>(i) * step) return 0;
    const graph::Dim count = b_.dim(indices_, 0);
    return count.known() && count.number == step * static_cast<std::int64_t>(numbers.size()) ? step : 0;
  }

  ValueId lowest() { return graph::scalar(b_, dtype_, -std::numeric_limits<double>::infinity()); }

  ValueId without_empty(ValueId largest) {
    return graph::where(b_, graph::unary(b_, "IsInf", largest), graph::scalar(b_, dtype_, 0), largest);
  }

  ValueId divided(ValueId sum, ValueId count) {
    return graph::binary(b_, "Div", sum, graph::binary(b_, "Max", count, 1.0));
  }

  // All bags of one length.
  ValueId even(std::int64_t step) {
    const std::int64_t width = c_.size(rows_, 1);
    ValueId rows = graph::reshape(b_, rows_, Ints{-1, step, width});
    const ValueId live = live_ == kNone ? kNone : graph::reshape(b_, live_, Ints{-1, step, 1});
    if (mode_ == Mode::kMax) {
      if (live != kNone) rows = graph::where(b_, graph::cast(b_, live, DType::kBool), rows, lowest());
      const ValueId largest = graph::reduce(b_, "ReduceMax", rows, {1}, false);
      return live == kNone ? largest : without_empty(largest);
    }
    if (live != kNone) rows = graph::binary(b_, "Mul", rows, live);
    if (mode_ == Mode::kMean && live == kNone) return graph::reduce(b_, "ReduceMean", rows, {1}, false);
    const ValueId sum = graph::reduce(b_, "ReduceSum", rows, {1}, false);
    if (mode_ == Mode::kSum) return sum;
    return divided(sum, graph::reduce(b_, "ReduceSum", live, {1}, false));
  }

  // [bags, n]: whether row j belongs to bag i.
  ValueId membership(ValueId offsets) {
    offsets = graph::cast(b_, offsets, DType::kInt64);
    const ValueId count = graph::dim_of(b_, indices_, 0);
    const bool closed = c_.flag("include_last_offset");
    const ValueId starts = closed ? graph::slice(b_, offsets, 0, 0, -1) : offsets;
    const ValueId rest = graph::slice(b_, offsets, 0, 1, graph::kToEnd);
    const ValueId ends = closed ? rest : graph::concat(b_, {rest, count}, 0);
    const ValueId place = b_.add(
        "Range", {graph::int_scalar(b_, 0), graph::dim_scalar(b_, indices_, 0), graph::int_scalar(b_, 1)});
    return graph::binary(
        b_, "And",
        graph::binary(b_, "GreaterOrEqual", graph::unsqueeze(b_, place, {0}),
                      graph::unsqueeze(b_, starts, {1})),
        graph::binary(b_, "Less", graph::unsqueeze(b_, place, {0}), graph::unsqueeze(b_, ends, {1})));
  }

  ValueId general(ValueId offsets) {
    ValueId member = membership(offsets);
    if (mode_ == Mode::kMax) {
      if (live_ != kNone)
        member =
            graph::binary(b_, "And", member, graph::unsqueeze(b_, graph::cast(b_, live_, DType::kBool), {0}));
      const ValueId spread =
          graph::where(b_, graph::unsqueeze(b_, member, {2}), graph::unsqueeze(b_, rows_, {0}), lowest());
      return without_empty(graph::reduce(b_, "ReduceMax", spread, {1}, false));
    }
    ValueId share = graph::cast(b_, member, dtype_);
    if (live_ != kNone) share = graph::binary(b_, "Mul", share, graph::unsqueeze(b_, live_, {0}));
    const ValueId sum = graph::matmul(b_, share, rows_);
    return mode_ == Mode::kSum ? sum : divided(sum, graph::reduce(b_, "ReduceSum", share, {1}, true));
  }

  Call& c_;
  Builder& b_;
  Mode mode_ = Mode::kSum;
  DType dtype_ = DType::kFloat32;
  ValueId indices_ = kNone;
  ValueId rows_ = kNone;
  ValueId live_ = kNone;
};

Outputs embedding_bag(Call& c) {
  return Bags(c).run();
}

constexpr auto kRows = std::to_array<Operator>({
    {"aten::embedding(Tensor weight, Tensor indices, SymInt padding_idx=-1, bool scale_grad_by_freq=False, "
     "bool "
     "sparse=False) -> Tensor",
     embedding},
    {"aten::embedding_bag.padding_idx(Tensor weight, Tensor indices, Tensor offsets, bool "
     "scale_grad_by_freq, int mode, "
     "bool sparse, Tensor? per_sample_weights, bool include_last_offset, int? padding_idx) -> (Tensor, "
     "Tensor, Tensor, "
     "Tensor)",
     embedding_bag},
    {"aten::embedding_bag(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int "
     "mode=0, bool "
     "sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False) -> (Tensor, Tensor, "
     "Tensor, "
     "Tensor)",
     embedding_bag},
    {"aten::_embedding_bag(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int "
     "mode=0, "
     "bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False, int "
     "padding_idx=-1) -> "
     "(Tensor, Tensor, Tensor, Tensor)",
     embedding_bag},
    {"aten::_embedding_bag_forward_only(Tensor weight, Tensor indices, Tensor offsets, bool "
     "scale_grad_by_freq=False, "
     "int mode=0, bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False, int "
     "padding_idx=-1) -> (Tensor, Tensor, Tensor, Tensor)",
     embedding_bag},
    {"aten::one_hot(Tensor self, int num_classes=-1) -> Tensor", one_hot},
});

}  // namespace

std::span<const Operator> embedding_operators() {
  return kRows;
}

}  // namespace wherry::torch
