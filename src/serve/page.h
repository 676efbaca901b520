// The page at "/": what the model is, and a form to try it. One self-contained HTML document.
//
// Thread-safety: pure function.
#pragma once

#include <string>
#include <string_view>

#include "telemetry/metrics.h"

#include "protocol/golden.h"
#include "protocol/schema.h"

namespace wherry::serve {

struct PageRequest {
  const telemetry::ModelLabels& labels;
  const protocol::Schema& schema;
  const protocol::Golden& golden;  // its rows fill the form
  std::string_view golden_summary;
  std::string_view server_version;
};

struct Page {
  std::string html;
  std::string
      policy;  // Content-Security-Policy: nothing but the page's own style and script, by their hashes
};

Page make_page(const PageRequest& request);

}  // namespace wherry::serve
