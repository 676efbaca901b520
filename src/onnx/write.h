// Writes tensor graphs as ONNX models (onnx.proto3 of ONNX 1.15, IR version 9).
//
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

#include "base/error.h"
#include "tensor/tensor.h"

namespace wherry::onnx {

struct Initializer {
  std::string name;
  tensor::Tensor tensor;
};

// A serialised ModelProto whose larger weights stand beside it. Those are initializers of the proto too, with
// their data "external" at the location kBeside, which no file has: whoever runs the model gives them to the
// runtime by name.
struct Model {
  std::string proto;
  std::vector<Initializer> weights;
};
inline constexpr std::string_view kBeside = "*wherry*";
inline constexpr std::size_t kInlineBytes = 1024;  // tensors up to this size, and texts, stay in the proto

Model write_model(const graph::Graph& graph, std::string_view producer_version = {});

// Whether the model uses operators which only wherry has (graph::kOwnDomain), so that no other runtime loads
// it.
bool is_for_wherry_only(std::string_view proto);

// The model as one file with everything in it. Errors: "onnx.too_large" beyond the 2 GiB a proto may have;
// "protobuf.malformed" for a proto that is none; "onnx.no_weight" when one of those beside it is missing.
base::Result<std::string> embed(const Model& model);

// The same as two files: the proto, whose weights refer to `location`, and that file's content in pieces to
// be written one after another (borrowed from the model, or zeros for alignment).
struct TwoFiles {
  std::string proto;
  std::vector<base::Bytes> data;
};
base::Result<TwoFiles> split(const Model& model, std::string_view location);

}  // namespace wherry::onnx
