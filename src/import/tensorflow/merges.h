// tf.cond of TensorFlow 1: Switch sends a value into one of two branches, Merge takes that of the branch
// which ran.
//
// Thread-safety: pure function.
#pragma once

#include "import/tensorflow/calls.h"

namespace wherry::tensorflow {

// Gives each Merge of two values a third input, the condition which chooses: false the first, true the second
// one. A Merge whose condition cannot be told (no Switch before it) is left as it is.
void add_conditions(Flat& flat);

}  // namespace wherry::tensorflow
