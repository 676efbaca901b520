// From a loaded model to the image that serves it.
//
// Thread-safety: functions of their arguments and the disk; safe to call at once for one cache.
#pragma once

#include <cstdint>
#include <filesystem>

#include "app/model.h"
#include "base/error.h"
#include "oci/service_image.h"

namespace wherry::app {

struct ImageRequest {
  std::filesystem::path server;     // the wherry-server binary which travels in the image
  std::filesystem::path bundle;     // of the model, as cached_bundle() names it
  std::int64_t created = 0;         // SOURCE_DATE_EPOCH
  std::string version;              // of wherry, for the label
  std::vector<std::string> labels;  // further labels "key=value"
};

// The bundle of the model as a folder below the cache, named after its digest; written unless it is there
// already.
base::Result<std::filesystem::path> cached_bundle(const Model& model, const std::filesystem::path& cache,
                                                  base::FileSystem& files);

// Everything the image consists of, nothing compressed yet: oci::build_image(…, cache / "layers") makes it.
// The labels say what is inside: org.opencontainers.image.title,
// io.wherry.{version,framework,model.digest,source.digest,golden}, and for neural networks
// io.wherry.onnxruntime, the version of the runtime which travels in a layer of its own. Errors: "runtime.*",
// "app.bad_label" for a label without '='.
base::Result<oci::ServiceFiles> image_files(const Model& model, const ImageRequest& request);

std::filesystem::path layer_store(const std::filesystem::path& cache);

}  // namespace wherry::app
