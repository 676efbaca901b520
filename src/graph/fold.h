// Operators applied to constants. Private to module graph.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "graph/graph.h"

namespace wherry::graph {

// The outputs of `node` for constant inputs (null: left out); nullopt where the operator is not folded, the
// result would have more than `most_elements` by arithmetic or more than `most_bytes` at all, or is not
// defined. Only what gives the same bits as any runtime would: rearranging, integer and basic IEEE
// arithmetic.
std::optional<std::vector<tensor::Tensor>> fold_constants(const Node& node,
                                                          std::span<const tensor::Tensor* const> inputs,
                                                          std::size_t most_elements, std::size_t most_bytes);

// The integers of a tensor of any integer dtype or bool; nullopt for others.
std::optional<std::vector<std::int64_t>> integers(const tensor::Tensor& tensor);

// The same elements under another shape of the same size; shares the data.
tensor::Tensor reshaped(const tensor::Tensor& tensor, tensor::Shape shape);

}  // namespace wherry::graph
