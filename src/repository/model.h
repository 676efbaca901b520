// One version of one model: checked against its golden predictions, and measured.
//
// Thread-safety: immutable once loaded, but for its statistics, which see to themselves.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "repository/settings.h"
#include "repository/statistics.h"
#include "schedule/policy.h"
#include "telemetry/metrics.h"
#include "telemetry/profile.h"

#include "base/error.h"
#include "base/files.h"
#include "program/bundle.h"
#include "protocol/card.h"
#include "protocol/golden.h"
#include "protocol/schema.h"

namespace wherry::repository {

// The digest is "sha256:…" of bundle.json, which has those of the other files.
using telemetry::ModelLabels;

// What whoever serves a model adds to it when it is loaded. Lives as long as the model.
struct Attachment {
  virtual ~Attachment() = default;
};

struct Model {
  std::string name;
  std::string version;  // "1"
  ModelLabels labels;
  protocol::Schema schema;
  std::string golden_summary;  // one sentence on what was replayed, or that nothing was
  protocol::Golden golden;
  schedule::Target target;  // its plan, how it is scheduled and what it costs
  Settings settings;
  std::uint64_t bytes = 0;  // of memory, as estimated
  std::chrono::nanoseconds load_time{0};
  protocol::ModelCard card;                   // what documents tell about it
  std::optional<telemetry::Profile> profile;  // of its training data, where the bundle has one
  std::unique_ptr<Attachment> attachment;     // made by LoadRequest::attach
  std::unique_ptr<Statistics> statistics;
  std::weak_ptr<const Model> self;  // for who looks at it and must keep it

  const engine::Plan& plan() const { return target.plan; }
};

// A model as the scheduler takes it: lives as long as the result. The model is alive.
inline std::shared_ptr<const schedule::Target> target_of(const Model& model) {
  return {model.self.lock(), &model.target};
}

struct LoadRequest {
  std::filesystem::path folder;  // of the bundle
  std::string name;              // empty: the bundle's own
  std::string version = "1";
  Settings settings;
  unsigned threads = 1;  // which will write statistics
  // Whether the weights are read into memory and their digest checked, so that what happens to the file later
  // cannot change or end the server; else they stay mapped from disk, which is quicker.
  bool copy_weights = false;
  // Called once when all the rest is there. May be empty.
  std::function<std::unique_ptr<Attachment>(const Model& model)> attach;
};

// Reads the bundle, compiles the plan, replays the golden predictions, warms the model up and measures what
// a prediction costs. Errors: those of the parts, and "repository.golden_mismatch".
base::Result<std::shared_ptr<Model>> load_model(const LoadRequest& request, base::FileSystem& files);

// About how much memory the bundle in `folder` will take: twice the size of its files, since what is packed
// for speed stands beside what was read.
std::uint64_t estimate_bytes(const std::filesystem::path& folder);

// What runs of `plan` cost, measured on `rows`, which the model takes. Takes some milliseconds, or a few runs
// if those take longer.
schedule::Cost measure_cost(const engine::Plan& plan, const tensor::Table& rows);

}  // namespace wherry::repository
