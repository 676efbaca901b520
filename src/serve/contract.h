// What a cloud expects of a container beside our own addresses, found in the environment it sets or chosen
// with
// --contract:
//   SageMaker     GET /ping, POST /invocations (always there), argument "serve"; with SAGEMAKER_MULTI_MODEL
//   the
//                 models below /opt/ml/models, loaded and unloaded with POST, GET and DELETE /models…
//   Vertex AI     AIP_HTTP_PORT, AIP_HEALTH_ROUTE, AIP_PREDICT_ROUTE: any paths
//   Azure ML      port 5001, GET / says that the process lives, POST /score, GET /swagger.json
//   AWS Lambda    nothing is listened to: events are asked for (lambda.h)
// Cloud Run, Code Engine and App Runner need no more than PORT.
//
// Thread-safety: values, pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "serve/routes.h"

namespace wherry::serve {

struct Options;
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

enum class Cloud : std::uint8_t { kNone, kSageMaker, kVertex, kAzure, kLambda };
std::optional<Cloud> parse_cloud(std::string_view name);  // "vertex"

struct Contract {
  Cloud cloud = Cloud::kNone;
  bool given = false;                       // said with --contract: the environment does not choose
  std::string health_route, predict_route;  // Vertex AI
  std::string lambda_api;                   // host:port of the runtime interface
  std::vector<std::string> folders;  // where this cloud puts models, tried when none is in the usual place
  std::string storage_uri;           // where Vertex AI keeps what it was given as the model
  bool many_models = false;          // SageMaker's multi-model endpoints
};

// Fills options.contract, and what it changes of the other options where they were not given. Errors:
// "serve.bad_contract" (kUsage).
base::Status find_contract(const Environment& environment, Options& options);

// Where the bundle is, once the disk can be looked at. Errors: "serve.no_model_here" (kUsage), when the cloud
// keeps the model at a place which this server does not read.
base::Status find_bundle(Options& options, const std::function<bool(const std::string& path)>& exists);

// The addresses of the contract. The views point into `contract`.
std::vector<RouteRow> contract_rows(const Contract& contract);

}  // namespace wherry::serve
