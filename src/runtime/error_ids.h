// Error ids of module runtime, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::runtime {

inline constexpr base::ErrorId kErrorIds[] = {
    {"runtime.bad_model", "ONNX Runtime does not take the model: its graph breaks the rules of ONNX."},
    {"runtime.failed",
     "ONNX Runtime could not compute the answer to a request, mostly because its values or lengths do not "
     "fit "
     "the model: an index out of range, lengths which cannot be brought together."},
    {"runtime.not_found",
     "Neural networks are run by ONNX Runtime, the library libonnxruntime.so.1, and it was not found. It is "
     "looked for in $WHERRY_ONNXRUNTIME, beside the program, where the system has its libraries, in "
     "/opt/wherry/lib and in ~/.cache/wherry/onnxruntime."},
    {"runtime.not_usable",
     "The library libonnxruntime.so.1 was found, but it cannot be loaded or is too old."},
    {"runtime.no_memory",
     "There is not enough memory to load the model, or to compute the answer to a request."},
    {"runtime.unsupported",
     "The model uses an operator or a type which this ONNX Runtime does not implement."},
};

}  // namespace wherry::runtime
