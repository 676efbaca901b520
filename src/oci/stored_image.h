// Images which exist already - in an OCI layout on disk or in a registry - and copying them to a registry
// byte by byte, so that digests (and signatures on them) stay what they are.
//
// Thread-safety: values; one thread at a time per session.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "oci/manifest.h"
#include "oci/push.h"
#include "oci/reference.h"
#include "oci/registry.h"

namespace wherry::oci {

// An image manifest with its blobs, or an index with its manifests.
struct StoredImage {
  Descriptor descriptor;
  std::string document;  // exact bytes
  std::vector<BlobContent> blobs;
  std::vector<StoredImage> children;
};

// The image of `tag` in a layout; with an empty tag the only one there is. Every manifest's digest is checked
// now, blobs when they are sent. Errors: "oci.layout_invalid", "oci.manifest_missing" (listing the tags there
// are), "oci.document_*", "oci.digest_mismatch".
base::Result<StoredImage> read_layout(const std::filesystem::path& folder, std::string_view tag);

// An image in a registry, all platforms. Blobs are fetched into `store` only when they are needed, so
// `session` and `store` must outlive the value.
base::Result<StoredImage> read_remote(RegistrySession& session, const Reference& reference,
                                      const std::filesystem::path& store);

// Blobs, then manifests, children first, the outermost under the reference's tag.
base::Result<PushResult> push_stored(RegistrySession& session, const StoredImage& image,
                                     const Reference& reference, const PushOptions& options);

}  // namespace wherry::oci
