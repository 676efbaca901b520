// Where a program comes from: what a user is told by `inspect`, and what travels in bundle.json.
//
// Thread-safety: values.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::program {

// What wherry does with one global (class or function) named in a pickle.
enum class GlobalUse : std::uint8_t { kUnderstood, kIgnored, kRefused };
inline constexpr std::string_view kGlobalUseNames[] = {"understood", "ignored", "refused"};
constexpr auto enum_names(GlobalUse) {
  return std::span(kGlobalUseNames);
}

struct ManifestEntry {
  std::string name;  // "sklearn.pipeline.Pipeline"
  std::int64_t count = 0;
  GlobalUse use = GlobalUse::kUnderstood;
  template <class V>
  void fields(V& v) {
    v("name", name), v("count", count), v("use", use);
  }
};

// One line of the estimator tree, depth first.
struct EstimatorLine {
  std::int64_t depth = 0;
  std::string role;         // "steps[1] 'model'" or empty for the root
  std::string class_name;   // "HistGradientBoostingClassifier"
  std::string description;  // "100 trees, 3 064 nodes" or empty
  template <class V>
  void fields(V& v) {
    v("depth", depth), v("role", role), v("class", class_name), v("description", description);
  }
};

struct Provenance {
  std::string format;             // row of the formats table: "joblib", "pickle"
  std::string framework;          // "scikit-learn"
  std::string framework_version;  // "1.9.1"; empty when the file does not say
  std::string source_name;        // file name without folder
  std::string source_digest;      // "sha256:…" of the file
  std::int64_t source_size = 0;   // bytes
  std::vector<EstimatorLine> estimators;
  std::vector<ManifestEntry> manifest;
  std::vector<std::string>
      notes;  // sentences on fidelity, e.g. "dot products may differ from a BLAS in the last bits"
  template <class V>
  void fields(V& v) {
    v("format", format), v("framework", framework), v("framework_version", framework_version);
    v("source_name", source_name), v("source_digest", source_digest), v("source_size", source_size);
    v("estimators", estimators), v("manifest", manifest), v("notes", notes);
  }
};

}  // namespace wherry::program
