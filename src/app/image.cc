#include "app/image.h"

#include "runtime/environment.h"

#include "base/text.h"

namespace wherry::app {

using base::cat;

base::Result<std::filesystem::path> cached_bundle(const Model& model, const std::filesystem::path& cache,
                                                  base::FileSystem& files) {
  const std::string digest = program::bundle_digest(program::bundle_files(model.bundle));
  const std::filesystem::path folder = cache / "bundles" / digest.substr(digest.find(':') + 1);
  if (!files.exists(folder / "bundle.json")) TRY(program::write_bundle(model.bundle, folder, files));
  return folder;
}

std::filesystem::path layer_store(const std::filesystem::path& cache) {
  return cache / "layers";
}

base::Result<oci::ServiceFiles> image_files(const Model& model, const ImageRequest& request) {
  const program::Provenance& provenance = model.bundle.provenance;
  oci::ServiceImageRequest service;
  service.server = request.server;
  service.created = request.created;
  service.bundle = request.bundle;
  if (model.plan.signature().takes_tensors()) {
    TRY_ASSIGN(const runtime::Environment* environment, runtime::Environment::get());
    service.search.libraries.push_back({environment->path(), std::string(runtime::kLibraryName)});
    service.labels.emplace_back("io.wherry.onnxruntime", environment->version());
  }
  service.labels.emplace_back("org.opencontainers.image.title", model.bundle.name);
  service.labels.emplace_back("io.wherry.version", request.version);
  service.labels.emplace_back("io.wherry.framework",
                              cat(provenance.framework, " ", provenance.framework_version));
  service.labels.emplace_back("io.wherry.model.digest", cat("sha256:", service.bundle.filename().string()));
  service.labels.emplace_back("io.wherry.source.digest", provenance.source_digest);
  service.labels.emplace_back("io.wherry.golden",
                              model.bundle.golden_source.empty() ? "none" : model.bundle.golden_source);
  for (const std::string& label : request.labels) {
    const std::size_t equals = label.find('=');
    if (equals == std::string::npos || equals == 0)
      return base::fail(base::Code::kUsage, "app.bad_label",
                        cat("label ", base::quoted(label), " is not KEY=VALUE"),
                        "give e.g. --label team=risk");
    service.labels.emplace_back(label.substr(0, equals), label.substr(equals + 1));
  }
  return oci::service_files(service);
}

}  // namespace wherry::app
