// The operations of tensor models. See ops.h for the conventions.
//
// Their values are tensors of any dtype and of up to kMostAxes axes. Other operations take those of a batched
// model which are matrices, indices or labels, i.e. float64, int64, bool or string of shape [n] or [n, w].
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "program/op_types.h"
#include "tensor/tensor.h"

namespace wherry::program {

// The shape of a tensor which may have any number of axes, up to kMostAxes: a length that stands nowhere
// else, alone. Only the inputs of models that are not batched and the results of an OnnxGraph have it.
inline constexpr std::int64_t kAnyAxes = -2;
inline bool is_any_shape(std::span<const std::int64_t> shape) {
  return shape.size() == 1 && shape[0] == kAnyAxes;
}

// Whether a tensor of these lengths is one of the shape that is declared: as many axes, or up to kMostAxes
// where these are any, no length negative, and each as declared where that is not -1.
bool admits(std::span<const std::int64_t> declared, std::span<const std::int64_t> lengths);

// Nothing → the input tensor Signature::tensors[index].
struct TensorInput {
  static constexpr std::string_view kName = "tensor_input";
  std::int64_t index = 0;
  template <class V>
  void fields(V& v) {
    v("index", index);
  }
};

// What an ONNX graph answers under a name; the shape as in ValueType.
struct GraphResult {
  std::string name;
  tensor::DType dtype = tensor::DType::kFloat32;
  std::vector<std::int64_t> shape;
  template <class V>
  void fields(V& v) {
    v("name", name), v("dtype", dtype), v("shape", shape);
  }
};

// A large initializer of the graph, kept outside of its model.
struct GraphWeight {
  std::string name;
  WeightId tensor;  // any dtype but string
  template <class V>
  void fields(V& v) {
    v("name", name), v("tensor", tensor);
  }
};

// Tensors, one per name in `input_names` → tuple: the answers of the ONNX graph in `model`, uint8 [bytes] of
// a serialised onnx.ModelProto, computed by ONNX Runtime. `weights` are initializers of its graph which are
// declared there with external data (of no file that exists); the runtime is given their tensors in place.
struct OnnxGraph {
  static constexpr std::string_view kName = "onnx_graph";
  WeightId model;
  std::vector<std::string> input_names;
  std::vector<GraphResult> results;
  std::vector<GraphWeight> weights;
  template <class V>
  void fields(V& v) {
    v("model", model), v("input_names", input_names), v("results", results), v("weights", weights);
  }
};

// tuple → its tensor results[index].
struct GraphOutput {
  static constexpr std::string_view kName = "graph_output";
  std::int64_t index = 0;
  template <class V>
  void fields(V& v) {
    v("index", index);
  }
};

using GraphOps = OpList<TensorInput, OnnxGraph, GraphOutput>;

}  // namespace wherry::program
