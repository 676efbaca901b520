// The model being served, checked against its golden predictions and with every document about it prepared.
//
// Thread-safety: immutable once loaded.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/files.h"
#include "engine/plan.h"
#include "program/bundle.h"
#include "protocol/golden.h"
#include "protocol/schema.h"
#include "serve/metrics.h"

namespace wherry::serve {

inline constexpr std::string_view kModelVersion = "1";  // a bundle holds one version of one model

struct Model {
  std::string name;
  ModelLabels labels;  // digest: "sha256:…" of the bundle
  protocol::Schema schema;
  engine::Plan plan;
  std::string golden_summary;  // one sentence on what was replayed, or that nothing was
  std::string metadata;        // JSON of GET /v2/models/NAME
  std::string page;            // HTML of GET /
  std::string page_policy;     // its Content-Security-Policy
};

// Reads the bundle, compiles the plan, replays the golden predictions. Errors: those of the parts, and
// "serve.golden_mismatch".
base::Result<std::unique_ptr<const Model>> load_model(const std::filesystem::path& bundle,
                                                      base::FileSystem& files,
                                                      std::string_view server_version);

}  // namespace wherry::serve
