// Neural networks as Programs: whatever an importer of a deep learning format makes, a tensor graph or an
// ONNX model, becomes the one program shape which bundle, engine and server know: TensorInput per input, one
// OnnxGraph, GraphOutput per output.
//
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "onnx/write.h"

#include "base/error.h"
#include "program/program.h"
#include "program/provenance.h"
#include "tensor/tensor.h"

namespace wherry::deep {

// An input or output as the framework's users know it. `shape` and `dims` as in program::InputTensor;
// `labels` name the columns of an output [n, w] where the model file has them. A shape of program::kAnyAxes
// where the file does not say the number of axes.
struct Port {
  std::string name;
  tensor::DType dtype = tensor::DType::kFloat32;
  tensor::Shape shape;
  std::vector<std::string> dims;
  std::vector<std::string> labels;
};

// An ONNX model and its interface.
struct Network {
  onnx::Model model;
  std::vector<Port> inputs;
  std::vector<Port> outputs;
};

// Errors: "deep.too_many_axes".
base::Result<Network> network_of(const graph::Graph& graph);

// Batched where axis 0 of every input is a length which requests choose, and that of every output may be it.
// That may still be another thing than independent rows, which only running it shows: see
// verify::rows_are_independent and program::without_batch. Errors: "program.invalid".
base::Result<program::Program> program_of(Network network);

// Both.
base::Result<program::Program> program_of(const graph::Graph& graph);

// Adds what people want to know of a network: the number of its weights, and its operations with their
// numbers.
void describe(const graph::Graph& graph, program::Provenance& provenance);

}  // namespace wherry::deep
