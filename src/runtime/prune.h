// Parts of ONNX models: what some of the outputs need. ONNX Runtime computes a whole graph whatever outputs
// are asked for. Private to module runtime.
//
// Thread-safety: pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/bytes.h"

namespace wherry::runtime {

struct Pruned {
  std::string proto;
  std::unordered_set<std::string_view> values;  // what its nodes take; borrowed from the whole model
};

// The serialised onnx.ModelProto with these outputs and only the nodes and initializers which they need.
// nullopt where that would leave out nothing that takes time, and for bytes which are no model.
std::optional<Pruned> prune(base::Bytes model, std::span<const std::string_view> outputs);

}  // namespace wherry::runtime
