// How closely a program's results are those of the framework, judged by the operations it is made of.
//
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "program/program.h"

namespace wherry::program {

enum class Fidelity : std::uint8_t {
  kIdentical,  // comparisons, look-ups, sums and products in the framework's own order: the same bits
  kFunctions,  // exp, log and their like, which numpy and the C library round differently in the last digit
  kProducts,   // sums of many products, which a BLAS adds in another order
  kRuntime,    // a tensor graph in float32 and like types, computed by ONNX Runtime
  kSolved,     // iterations that end when they change little
};

inline constexpr std::string_view kFidelityNames[] = {"identical", "functions", "products", "runtime",
                                                      "solved"};

// Of an operation by itself.
Fidelity fidelity(const Op& op);

// The worst of the operations that reach any output.
Fidelity fidelity(const Program& program);

// "the same to the last bit", "the same to the last digits (…)": how the results compare with the
// framework's.
std::string_view describe(Fidelity fidelity);

}  // namespace wherry::program
