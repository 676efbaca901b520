// The addresses of each protocol. Add a protocol by one file `answers_NAME.cc` with its rows, a declaration
// here and a line in answers.cc.
#pragma once

#include <span>

#include "serve/routes.h"

namespace wherry::serve {

struct Call;

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

// What some of them share.
void answer_invocations(Call& call);        // the body of /invocations, for the only model
void answer_named_invocations(Call& call);  // the same for the model of the path
void answer_ping(Call& call);
void answer_page(Call& call);

// `first`, then all of these: of two for one address the first counts.
Routes all_routes(std::span<const RouteRow> first = {});

}  // namespace wherry::serve
