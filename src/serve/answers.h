// The addresses of each protocol. Add a protocol by one file `answers_NAME.cc` with its rows, a declaration
// here and a line in answers.cc.
#pragma once

#include <span>

#include "serve/routes.h"

namespace wherry::serve {

std::span<const RouteRow> health_rows();       // /v2/health/…, /ping, /health, /version
std::span<const RouteRow> v2_rows();           // Open Inference Protocol V2 REST (inference_rest.md)
std::span<const RouteRow> grpc_rows();         // inference.GRPCInferenceService, health, reflection
std::span<const RouteRow> repository_rows();   // configuration, statistics, loading (Triton's extensions)
std::span<const RouteRow> invocations_rows();  // MLflow's scoring server, SageMaker
std::span<const RouteRow> v1_rows();           // KServe's and TensorFlow Serving's V1 (api_rest.md)
std::span<const RouteRow> page_rows();         // for people
std::span<const RouteRow> openapi_rows();      // the OpenAPI document
std::span<const RouteRow> metrics_rows();
std::span<const RouteRow> manage_rows();

// All of them.
Routes all_routes();

}  // namespace wherry::serve
