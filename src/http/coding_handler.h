// Content codings for a handler which knows nothing of them. Internal to module http.
#pragma once

#include "http/handler.h"
#include "http/limits.h"
#include "http/memory_budget.h"

namespace wherry::http {

// Requests reach `handler` with their bodies decoded, and its answers, given at once or later, are coded as
// the client likes. `memory` is charged with large decoded bodies.
std::unique_ptr<Handler> with_content_codings(std::unique_ptr<Handler> handler, const Limits& limits,
                                              std::shared_ptr<MemoryBudget> memory);

}  // namespace wherry::http
