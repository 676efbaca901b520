// Where slices begin and end, as Python's slice.indices() says. Private to module graph.
#pragma once

#include <algorithm>
#include <cstdint>

namespace wherry::graph {

struct SliceBounds {
  std::int64_t start = 0;
  std::int64_t count = 0;  // elements
};

// Of x[start:end:step] along an axis of `length`; step is not 0.
inline SliceBounds slice_bounds(std::int64_t start, std::int64_t end, std::int64_t step,
                                std::int64_t length) {
  const std::int64_t low = step < 0 ? -1 : 0;
  const std::int64_t high = step < 0 ? length - 1 : length;
  const auto place = [&](std::int64_t at) {
    if (at < 0) at = at < -length ? low : at + length;
    return std::clamp(at, low, high);
  };
  const std::int64_t from = place(start);
  const std::int64_t span = step > 0 ? place(end) - from : from - place(end);
  if (span <= 0) return {from, 0};
  const std::uint64_t stride =
      step > 0 ? static_cast<std::uint64_t>(step) : -static_cast<std::uint64_t>(step);
  return {from, static_cast<std::int64_t>((static_cast<std::uint64_t>(span) - 1) / stride + 1)};
}

}  // namespace wherry::graph
