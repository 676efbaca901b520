// An image as a value: layers and settings become configuration and manifest, without clock, network or disk.
//
// Thread-safety: values; pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "oci/layer.h"
#include "oci/manifest.h"

namespace wherry::oci {

struct ImageSpec {
  Platform platform;
  std::int64_t created = 0;              // seconds since 1970: SOURCE_DATE_EPOCH
  std::string user = "65532:65532";      // numeric, so that Kubernetes can check runAsNonRoot
  std::vector<std::string> entrypoint;   // absolute path first; there is no shell in the image
  std::vector<std::string> command;      // replaced by `docker run IMAGE ARGS…` (SageMaker: "serve")
  std::vector<std::string> environment;  // "NAME=value"
  std::vector<std::string> exposed_ports = {"8080/tcp"};
  std::string working_directory = "/";
  std::string stop_signal = "SIGTERM";
  Annotations labels;       // of the configuration; image tools show them
  Annotations annotations;  // of the manifest
};

struct Image {
  ImageSpec spec;
  std::vector<Layer> layers;  // base first
  std::string config;         // exact bytes
  Descriptor config_descriptor;
  std::string manifest;   // exact bytes
  Descriptor descriptor;  // of the manifest, with platform: its digest is the image's digest
};

// The same values give the same bytes. Labels and annotations are sorted by key.
Image assemble_image(ImageSpec spec, std::vector<Layer> layers);

// Bytes to transfer: layers, configuration and manifest.
std::uint64_t compressed_size(const Image& image);

}  // namespace wherry::oci
