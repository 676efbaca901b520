// What an environment holds, and how failures of the C interface become errors. Private to module runtime.
#pragma once

#include <string_view>

#include "runtime/api.h"

#include "base/error.h"

namespace wherry::runtime {

struct Library {
  Api api;
  OrtEnv* env = nullptr;
  OrtMemoryInfo* memory = nullptr;    // of tensors that stand in our memory
  OrtAllocator* allocator = nullptr;  // for tensors of strings; the library's own
};

// During which a call failed.
enum class Phase : std::uint8_t { kOpening, kLoading, kRunning };

// Takes the status, null for success.
base::Status check(const Api& api, OrtStatus* status, Phase phase);

}  // namespace wherry::runtime
