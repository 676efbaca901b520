#include "protocol/openapi.h"
#include "serve/answers.h"
#include "serve/call.h"
#include "serve/described.h"
#include "text/yaml.h"

namespace wherry::serve {

namespace {

// "/package.Service/Method": described by its protobuf files and by server reflection.
bool is_grpc(std::string_view pattern) {
  const std::size_t second = pattern.find('/', 1);
  return second != pattern.npos && pattern.substr(0, second).find('.') != pattern.npos;
}

text::Json document(const Call& call) {
  std::vector<protocol::ApiRoute> routes;
  for (const RouteRow& row : call.service.routes().rows())
    if (row.permission != Permission::kDebug && !is_grpc(row.pattern))
      routes.push_back({row.name, row.pattern, row.method, row.permission != Permission::kNothing});
  const bool keys = call.service.extras().authority != nullptr;
  const Described described(call.models);
  return protocol::openapi(described.models(), routes,
                           {.server_version = call.service.shown_version(), .api_key = keys, .bearer = keys});
}

void answer(Call& call, std::string_view name, std::string_view content_type,
            std::string (*write)(const text::Json&)) {
  const auto made = call.service.documents().get(
      generation(call.models), name, [&] { return make_document(content_type, write(document(call))); });
  answer_document(*made, call.request, call.response);
}

void openapi_json(Call& call) {
  answer(call, "openapi.json", "application/json",
         [](const text::Json& api) { return text::write_json(api); });
}

void openapi_yaml(Call& call) {
  answer(call, "openapi.yaml", "application/yaml",
         [](const text::Json& api) { return text::write_yaml(api); });
}

constexpr RouteRow kRows[] = {
    {"openapi", "/openapi.json", "GET", Permission::kMetadata, openapi_json},
    {"openapi", "/swagger.json", "GET", Permission::kMetadata, openapi_json},  // where Azure ML looks for it
    {"openapi_yaml", "/openapi.yaml", "GET", Permission::kMetadata, openapi_yaml},
};

}  // namespace

std::span<const RouteRow> openapi_rows() {
  return kRows;
}

}  // namespace wherry::serve
