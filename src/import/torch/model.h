// What the importers of PyTorch's files give.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"

namespace wherry::torch {

struct Model {
  graph::Graph graph;
  std::string kind;           // "exported program", "TorchScript", "module", "state_dict"
  std::string torch_version;  // as the file says, may be empty
  std::vector<std::pair<std::string, std::string>> facts;  // further lines for `wherry inspect`
};

}  // namespace wherry::torch
