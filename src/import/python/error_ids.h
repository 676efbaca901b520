// Error ids of module python_source, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::python {

inline constexpr base::ErrorId kErrorIds[] = {
    {"python.syntax",
     "A Python source (given with --source, or inside a TorchScript file) is not valid Python 3; the message "
     "names file, line and column."},
    {"python.limit",
     "A Python source is larger or nested deeper than the limits of the reader. It is read, never executed."},
};

}  // namespace wherry::python
