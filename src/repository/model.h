// One version of one model: checked against its golden predictions, measured, with every document about it
// prepared.
//
// Thread-safety: immutable once loaded, but for its statistics, which see to themselves.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "repository/settings.h"
#include "repository/statistics.h"
#include "schedule/policy.h"

#include "base/error.h"
#include "base/files.h"
#include "program/bundle.h"
#include "protocol/golden.h"
#include "protocol/schema.h"

namespace wherry::repository {

struct ModelLabels {
  std::string name, framework, framework_version;
  std::string digest;  // "sha256:…" of bundle.json, which has those of the other files
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
  std::vector<std::string> documents;  // made by LoadRequest::prepare, in its order
  std::unique_ptr<Statistics> statistics;

  const engine::Plan& plan() const { return target.plan; }
};

// A model as the scheduler takes it: lives as long as the result.
inline std::shared_ptr<const schedule::Target> target_of(const std::shared_ptr<const Model>& model) {
  return {model, &model->target};
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
  // Documents about the model, made once: the page, the OpenAPI description. May be empty.
  std::function<std::vector<std::string>(const Model& model)> prepare;
};

// Reads the bundle, compiles the plan, replays the golden predictions, warms the model up and measures what
// a prediction costs. Errors: those of the parts, and "repository.golden_mismatch".
base::Result<std::shared_ptr<const Model>> load_model(const LoadRequest& request, base::FileSystem& files);

// About how much memory the bundle in `folder` will take: twice the size of its files, since what is packed
// for speed stands beside what was read.
std::uint64_t estimate_bytes(const std::filesystem::path& folder);

// What runs of `plan` cost, measured on `rows`, which the model takes. Takes some milliseconds, or a few runs
// if those take longer.
schedule::Cost measure_cost(const engine::Plan& plan, const tensor::Table& rows);

}  // namespace wherry::repository
