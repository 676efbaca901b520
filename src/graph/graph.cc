#include "graph/graph.h"

#include <algorithm>

#include "base/text.h"

namespace wherry::graph {

Dims dims_of(const tensor::Shape& shape) {
  Dims dims;
  dims.reserve(shape.size());
  for (const std::int64_t length : shape) dims.push_back({length, 0});
  return dims;
}

bool Type::is_static() const {
  return ranked && std::ranges::all_of(dims, &Dim::known);
}

std::string to_string(const Type& type) {
  std::string text(tensor::info(type.dtype).numpy_name);
  if (!type.ranked) return text + "[…]";
  text += "[";
  for (const Dim& dim : type.dims) {
    if (&dim != type.dims.data()) text += ", ";
    text += dim.known() ? std::to_string(dim.number) : "?";
  }
  return text + "]";
}

}  // namespace wherry::graph
