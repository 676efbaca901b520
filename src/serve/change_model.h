// Loading and unloading on request, whatever the protocol.
#pragma once

#include <string>

#include "serve/call.h"

namespace wherry::serve {

// How a protocol says how it went; keeps nothing, runs on any thread.
using ChangeAnswer = void (*)(const base::Status& status, http::Response& response);

// Loads or unloads on the repository's thread, and answers then, through a Later. Errors: "serve.no_model",
// "repository.not_explicit", and those of repository::Repository.
void change_model(Call& call, std::string name, bool load, ChangeAnswer answer);

}  // namespace wherry::serve
