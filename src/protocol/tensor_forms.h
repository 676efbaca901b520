// JSON forms of requests to tensor models, beside V2's: "instances" and "inputs" as TensorFlow Serving,
// KServe and MLflow have them. Private to module protocol.
#pragma once

#include <string_view>

#include "protocol/json_cursor.h"
#include "protocol/tensor_inputs.h"

namespace wherry::protocol {

// A list of rows: of a model with one input each is that input's part, else an object of all inputs' parts.
// False: cursor.failed().
bool read_instances(JsonCursor& cursor, TensorInputs& inputs);

// {"x": […], "y": […]}, whole tensors; of a model with one input also that tensor itself.
bool read_inputs(JsonCursor& cursor, TensorInputs& inputs);

// A whole body in one of the forms of `wherry predict`: {"inputs": …}, {"instances": …}, the object of
// tensors itself, the only tensor itself. V2 requests are not read here.
base::Status read_tensor_body(std::string_view body, const Schema& schema, const RequestLimits& limits,
                              Request& request);

}  // namespace wherry::protocol
