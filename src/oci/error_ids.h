// Error ids of module oci, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::oci {

inline constexpr base::ErrorId kErrorIds[] = {
    {"oci.reference_invalid",
     "An image reference does not follow the form registry/repository:tag@sha256:digest, or a part of it has "
     "characters which registries do not allow."},
    {"oci.output_invalid",
     "The value of --output is not one of oci:DIR, oci-archive:FILE, docker-archive:FILE."},
    {"oci.output_exists",
     "The folder for an OCI layout exists and holds something else; wherry does not overwrite it."},
    {"oci.layout_invalid", "The folder named is not an OCI image layout."},
    {"oci.elf_invalid", "A program or library is not a well-formed 64-bit little-endian ELF file for Linux."},
    {"oci.library_missing",
     "A shared library which the server needs was not found on this machine, so the image could not start."},
    {"oci.layer_path",
     "A path inside an image layer is absolute, repeated, empty, or would delete other files."},
    {"oci.source_changed", "A file changed while it was being written into a layer."},
    {"oci.blob_corrupt", "A stored blob no longer has the content its digest announces."},
    {"oci.document_invalid",
     "A manifest, index or image configuration lacks required members or has wrong ones."},
    {"oci.document_limit", "A manifest, index or image configuration has more entries than any real image."},
    {"oci.document_unsupported", "A manifest is of a kind which wherry does not read."},
    {"oci.platform_missing", "A multi-platform image has no variant for the platform asked for."},
    {"oci.credentials_invalid", "The Docker or containers credential file, or an entry in it, is malformed."},
    {"oci.credential_helper", "A docker-credential-* helper failed or gave an answer which cannot be read."},
    {"oci.challenge_invalid",
     "A registry asked for authentication in a way which wherry does not understand or which is not safe."},
    {"oci.token_invalid", "The token server of a registry gave an answer which is not a token."},
    {"oci.unauthorized", "The registry wants a login, or refused the one it was given."},
    {"oci.denied", "The login is known to the registry but lacks the right for this repository."},
    {"oci.repository_missing",
     "The repository does not exist in the registry and is not made automatically."},
    {"oci.manifest_missing", "The registry has no image of this tag or digest."},
    {"oci.blob_missing", "The registry does not have a blob which the manifest names."},
    {"oci.manifest_rejected", "The registry refused the manifest."},
    {"oci.blob_rejected", "The registry did not accept an uploaded layer or configuration."},
    {"oci.upload_invalid",
     "The registry answered an upload in a way the distribution specification rules out."},
    {"oci.digest_mismatch",
     "What the registry sent or stored is not what its digest announces: damaged on the way, or tampered "
     "with."},
    {"oci.insecure_address",
     "A registry pointed to an unencrypted or private address for a login or an upload; following it could "
     "leak credentials."},
    {"oci.not_a_registry", "The server answers HTTP but does not speak the OCI distribution API."},
    {"oci.rate_limited", "The registry refuses further requests for some time."},
    {"oci.registry_error", "The registry failed in a way that is its own problem or unknown to wherry."},
};

}  // namespace wherry::oci
