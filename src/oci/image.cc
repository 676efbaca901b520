#include "oci/image.h"

#include <algorithm>
#include <utility>

#include "base/digest.h"

namespace wherry::oci {

Image assemble_image(ImageSpec spec, std::vector<Layer> layers) {
  std::ranges::sort(spec.labels);
  std::ranges::sort(spec.annotations);
  ImageConfig config{.platform = spec.platform,
                     .created = spec.created,
                     .user = spec.user,
                     .entrypoint = spec.entrypoint,
                     .command = spec.command,
                     .environment = spec.environment,
                     .exposed_ports = spec.exposed_ports,
                     .working_directory = spec.working_directory,
                     .stop_signal = spec.stop_signal,
                     .labels = spec.labels,
                     .diff_ids = {},
                     .history = {}};
  Manifest manifest;
  for (const Layer& layer : layers) {
    config.diff_ids.push_back(layer.diff_id);
    config.history.push_back({layer.created_by, ""});
    manifest.layers.push_back(layer.descriptor);
  }
  Image image{.spec = std::move(spec), .layers = std::move(layers), .config = write_config(config)};
  image.config_descriptor = {.media_type = std::string(kConfigType),
                             .digest = base::sha256_digest(image.config),
                             .size = image.config.size()};
  manifest.config = image.config_descriptor;
  manifest.annotations = image.spec.annotations;
  image.manifest = write_manifest(manifest);
  image.descriptor = {.media_type = std::string(kManifestType),
                      .digest = base::sha256_digest(image.manifest),
                      .size = image.manifest.size(),
                      .platform = image.spec.platform};
  return image;
}

std::uint64_t compressed_size(const Image& image) {
  std::uint64_t total = image.config.size() + image.manifest.size();
  for (const Layer& layer : image.layers) total += layer.descriptor.size;
  return total;
}

}  // namespace wherry::oci
