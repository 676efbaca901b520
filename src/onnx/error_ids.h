// Error ids of module onnx, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::onnx {

inline constexpr base::ErrorId kErrorIds[] = {
    {"onnx.too_large",
     "An ONNX file holds at most 2 GiB; the weights of a larger model go into a file of their own beside "
     "it."},
    {"onnx.no_weight", "A model in ONNX form refers to a weight which does not come with it."},
};

}  // namespace wherry::onnx
