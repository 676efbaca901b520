#include "serve/answers.h"
#include "serve/call.h"

namespace wherry::serve {

namespace {

void metrics(Call& call) {
  const Model* model = call.service.model();
  call.response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  call.response.body = call.service.metrics().render(model == nullptr ? ModelLabels{} : model->labels,
                                                     call.service.ready(), WHERRY_VERSION);
}

constexpr RouteRow kRows[] = {
    {"metrics", "/metrics", "GET", Permission::kMetrics, metrics},
};

}  // namespace

std::span<const RouteRow> metrics_rows() {
  return kRows;
}

}  // namespace wherry::serve
