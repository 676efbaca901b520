// The model being served, checked against its golden predictions and with every document about it prepared.
//
// Thread-safety: immutable once it is served, but for what its observers count.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "telemetry/metrics.h"
#include "telemetry/profile.h"

#include "base/error.h"
#include "base/files.h"
#include "engine/plan.h"
#include "program/bundle.h"
#include "protocol/golden.h"
#include "protocol/schema.h"
#include "serve/model_observers.h"

namespace wherry::serve {

using telemetry::ModelLabels;

inline constexpr std::string_view kModelVersion = "1";  // a bundle holds one version of one model

struct Model {
  std::string name;
  ModelLabels labels;  // digest: "sha256:…" of the bundle
  protocol::Schema schema;
  engine::Plan plan;
  std::string golden_summary;                 // one sentence on what was replayed, or that nothing was
  std::string metadata;                       // JSON of GET /v2/models/NAME
  std::string page;                           // HTML of GET /
  std::string page_policy;                    // its Content-Security-Policy
  std::optional<telemetry::Profile> profile;  // of its training data, where the bundle has one
  ModelObservers observers;                   // made by Service::set_model
};

// Reads the bundle, compiles the plan, replays the golden predictions. Errors: those of the parts, and
// "serve.golden_mismatch".
base::Result<std::unique_ptr<Model>> load_model(const std::filesystem::path& bundle, base::FileSystem& files,
                                                std::string_view server_version);

}  // namespace wherry::serve
