// Loading and unloading on request, whatever the protocol.
#pragma once

#include <string>

#include "serve/call.h"

namespace wherry::serve {

// How a protocol says how it went; keeps nothing, runs on any thread.
using ChangeAnswer = void (*)(std::string_view name, const base::Status& status, http::Response& response);

// Loads or unloads on the repository's thread, and answers then, through a Later. Errors: "serve.no_model",
// "serve.not_ready" (the models of the start are still being loaded), "repository.not_explicit", and those of
// repository::Repository.
void change_model(Call& call, std::string name, bool load, ChangeAnswer answer);

// What a load may bring along with Triton is not taken from requests here: "serve.load_parameter".
std::unexpected<base::Error> refuse_load_parameter(std::string_view name);

}  // namespace wherry::serve
