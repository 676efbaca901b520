// JSON Schemas of what a tensor model takes and answers. Private to module protocol.
//
// Thread-safety: pure functions.
#pragma once

#include "protocol/openapi.h"

namespace wherry::protocol {

// Adds Row, Predictions, Invocations, V1Request and InferRequest of a loaded model which takes tensors.
void add_tensor_schemas(const ApiModel& model, text::Json& schemas);

// Said beside requests whose example would be too long: how the tensors go as binary data.
std::string large_example_text(const ApiModel& model);

}  // namespace wherry::protocol
