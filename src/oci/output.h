// Writing an image to disk: OCI layout (image-spec 1.1 "Image Layout"), the same as a tar archive, and the
// archive which `docker load` reads (Docker image spec v1.2 "Combined Image JSON + Filesystem Changeset").
//
// Thread-safety: pure functions of the files they read; two writers to one place must not run at once.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"
#include "oci/image.h"
#include "oci/reference.h"

namespace wherry::oci {

enum class OutputKind { kLayout, kOciArchive, kDockerArchive };

struct Output {
  OutputKind kind = OutputKind::kLayout;
  std::filesystem::path path;
};

// "oci:DIR", "oci-archive:FILE" or "docker-archive:FILE". Error: "oci.output_invalid".
base::Result<Output> parse_output(std::string_view text);

// Nothing half-written is ever visible. An existing OCI layout gets the image added (an image of the same tag
// is replaced in its index); a folder with anything else in it is "oci.output_exists". An archive file is
// replaced. The same image gives the same bytes. Errors also: "oci.blob_corrupt", "base.file_unwritable".
base::Status write_image(const Image& image, const Reference& name, const Output& output);

}  // namespace wherry::oci
