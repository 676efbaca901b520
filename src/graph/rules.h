// The table of ONNX operators: how many inputs each takes, and what is known of its outputs. Private to
// module graph.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "graph/builder.h"

namespace wherry::graph {

// One operator being added: rules read the inputs and fill `outputs`, which start as unranked values of the
// first input's dtype.
struct Inference {
  Builder& builder;
  const Node& node;
  std::vector<Type> outputs;

  bool has(std::size_t i) const { return i < node.inputs.size() && node.inputs[i] != kNone; }
  const Type& in(std::size_t i) const { return builder.type(node.inputs[i]); }
  const tensor::Tensor* constant(std::size_t i) const {
    return has(i) ? builder.constant(node.inputs[i]) : nullptr;
  }
  std::optional<Dims> elements(std::size_t i) const {
    return has(i) ? builder.elements(node.inputs[i]) : std::nullopt;
  }
  std::int64_t int_or(std::string_view name, std::int64_t otherwise) const {
    return int_of(node.attributes, name, otherwise);
  }
  // The integers of input i, when it is a constant; else those of the attribute of the operator's older form.
  std::optional<std::vector<std::int64_t>> known_ints(std::size_t i) const;
  // An axis counted from 0; nullopt (and an error) when it is outside.
  std::optional<std::size_t> axis(std::int64_t given, std::size_t rank);
  void dims(std::size_t output, Dims dims) {
    outputs[output].ranked = true;
    outputs[output].dims = std::move(dims);
  }
  void fail(std::string message);
};

using Rule = void (*)(Inference&);

struct OpRow {
  std::string_view name;
  std::uint8_t least;  // inputs
  std::uint8_t most;   // kAny: any number
  Rule rule;
};
inline constexpr std::uint8_t kAny = 255;

std::span<const OpRow> elementwise_rows();
std::span<const OpRow> shape_rows();
std::span<const OpRow> layer_rows();
std::span<const OpRow> control_rows();
std::span<const OpRow> ml_rows();   // of ai.onnx.ml
std::span<const OpRow> own_rows();  // of ai.wherry

const OpRow* find_op(std::string_view domain, std::string_view op);

// Their sum, where both are known and it fits.
Dim sum(Builder& builder, const Dim& a, const Dim& b);
// The length two broadcast axes have together.
Dim broadcast(Builder& builder, const Dim& a, const Dim& b);
std::optional<Dims> broadcast(Builder& builder, std::span<const Type* const> types);
// What is known of a value which is of one type or the other.
Type common(Builder& builder, const Type& a, const Type& b);

}  // namespace wherry::graph
