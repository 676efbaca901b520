// The results of a run under the name they had when only the replay of golden examples read them.
#pragma once

#include "engine/results.h"

namespace wherry::verify {

using engine::Results;

}  // namespace wherry::verify
