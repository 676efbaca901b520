// Error ids of module tensorflow, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::tensorflow {

inline constexpr base::ErrorId kErrorIds[] = {
    {"tensorflow.bad_model",
     "A SavedModel is not written as TensorFlow writes it: a message, a node or a reference between nodes is "
     "missing or malformed. The file was damaged or made by hand."},
    {"tensorflow.bad_checkpoint",
     "The variables of a SavedModel (variables/variables.index and .data files) are damaged or incomplete: a "
     "checksum, an offset or a size does not agree. Copy the whole folder again."},
    {"tensorflow.unsupported_checkpoint",
     "The variables of a SavedModel are stored in a way wherry does not read: compressed blocks, big-endian "
     "numbers or a variable split into slices."},
    {"tensorflow.no_signature",
     "The SavedModel does not have the signature asked for, or has several and none is named "
     "serving_default. `--signature NAME` chooses one."},
    {"tensorflow.missing_variable",
     "The model reads a variable which its checkpoint does not have, or whose name in the checkpoint cannot "
     "be "
     "told from the restore function."},
    {"tensorflow.unsupported_op",
     "The signature needs TensorFlow operations which wherry does not translate. The message lists each kind "
     "once with the name of a node."},
    {"tensorflow.unsupported_use",
     "The signature uses a TensorFlow operation in a way wherry does not translate, such as an axis which is "
     "computed at run time or a dtype without a counterpart."},
    {"tensorflow.recursive", "The functions of a SavedModel call each other without end."},
    {"tensorflow.cyclic", "The nodes of a SavedModel depend on each other in a circle."},
    {"tensorflow.too_large",
     "A SavedModel asks for more nodes, functions or memory than its files can justify."},
};

}  // namespace wherry::tensorflow
