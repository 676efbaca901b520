#include "cli/cmd_dockerfile.h"

#include <memory>

#include "app/image.h"
#include "base/text.h"
#include "cli/model_options.h"
#include "cli/places.h"
#include "cli/version.h"
#include "oci/dockerfile.h"

namespace wherry::cli {
namespace {

using base::cat;

struct DockerfileOptions {
  ModelOptions model;
  std::string folder;
  std::vector<std::string> labels;
};

base::Result<int> print_dockerfile(const DockerfileOptions& options, Context& context) {
  TRY_ASSIGN(const app::Model model, load(options.model, context));
  TRY_ASSIGN(const verify::Report report, app::check_golden(model));
  context.terminal.note(cat("golden: ", verify::summary(report)));
  TRY_ASSIGN(const std::filesystem::path server, server_binary());
  TRY_ASSIGN(const std::filesystem::path bundle, app::cached_bundle(model, cache_folder(), context.files));
  TRY_ASSIGN(const oci::ServiceFiles files, app::image_files(model, {server, bundle, source_date_epoch(),
                                                                     std::string(kVersion), options.labels}));
  if (options.folder.empty()) {
    context.terminal.note("with --context FOLDER the folders which it copies are written too");
  } else {
    TRY(oci::write_docker_context(files, options.folder));
    context.terminal.note(cat("written: ", options.folder, "; next: docker build ", options.folder));
  }
  context.terminal.data(oci::dockerfile(files));
  return 0;
}

}  // namespace

Action define_dockerfile(Options& options) {
  auto given = std::make_shared<DockerfileOptions>();
  define_service_options(options, given->model);
  options
      .text("--context,-c", "FOLDER", given->folder,
            "write the Dockerfile and everything it copies to this new folder")
      .texts("--label", "KEY=VALUE", given->labels, "a further label of the image");
  return [given](Context& context) { return print_dockerfile(*given, context); };
}

}  // namespace wherry::cli
