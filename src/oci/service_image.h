// What goes into the image of a model service: the server with the libraries it is linked to, and the bundle.
//
// Thread-safety: pure functions of the files they read.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "oci/image.h"
#include "oci/layer.h"

namespace wherry::oci {

inline constexpr std::string_view kServerPath = "wherry-server";  // in the image, from the root
inline constexpr std::string_view kModelFolder = "model";

// A shared library which is loaded by its name at run time.
struct LoadedLibrary {
  std::filesystem::path file;
  std::string name;  // "libonnxruntime.so.1"
};

// Where shared libraries are looked for.
struct LibrarySearch {
  std::filesystem::path root = "/";           // a system root; another one when building for another machine
  std::vector<LoadedLibrary> libraries = {};  // further libraries to carry, with what they need
};

struct Runtime {
  Platform platform;
  std::vector<LayerEntry> entries;
  // What `libraries` bring and the server does not need: the same for every server, so that one layer of it
  // serves all images which have it.
  std::vector<LayerEntry> loaded;
};

// The server at /wherry-server, its dynamic loader and every shared library it or `libraries` need, at the
// absolute paths where the loader looks for them, and a minimal /etc/passwd, /etc/group and /tmp. A static
// server brings no libraries. Errors: "oci.elf_invalid", "oci.library_missing", "base.file_*".
base::Result<Runtime> runtime_files(const std::filesystem::path& server, const LibrarySearch& search = {});

struct ModelFiles {
  std::vector<LayerEntry> description;  // signature, program, golden examples: small, changes often
  std::vector<LayerEntry> weights;      // files of 1 MiB and more; may be empty
};

// The bundle folder below /model. Two layers, so that weights are not pushed again when only text changed.
base::Result<ModelFiles> model_files(const std::filesystem::path& bundle);

struct ServiceImageRequest {
  std::filesystem::path server;
  std::filesystem::path bundle;
  LibrarySearch search = {};
  std::int64_t created = 0;  // SOURCE_DATE_EPOCH
  Annotations labels = {};
  std::vector<std::string> command = {};
  std::vector<std::string> environment = {};
};

struct LayerGroup {
  std::string
      name;  // "runtime", "libraries", "weights", "model": stable, also a folder of the Docker context
  std::vector<LayerEntry> entries;
};

// Everything an image is made of, before anything is compressed.
struct ServiceFiles {
  ImageSpec spec;
  std::vector<LayerGroup> groups;  // one layer each, none empty, base first
};

// Runtime, libraries loaded at run time (if there are any), weights (if there are large files) and the rest
// of the bundle.
base::Result<ServiceFiles> service_files(const ServiceImageRequest& request);

// Compressed layers are kept in `store` (see layer.h).
base::Result<Image> build_image(ServiceFiles files, const std::filesystem::path& store);

}  // namespace wherry::oci
