// The OpenAPI 3.1 document of a server (spec.openapis.org/oas/v3.1.1): every address it has, with the
// columns, types and categories of the models behind it, and examples which succeed when posted.
//
// Thread-safety: pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/card.h"
#include "protocol/schema.h"
#include "text/json.h"

namespace wherry::protocol {

// One model as the document describes it. `schema` and `card` may be null while it is not loaded: its
// addresses are then described without its columns.
struct ApiModel {
  std::string_view name;
  std::vector<std::string_view> versions;
  const Schema* schema = nullptr;
  const ModelCard* card = nullptr;
};

// One row of the server's table of addresses. `pattern` may hold {model}, {version} and {label}.
struct ApiRoute {
  std::string_view name;  // "infer": what it does, the same for patterns which differ in {version} only
  std::string_view pattern;
  std::string_view method;       // "GET", "POST", …
  bool needs_permission = true;  // false: answered to anyone
};

struct ApiOptions {
  std::string_view server_version;
  bool api_key = false;  // X-Api-Key is understood
  bool bearer = false;   // Authorization: Bearer is understood
};

// Models of more columns get rows without a property per column.
inline constexpr std::size_t kMostDescribedColumns = 2000;

// One path per address and model; {model} is filled in, so that each has its own schemas. Addresses without a
// model in their path are those of the only model, where there is one. A route whose name is unknown here is
// described in general terms: nothing the server has is left out.
text::Json openapi(std::span<const ApiModel> models, std::span<const ApiRoute> routes,
                   const ApiOptions& options);

}  // namespace wherry::protocol
