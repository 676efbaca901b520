// Architectures of torchvision built for the weights of a state_dict: widths, kernels and groups come from
// the shapes of the weights, strides and activations from tables.
//
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

#include "base/error.h"
#include "import/torch/safetensors.h"

namespace wherry::torch {

std::vector<std::string> architecture_names();  // sorted

// Input "input" [batch, 3, height, width], output "output" [batch, classes]. Every tensor of the weights must
// be used and fit. Errors: "torch.unknown_architecture", "torch.weights_do_not_fit", "graph.*".
base::Result<graph::Graph> build_architecture(std::string_view name, const NamedTensors& weights);

}  // namespace wherry::torch
