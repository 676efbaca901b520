// From a model file (or a bundle folder) to everything one can do with it: the plan that predicts, the golden
// examples, the bundle that travels.
//
// Thread-safety: a Model is immutable after loading.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "engine/plan.h"
#include "import/formats/formats.h"
#include "program/bundle.h"
#include "protocol/golden.h"
#include "protocol/schema.h"
#include "verify/verify.h"

namespace wherry::app {

struct ModelRequest {
  std::filesystem::path path;  // model file or bundle folder
  std::filesystem::path
      golden;  // golden examples; empty: FILE.golden.jsonl beside the model when it is there
  std::filesystem::path profile =
      {};                         // CSV of training data to make statistics of; empty: none, or the bundle's
  std::string name = {};          // service name; empty: made from the file's name
  formats::Options options = {};  // what the importer is told
};

struct Model {
  program::Bundle bundle;
  engine::Plan plan;
  protocol::Schema schema;
  protocol::Golden golden;
};

// Imports the file, reads or records golden examples and compiles the plan. Nothing is written.
// Errors: those of formats, the importers, golden files; a refused model is an error here.
base::Result<Model> load_model(const ModelRequest& request, base::FileSystem& files);

// Replays the golden examples; a failure is the error "app.golden_mismatch".
base::Result<verify::Report> check_golden(const Model& model);

// "fraud" for examples/fraud/model.joblib (a file called model, pipeline or the like is named after its
// folder), "iris" for iris.pkl.
std::string default_name(const std::filesystem::path& path);

// FILE.golden.jsonl beside FILE.joblib.
std::filesystem::path golden_beside(const std::filesystem::path& model);

}  // namespace wherry::app
