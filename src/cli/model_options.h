// The model argument which most commands take, and how its file is read.
#pragma once

#include <string>
#include <vector>

#include "app/model.h"
#include "cli/command.h"

namespace wherry::cli {

struct ModelOptions {
  std::string path;
  std::string golden;
  std::string name;
  std::string profile;
  std::vector<std::string> limits;  // "NAME=VALUE"
  std::string signature;
  std::string source;
  std::string class_name;
  std::string arch;
  std::vector<std::string> shapes;  // "NAME=DTYPE:LENGTH,…"
};

// MODEL, --limit, and what some formats need to be told: --signature, --source, --class, --arch,
// --shape.
void define_model_options(Options& options, ModelOptions& model);
// These and --golden, --profile, --name: for commands which make a service of the model.
void define_service_options(Options& options, ModelOptions& model);

// "pickle.unknown_limit", "pickle.bad_limit", or "cli.usage" for a limit or shape which is not written as
// one.
base::Result<formats::Options> to_options(const ModelOptions& model);

base::Result<app::Model> load(const ModelOptions& model, Context& context);

}  // namespace wherry::cli
