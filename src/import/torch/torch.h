// Any of PyTorch's model files as a tensor graph: exported programs (.pt2), TorchScript, modules and weights
// of torch.save, safetensors. Which one it is is told by the content (container.h).
//
// Errors: those of the readers; "torch.state_dict" for weights without an architecture, with the lines to run
// in Python. Thread-safety: pure functions.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "import/torch/container.h"
#include "import/torch/model.h"

namespace wherry::torch {

struct Options {
  std::filesystem::path source;  // the Python file with the user's classes; empty: none
  std::string class_name;        // in `source`
  std::string arch;              // of weights: "resnet18"
  std::vector<InputHint> hints;  // what the user says of the inputs of TorchScript and pickled modules
};

// Weights borrow from `bytes`; the model keeps `owner`.
base::Result<Model> read_model(base::Bytes bytes, const std::shared_ptr<const void>& owner,
                               const Options& options = {});

// What inspect shows of a file of weights, also of one that is refused: "conv1.weight", "float32 [64, 3, 7,
// 7]". Empty for other files.
struct WeightLine {
  std::string name;
  std::string type;
};
std::vector<WeightLine> list_weights(base::Bytes bytes, const std::shared_ptr<const void>& owner);

// "pt2", "torchscript", "torch", "safetensors": the format which inspect names; empty for none of PyTorch's.
std::string_view format_name(Container container);

}  // namespace wherry::torch
