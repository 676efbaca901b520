#include "serve/answers.h"

namespace wherry::serve {

Routes all_routes(std::span<const RouteRow> first) {
  Routes routes;
  routes.add(first);
  for (const auto rows : {health_rows(), v2_rows(), repository_rows(), grpc_rows(), invocations_rows(),
                          v1_rows(), page_rows(), openapi_rows(), metrics_rows(), manage_rows()})
    routes.add(rows);
  return routes;
}

}  // namespace wherry::serve
