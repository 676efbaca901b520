// The pages at "/" (a form to try a model, and what it is) and "/docs" (the OpenAPI document, to read and to
// try). Each is one self-contained HTML document.
//
// Thread-safety: pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "protocol/openapi.h"

namespace wherry::serve {

struct Page {
  std::string html;
  std::string
      policy;  // Content-Security-Policy: nothing but the page's own style and script, by their hashes
};

Page make_page();
// What it shows of a model, which must have schema and card; `all` are the models to choose from.
text::Json page_data(const protocol::ApiModel& model, std::span<const protocol::ApiModel> all,
                     std::string_view server_version);

Page make_docs_page();

}  // namespace wherry::serve
