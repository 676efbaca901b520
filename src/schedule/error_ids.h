// Error ids of module schedule, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::schedule {

inline constexpr base::ErrorId kErrorIds[] = {
    {"schedule.queue_full",
     "The requests already waiting for this model would keep a new one waiting for longer than allowed, so "
     "it "
     "is refused at once; Retry-After says when to come back."},
    {"schedule.deadline",
     "The time which the client or the model's queue policy gives a request was over before it was "
     "computed."},
    {"schedule.abandoned", "The client went away before its request was computed."},
    {"schedule.ending", "The server is ending and takes no more requests."},
    {"schedule.no_memory", "There is not enough memory to compute a request of this size now."},
};

}  // namespace wherry::schedule
