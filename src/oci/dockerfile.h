// A Dockerfile which gives the same image, for those who must use `docker build`.
//
// Thread-safety: pure functions of the files they read.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "oci/service_image.h"

namespace wherry::oci {

// FROM scratch, one COPY per layer group from the context written by write_docker_context(), and the same
// user, entry point, ports, labels and stop signal as the image wherry builds itself.
std::string dockerfile(const ServiceFiles& files);

// Writes one folder per layer group, with the modes of the image, and the Dockerfile into `folder`, which
// must be missing or empty ("oci.output_exists"). `docker build FOLDER` needs nothing else.
base::Status write_docker_context(const ServiceFiles& files, const std::filesystem::path& folder);

}  // namespace wherry::oci
