// Manifests, indexes and image configurations as values, and their JSON (image-spec 1.1; Docker's schema 2
// forms are read too, they have the same members).
//
// Thread-safety: values; pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace wherry::oci {

inline constexpr std::string_view kManifestType = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kIndexType = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kConfigType = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kLayerType = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view kDockerManifestType =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerIndexType =
    "application/vnd.docker.distribution.manifest.list.v2+json";

// Key-value pairs in the order in which they are written.
using Annotations = std::vector<std::pair<std::string, std::string>>;

struct Platform {
  std::string architecture;  // Go's names: "amd64", "arm64"
  std::string os = "linux";
  std::string variant;  // "" or e.g. "v8"
  bool operator==(const Platform&) const = default;
};

std::string to_string(const Platform& platform);  // "linux/arm64/v8"

struct Descriptor {
  std::string media_type;
  std::string digest;      // "sha256:…"
  std::uint64_t size = 0;  // bytes of the blob
  Annotations annotations = {};
  std::optional<Platform> platform = std::nullopt;  // in indexes
  bool operator==(const Descriptor&) const = default;
};

struct Manifest {
  std::string media_type{kManifestType};
  Descriptor config;
  std::vector<Descriptor> layers;  // base first
  Annotations annotations;
};

struct Index {
  std::string media_type{kIndexType};
  std::vector<Descriptor> manifests;
  Annotations annotations;
};

struct HistoryEntry {
  std::string created_by;
  std::string comment;
};

struct ImageConfig {
  Platform platform;
  std::int64_t created = 0;  // seconds since 1970
  std::string user;          // "65532:65532"
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::vector<std::string> environment;    // "NAME=value"
  std::vector<std::string> exposed_ports;  // "8080/tcp"
  std::string working_directory;
  std::string stop_signal;
  Annotations labels;
  std::vector<std::string> diff_ids;  // sha256 of each uncompressed layer, base first
  std::vector<HistoryEntry> history;  // empty, or one per layer
};

// The value of `key`; nullptr when absent.
const std::string* find_annotation(const Annotations& annotations, std::string_view key);

// Exact bytes: the same value always gives the same text.
std::string write_manifest(const Manifest& manifest);
std::string write_index(const Index& index);
std::string write_config(const ImageConfig& config);

// Hostile input allowed; members which wherry does not use are ignored. `what` names the document in
// messages. Errors: "oci.document_invalid", "oci.document_limit", "text.json_*"; a schema 1 manifest or an
// artifact without image layers is "oci.document_unsupported".
base::Result<Manifest> parse_manifest(std::string_view document, std::string_view what);
base::Result<Index> parse_index(std::string_view document, std::string_view what);
base::Result<ImageConfig> parse_config(std::string_view document, std::string_view what);

// The media type a manifest document is of: `announced` if it is one wherry knows, else what the document
// itself says or looks like.
base::Result<std::string> manifest_media_type(std::string_view document, std::string_view announced,
                                              std::string_view what);
bool is_index_type(std::string_view media_type);

// RFC 3339 without fractions: "1970-01-01T00:00:00Z".
std::string format_created(std::int64_t seconds);

// The entry of an index which runs on `wanted` (an empty variant matches any; no platform matches a lone
// entry). Error: "oci.platform_missing", listing what there is.
base::Result<Descriptor> choose_platform(const Index& index, const Platform& wanted, std::string_view what);

}  // namespace wherry::oci
