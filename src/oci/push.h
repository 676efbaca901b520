// Putting an image into a registry (distribution-spec 1.1 "Push"): blobs which are not there yet, then the
// manifest. Blobs are streamed from the layer store, never held in memory.
//
// Thread-safety: one thread at a time per session.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "oci/image.h"
#include "oci/reference.h"
#include "oci/registry.h"

namespace wherry::oci {

// How a blob came to be in the repository.
enum class BlobOutcome { kExisted, kMounted, kUploaded };

struct PushProgress {
  std::string_view digest;
  std::uint64_t sent = 0;
  std::uint64_t size = 0;
  bool done = false;
  BlobOutcome outcome = BlobOutcome::kUploaded;  // when done
};

struct PushOptions {
  std::vector<std::string> mount_from;  // repositories of the same registry which may have the blobs
  std::function<void(const PushProgress&)> on_progress;
};

struct PushedBlob {
  std::string digest;
  std::uint64_t size = 0;
  BlobOutcome outcome = BlobOutcome::kUploaded;
};

struct PushResult {
  std::string digest;  // of the manifest
  std::vector<PushedBlob> blobs;
};

// Where a blob's bytes are: in `file`, or behind `fetch`, which is called only when they have to be sent, or
// in `text` (borrowed).
struct BlobContent {
  Descriptor descriptor;
  std::string_view text = {};
  std::filesystem::path file = {};
  std::function<base::Result<std::filesystem::path>()> fetch = {};
};

// Makes sure that the repository has the blob: HEAD, cross-repository mount, then one streamed PATCH and a
// closing PUT; registries which do not take that get a single PUT. Each failed upload starts anew, as often
// as the session's retry policy says. Errors: refusals (answers.h), "oci.upload_invalid",
// "oci.insecure_address", "oci.digest_mismatch".
base::Result<PushedBlob> push_blob(RegistrySession& session, std::string_view repository,
                                   const BlobContent& blob, const PushOptions& options);

// Layers, configuration, manifest. The manifest gets the reference's tag, or only its digest when there is no
// tag. A reference with a digest which is not the image's is "oci.digest_mismatch".
base::Result<PushResult> push_image(RegistrySession& session, const Image& image, const Reference& reference,
                                    const PushOptions& options);

}  // namespace wherry::oci
