// Error ids of module repository, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::repository {

inline constexpr base::ErrorId kErrorIds[] = {
    {"repository.bad_settings",
     "A model's serving.json is not JSON, has a member which does not exist, or a value which cannot be "
     "used."},
    {"repository.bad_name",
     "A model's name may have letters, digits, '-', '_' and '.', and not begin with a dot."},
    {"repository.no_folder", "The model repository, or a model's folder, cannot be read."},
    {"repository.not_found", "The model repository has no model, or no version, of this name."},
    {"repository.load_failed", "Some version of the model could not be loaded; the index says why for each."},
    {"repository.memory", "Loading the model would take more memory than the server may use for models."},
    {"repository.golden_mismatch",
     "The model did not give the answers its golden predictions state, so it is not served: the bundle was "
     "changed, or this machine computes differently."},
    {"repository.not_explicit",
     "Models are loaded and unloaded on request only where the server was started with --model-control "
     "explicit."},
};

}  // namespace wherry::repository
