// JSON Schemas (draft 2020-12, as OpenAPI 3.1 has them) of what one model takes and answers. Private to
// module protocol.
//
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "protocol/openapi.h"

namespace wherry::protocol {

// Names below components/schemas: "fraud.Row", or "Any.Row" for a model without schema.
std::string component(const ApiModel& model, std::string_view what);
text::Json reference(std::string_view component_name);  // {"$ref": "#/components/schemas/…"}

// Adds the model's schemas: Row, Rows, Predictions, Invocations, V1Request, V1Examples, InferRequest,
// InferResponse.
void add_model_schemas(const ApiModel& model, text::Json& schemas);

// Adds what does not depend on a model: Error, Live, Ready, ….
void add_common_schemas(text::Json& schemas);

}  // namespace wherry::protocol
