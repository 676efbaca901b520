// Arithmetic on shapes, element by element, where some of the elements are symbols. Private to module graph.
#pragma once

#include <optional>

#include "graph/rules.h"

namespace wherry::graph {

inline constexpr std::size_t kMostElements = 256;  // longer vectors are not followed

// The elements of the only output of an operator whose types have been inferred; nullopt when it is no
// integer scalar or vector, or the operator is not followed.
std::optional<Dims> follow_elements(Inference& inference);

// Those of Shape, with its attributes start and end.
std::optional<Dims> elements_of_shape(const Builder& builder, const Node& node);

}  // namespace wherry::graph
