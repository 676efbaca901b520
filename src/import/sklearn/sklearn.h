// scikit-learn models as Programs: reads the estimators of a pickle and states, operation by operation, what
// scikit-learn's own code computes from them (versions 1.2 to 1.9, and 0.24 to 1.1 where they agree).
//
// Thread-safety: pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "import/pickle/document.h"
#include "program/program.h"
#include "program/provenance.h"

namespace wherry::sklearn {

struct Lowered {
  program::Program program;
  program::Provenance provenance;  // framework, version, estimators, manifest, notes; not the source's fields
};

// Outputs are those methods of predict, predict_proba, decision_function and transform which the fitted
// estimator has. Errors: "sklearn.*" (error_ids.h) and "pickle.*" naming the attribute; "program.invalid" for
// contradictions which only the operations' contracts show.
base::Result<Lowered> lower(const pickle::Document& document);

// What can be said about a file whether or not it can be lowered. Never fails; an object graph that makes no
// sense has no estimators.
struct Inspection {
  std::string framework_version;  // "1.9.1", empty when the file does not say
  std::vector<program::EstimatorLine> estimators;
  std::vector<program::ManifestEntry> manifest;  // refused ones first, then in the file's order
};
Inspection describe(const pickle::Document& document);

// What prediction makes of a global of the file. `called`: Python would call it when loading the file.
program::GlobalUse classify(std::string_view module, std::string_view name, bool called);

// Every estimator class that lower() knows, as "sklearn.pipeline.Pipeline" in its newest spelling.
std::vector<std::string> supported_classes();

}  // namespace wherry::sklearn
