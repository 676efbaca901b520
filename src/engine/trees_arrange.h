// The order in which the nodes of tree ensembles stand in memory. Private to module engine, but for
// arranged() in arrange.h.
//
// Arranged trees stand one after the other, each as its root and then pairs of siblings, left before right,
// parents before children, the likely next nodes near by: packing them is one pass over the arrays. The rows
// of leaf values are distinct within a tree and those of a tree stand together.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.h"
#include "engine/arrange.h"
#include "engine/trees.h"

namespace wherry::engine {

// Bit of default_left.
inline constexpr std::uint8_t kZeroIsMissing = 2;

// Arrays that take the place of an ensemble's.
struct TreeStorage {
  std::vector<std::int32_t> roots, feature, left, right, category;
  std::vector<double> threshold, values;
  std::vector<std::uint8_t> default_left;

  TreeArrays arrays(const TreeArrays& like) const;  // borrowed from this and, for the rest, from `like`
};

// "engine.tree_shape" when a node can be reached in two ways.
base::Result<TreeStorage> arrange(const TreeArrays& arrays);

struct TreeSpan {
  std::int32_t first, last;              // nodes
  std::uint32_t depth;                   // most steps to a leaf
  std::int32_t first_value, last_value;  // rows of values its leaves have
};

// One span per distinct root, ascending; nothing when the arrays are not arranged.
std::optional<std::vector<TreeSpan>> arranged_spans(const TreeArrays& arrays);

// Categories, or zeros which are missing.
bool has_special_splits(const TreeArrays& arrays);

}  // namespace wherry::engine
