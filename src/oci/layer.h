// Image layers: reproducible gzip-compressed tar archives, kept in a content-addressed folder so that an
// unchanged layer is not made twice. Files of any size pass through in pieces.
//
// The store: blobs/sha256/<hex> holds blobs, layers/<key>.json remembers which blob came from which input,
// where the key is the SHA-256 of everything that decides the bytes (paths, modes, owners, contents, time,
// compression level, zlib and format version). Anything in it may be deleted at any time. Several processes
// may use one store at once.
//
// Thread-safety: values; the functions may run at the same time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "oci/manifest.h"
#include "oci/tar.h"

namespace wherry::oci {

// One file, folder or symlink of a layer. Entries are owned by root and readable by everybody: the service
// runs as another user and must not be able to change them.
struct LayerEntry {
  std::string path;  // in the image, without leading slash: "model/bundle.json"
  TarType type = TarType::kFile;
  std::uint32_t mode = 0644;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::variant<std::string, std::filesystem::path> source;  // content, or the file to copy (links followed)
  std::string link_target = {};                             // symlinks only
};

LayerEntry text_entry(std::string path, std::string content, std::uint32_t mode = 0644);
LayerEntry file_entry(std::string path, std::filesystem::path source, std::uint32_t mode = 0644);
LayerEntry folder_entry(std::string path, std::uint32_t mode = 0755);

// Every regular file below `folder`, under `path` in the image, mode 0644. Other kinds of file are
// "oci.layer_path".
base::Result<std::vector<LayerEntry>> entries_of_folder(const std::filesystem::path& folder,
                                                        std::string_view path);

struct LayerOptions {
  std::int64_t modified = 0;  // time stamp of every entry: SOURCE_DATE_EPOCH
  std::string created_by;     // what the image's history says about this layer
};

struct Layer {
  Descriptor descriptor;       // of the compressed blob
  std::string diff_id;         // digest of the uncompressed tar
  std::filesystem::path file;  // the blob in the store
  std::string created_by;
  bool reused = false;  // found in the store
};

// Sorted by path, missing parent folders added (0755, root). Errors: "oci.layer_path" (absolute, "..", "",
// twice, a whiteout name), "oci.source_changed", "base.file_*".
base::Result<Layer> build_layer(std::vector<LayerEntry> entries, const LayerOptions& options,
                                const std::filesystem::path& store);

std::filesystem::path blob_path(const std::filesystem::path& store, std::string_view digest);

// Reads the whole file; false when it is missing or its content is not what the digest says.
bool holds_blob(const std::filesystem::path& file, std::string_view digest, std::uint64_t size);

// Removes the blobs not used for longest until the store holds at most `most` bytes; blobs used within the
// last hour stay. Failures are ignored: the next call tries again.
void trim_store(const std::filesystem::path& store, std::uint64_t most);

}  // namespace wherry::oci
