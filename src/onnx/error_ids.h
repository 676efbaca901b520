// Error ids of module onnx, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::onnx {

inline constexpr base::ErrorId kErrorIds[] = {
    {"onnx.bad_model", "An ONNX file breaks the rules of its format."},
    {"onnx.custom_operator",
     "An ONNX model uses operators which ONNX does not define; the code which computes them is not in the "
     "file."},
    {"onnx.external_data",
     "Weights of an ONNX model lie in other files, and one of these is missing, too short or outside of the "
     "model's "
     "folder."},
    {"onnx.not_a_tensor", "An input or output of an ONNX model is a sequence, a map or an optional value."},
    {"onnx.opset", "The ONNX model is older than opset 7, whose operators work differently."},
    {"onnx.too_large",
     "An ONNX file holds at most 2 GiB; the weights of a larger model go into a file of their own beside "
     "it."},
    {"onnx.no_weight", "A model in ONNX form refers to a weight which does not come with it."},
};

}  // namespace wherry::onnx
