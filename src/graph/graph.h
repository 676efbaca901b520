// A neural network as a typed dataflow graph. Its operators are those of ONNX: opset 20 of the default
// domain, version 4 of ai.onnx.ml (github.com/onnx/onnx/blob/main/docs/Operators.md). Importers make graphs
// with graph::Builder (builder.h); module onnx writes them as ONNX models.
//
// Thread-safety: values without shared mutable state.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tensor/onnx_dtype.h"
#include "tensor/tensor.h"

namespace wherry::graph {

inline constexpr std::int64_t kOpset = 20;
inline constexpr std::int64_t kMlOpset = 4;
inline constexpr std::string_view kMlDomain = "ai.onnx.ml";
// Operators on texts which ONNX lacks (tftext/operators.h): graphs that use them run in wherry only.
inline constexpr std::int64_t kOwnOpset = 1;
inline constexpr std::string_view kOwnDomain = "ai.wherry";

using ValueId = std::uint32_t;
inline constexpr ValueId kNone = 0;  // an optional input that is left out

// A length along an axis, or an element of a shape computed by the graph: a number, or a symbol for one that
// is only known when the graph runs. Two equal symbols stand for equal numbers.
struct Dim {
  std::int64_t number = 0;
  std::uint32_t symbol = 0;  // 0: `number` it is

  bool known() const { return symbol == 0; }
  bool is(std::int64_t value) const { return symbol == 0 && number == value; }
  friend bool operator==(const Dim&, const Dim&) = default;
};
using Dims = std::vector<Dim>;

Dims dims_of(const tensor::Shape& shape);  // all known

using tensor::dtype_of_onnx;
using tensor::onnx_dtype;

// What is known of a value. `dims` is empty and `ranked` false while even the number of axes is unknown.
struct Type {
  tensor::DType dtype = tensor::DType::kFloat32;
  bool ranked = false;
  Dims dims;

  std::size_t rank() const { return dims.size(); }
  bool is_static() const;  // ranked, and every length known
  friend bool operator==(const Type&, const Type&) = default;
};
std::string to_string(const Type& type);  // "float32[?, 3, 224, 224]"

struct Block;
using AttributeValue =
    std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>,
                 std::vector<std::string>, tensor::Tensor, std::shared_ptr<const Block>>;
struct Attribute {
  std::string name;
  AttributeValue value;
};
using Attributes = std::vector<Attribute>;

struct Node {
  std::string op;      // "Conv"
  std::string domain;  // empty for the default domain
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  Attributes attributes;
  std::string source;  // the node or layer of the model file which it comes from, for people
};

// Nodes in execution order. The bodies of If, Loop and Scan are blocks too; they may use every value made
// before them outside.
struct Block {
  std::vector<ValueId> inputs;
  std::vector<Node> nodes;
  std::vector<ValueId> outputs;
};

struct Value {
  Type type;
  std::string name;                        // of inputs; else empty
  std::optional<tensor::Tensor> constant;  // its elements, where they are known
};

struct NamedValue {
  std::string name;
  ValueId value = kNone;
};

struct Graph {
  std::vector<Value> values;         // by ValueId; values[kNone] is nothing
  std::vector<std::string> symbols;  // by Dim::symbol; empty for those without a name of their own
  std::vector<NamedValue> inputs;    // in the order of the model's signature
  std::vector<NamedValue> outputs;
  Block body;  // body.inputs/outputs are those of the lines above
};

}  // namespace wherry::graph
