#include "serve/answers.h"
#include "serve/call.h"

namespace wherry::serve {

namespace {

void page(Call& call) {
  const Model* model = only_model(call);
  if (model == nullptr) return;
  call.response.content_type = "text/html; charset=utf-8";
  call.response.body = served(*model).page;
  call.response.add_header("Content-Security-Policy", served(*model).page_policy);
  call.response.add_header("Referrer-Policy", "no-referrer");
  call.response.add_header("Cache-Control", "no-cache");
}

constexpr RouteRow kRows[] = {
    {"page", "/", "GET", Permission::kMetadata, page},
};

}  // namespace

std::span<const RouteRow> page_rows() {
  return kRows;
}

}  // namespace wherry::serve
