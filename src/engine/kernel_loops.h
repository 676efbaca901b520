// The loops most kernels on matrices are made of. Private to module engine.
#pragma once

#include <cstddef>
#include <utility>

#include "engine/kernels.h"

namespace wherry::engine {

// out[i,j] = function(in[i,j]).
template <class F>
Kernel elementwise(const Wiring& wiring, F function) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  return Kernel{[=, function = std::move(function)](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    for (std::size_t i = 0; i < from.rows * from.columns; ++i) to[i] = function(from.numbers[i]);
    return {};
  }};
}

// out[i,j] = function(in[i,j], j).
template <class F>
Kernel elementwise_by_column(const Wiring& wiring, F function) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  return Kernel{[=, function = std::move(function)](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    const double* x = from.numbers;
    for (std::size_t row = 0; row < from.rows; ++row)
      for (std::size_t j = 0; j < from.columns; ++j) *to++ = function(*x++, j);
    return {};
  }};
}

// function(x, width of x, out) for each row.
template <class F>
Kernel rowwise(const Wiring& wiring, F function) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const std::size_t width_out = wiring.width_of(out);
  return Kernel{[=, function = std::move(function)](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    for (std::size_t row = 0; row < from.rows; ++row)
      function(from.numbers + row * from.columns, from.columns, to + row * width_out);
    return {};
  }};
}

}  // namespace wherry::engine
