// The addresses which some clouds want beside those that are always there.
#pragma once

#include <span>

#include "serve/routes.h"

namespace wherry::serve {

// SageMaker's multi-model endpoints (docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html).
std::span<const RouteRow> sagemaker_rows();
// Azure ML's inference server.
std::span<const RouteRow> azure_rows();

}  // namespace wherry::serve
