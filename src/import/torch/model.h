// What the importers of PyTorch's files give.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"

#include "tensor/tensor.h"

namespace wherry::torch {

// What is known of an input by its name. -1: a length that may differ from request to request.
struct InputHint {
  std::string name;
  tensor::DType dtype = tensor::DType::kFloat32;
  std::vector<std::int64_t> dims;
  bool ranked = false;
  bool exact = false;  // said by the user: dims are not loosened
};

struct Model {
  graph::Graph graph;
  std::string kind;           // "exported program", "TorchScript", "module", "state_dict"
  std::string torch_version;  // as the file says, may be empty
  std::vector<std::pair<std::string, std::string>> facts;  // further lines for `wherry inspect`
};

}  // namespace wherry::torch
