// Error ids of module app, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::app {

inline constexpr base::ErrorId kErrorIds[] = {
    {"app.no_network", "Only neural networks can be written as ONNX files."},
    {"app.own_operators",
     "A neural network which works on texts with operators of wherry's own cannot be written for other "
     "tools."},
    {"app.bad_name",
     "A service name consists of lower-case letters, digits and '-', at most 63, as Kubernetes wants it."},
    {"app.bad_label", "A label is given as KEY=VALUE."},
    {"app.bad_profile", "The file given as --profile has none of the model's columns, or no rows."},
    {"app.golden_mismatch",
     "The model does not give the answers its golden examples state. It must not be deployed."},
};

}  // namespace wherry::app
