// Programs as documents: program.json plus weights.safetensors (docs/formats/bundle.md).
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "program/program.h"
#include "text/json.h"

namespace wherry::program {

// program.json: {"version":1,"signature":…,"weights":[…],"nodes":[…],"outputs":[…]}. Weights of strings stand
// in it, the others are named and live in the safetensors file.
text::Json program_to_json(const Program& program);

// The reverse, through ProgramBuilder, so everything is checked. `weights` are those of the safetensors file.
// Errors: "program.bad_bundle", "program.invalid".
base::Result<Program> program_from_json(const text::Json& document, std::vector<Weight> weights);

text::Json signature_to_json(const Signature& signature);

}  // namespace wherry::program
