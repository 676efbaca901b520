#include "oci/output.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <optional>
#include <sys/stat.h>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/file_stream.h"
#include "base/files.h"
#include "base/text.h"
#include "oci/tar.h"
#include "text/json.h"

namespace wherry::oci {
namespace {

namespace fs = std::filesystem;
using base::cat;
using base::Result;
using base::Status;

constexpr std::string_view kLayoutMarker = R"({"imageLayoutVersion":"1.0.0"})";
constexpr std::string_view kRefName = "org.opencontainers.image.ref.name";
constexpr std::string_view kContainerdName = "io.containerd.image.name";
constexpr std::size_t kPiece = 256 << 10;
constexpr std::uint64_t kLargestIndex = 4 << 20;

struct OutputRow {
  std::string_view prefix;
  OutputKind kind;
};
constexpr std::array kOutputs{OutputRow{"oci:", OutputKind::kLayout},
                              OutputRow{"oci-archive:", OutputKind::kOciArchive},
                              OutputRow{"docker-archive:", OutputKind::kDockerArchive}};

std::unexpected<base::Error> unwritable(const fs::path& path, std::string_view reason) {
  return base::fail(base::Code::kUnavailable, "base.file_unwritable", cat(path.string(), ": ", reason),
                    "check the permissions and the free space of the folder");
}

std::string hex_of(std::string_view digest) {
  return std::string(digest.substr(digest.find(':') + 1));
}

// The layer's bytes into `sink`, checked against its digest on the way.
Status copy_layer(const Layer& layer, const ByteSink& sink) {
  TRY_ASSIGN(base::FileReader reader, base::FileReader::open(layer.file));
  std::vector<std::byte> piece(kPiece);
  base::Sha256 hash;
  for (;;) {
    TRY_ASSIGN(const std::size_t count, reader.read(piece));
    if (count == 0) break;
    hash.update(base::Bytes(piece).first(count));
    TRY(sink(base::Bytes(piece).first(count)));
  }
  if (cat("sha256:", hash.finish_hex()) == layer.descriptor.digest) return {};
  return base::fail(base::Code::kUnavailable, "oci.blob_corrupt",
                    cat(layer.file.string(), ": its content is not what its digest says"),
                    "remove the file and build again");
}

Descriptor named_descriptor(const Image& image, const Reference& name) {
  Descriptor descriptor = image.descriptor;
  if (name.tag.empty()) return descriptor;
  descriptor.annotations.emplace_back(kContainerdName,
                                      cat(name.registry, "/", name.repository, ":", name.tag));
  descriptor.annotations.emplace_back(kRefName, name.tag);
  return descriptor;
}

// The index which has `added` beside what `existing` already names.
Index merged_index(Index existing, Descriptor added) {
  const std::string* tag = find_annotation(added.annotations, kRefName);
  std::erase_if(existing.manifests, [&](const Descriptor& entry) {
    const std::string* other = find_annotation(entry.annotations, kRefName);
    if (tag == nullptr || other == nullptr) return entry.digest == added.digest && other == nullptr;
    return *other == *tag;
  });
  existing.manifests.push_back(std::move(added));
  return existing;
}

Status write_layout_files(const Image& image, const Index& index, const fs::path& folder) {
  const fs::path blobs = folder / "blobs" / "sha256";
  for (const Layer& layer : image.layers) {
    TRY_ASSIGN(base::FileWriter writer, base::FileWriter::create_in(blobs));
    TRY(copy_layer(layer, [&](base::Bytes bytes) { return writer.write(bytes); }));
    TRY(writer.commit(blobs / hex_of(layer.descriptor.digest)));
  }
  base::FileSystem& files = base::real_files();
  TRY(files.write(blobs / hex_of(image.config_descriptor.digest), image.config));
  TRY(files.write(blobs / hex_of(image.descriptor.digest), image.manifest));
  TRY(files.write(folder / "oci-layout", kLayoutMarker));
  return files.write(folder / "index.json", write_index(index));
}

Status write_new_layout(const Image& image, const Index& index, const fs::path& folder) {
  const fs::path parent = folder.has_parent_path() ? folder.parent_path() : fs::path(".");
  std::error_code failure;
  fs::create_directories(parent, failure);
  if (failure) return unwritable(parent, failure.message());
  std::string temporary = parent / ".wherry-layout-XXXXXX";
  if (::mkdtemp(temporary.data()) == nullptr) return unwritable(parent, std::strerror(errno));
  Status written = write_layout_files(image, index, temporary);
  if (written && ::chmod(temporary.c_str(), 0755) != 0) written = unwritable(folder, std::strerror(errno));
  if (written) {
    fs::rename(temporary, folder, failure);
    if (failure) written = unwritable(folder, failure.message());
  }
  if (!written) fs::remove_all(temporary, failure);
  return written;
}

Status write_layout(const Image& image, const Reference& name, fs::path folder) {
  if (!folder.has_filename()) folder = folder.parent_path();
  const Index empty;
  std::error_code failure;
  if (!fs::exists(folder, failure) || (fs::is_directory(folder, failure) && fs::is_empty(folder, failure)))
    return write_new_layout(image, merged_index(empty, named_descriptor(image, name)), folder);
  if (!fs::exists(folder / "oci-layout", failure))
    return base::fail(base::Code::kUsage, "oci.output_exists",
                      cat(folder.string(), ": it exists and is not an OCI layout"),
                      "name a folder which does not exist yet");
  TRY_ASSIGN(const std::string document, base::real_files().read(folder / "index.json", kLargestIndex));
  TRY_ASSIGN(Index existing, parse_index(document, (folder / "index.json").string()));
  return write_layout_files(image, merged_index(std::move(existing), named_descriptor(image, name)), folder);
}

// A tar archive which appears under its name when it is complete.
Status write_archive(const fs::path& path, const std::function<Status(TarWriter&)>& fill) {
  TRY_ASSIGN(base::FileWriter file, base::FileWriter::create_in(path.parent_path()));
  TarWriter tar([&](base::Bytes bytes) { return file.write(bytes); });
  TRY(fill(tar));
  TRY(tar.finish());
  return file.commit(path);
}

Status add_layer(TarWriter& tar, const Layer& layer, std::string path, std::int64_t modified) {
  TRY(tar.add_header({.path = std::move(path), .size = layer.descriptor.size, .modified = modified}));
  TRY(copy_layer(layer, [&](base::Bytes bytes) { return tar.add_content(bytes); }));
  return tar.end_content();
}

Status write_oci_archive(const Image& image, const Reference& name, const fs::path& path) {
  const std::int64_t modified = image.spec.created;
  const auto add = [&](TarWriter& tar, std::string at, std::string_view content) {
    return tar.add_file({.path = std::move(at), .modified = modified}, content);
  };
  return write_archive(path, [&](TarWriter& tar) -> Status {
    for (const char* folder : {"blobs", "blobs/sha256"}) {
      TRY(tar.add_header({.path = folder, .type = TarType::kFolder, .mode = 0755, .modified = modified}));
      TRY(tar.end_content());
    }
    for (const Layer& layer : image.layers)
      TRY(add_layer(tar, layer, cat("blobs/sha256/", hex_of(layer.descriptor.digest)), modified));
    TRY(add(tar, cat("blobs/sha256/", hex_of(image.config_descriptor.digest)), image.config));
    TRY(add(tar, cat("blobs/sha256/", hex_of(image.descriptor.digest)), image.manifest));
    TRY(add(tar, "index.json", write_index(merged_index({}, named_descriptor(image, name)))));
    return add(tar, "oci-layout", kLayoutMarker);
  });
}

Status write_docker_archive(const Image& image, const Reference& name, const fs::path& path) {
  const std::int64_t modified = image.spec.created;
  const std::string config = cat(hex_of(image.config_descriptor.digest), ".json");
  text::Json layers = text::Json::array();
  for (const Layer& layer : image.layers) layers.push_back(cat(hex_of(layer.descriptor.digest), ".tar.gz"));
  text::Json tags = text::Json::array();
  if (!name.tag.empty()) tags.push_back(cat(name.registry, "/", name.repository, ":", name.tag));
  const text::Json manifest =
      text::Json::array({{{"Config", config}, {"RepoTags", tags}, {"Layers", layers}}});
  return write_archive(path, [&](TarWriter& tar) -> Status {
    TRY(tar.add_file({.path = config, .modified = modified}, image.config));
    for (const Layer& layer : image.layers)
      TRY(add_layer(tar, layer, cat(hex_of(layer.descriptor.digest), ".tar.gz"), modified));
    return tar.add_file({.path = "manifest.json", .modified = modified}, text::write_json(manifest));
  });
}

}  // namespace

Result<Output> parse_output(std::string_view text) {
  for (const OutputRow& row : kOutputs)
    if (text.starts_with(row.prefix) && text.size() > row.prefix.size())
      return Output{row.kind, fs::path(text.substr(row.prefix.size()))};
  constexpr std::array<std::string_view, 3> kNames{"oci", "oci-archive", "docker-archive"};
  const auto likely = base::nearest(text.substr(0, text.find(':')), kNames);
  return base::fail(base::Code::kUsage, "oci.output_invalid",
                    cat("output ", base::quoted(text), " is of no known form"),
                    likely ? cat("did you mean '", *likely, ":PATH'?")
                           : std::string("use oci:DIR, oci-archive:FILE or docker-archive:FILE"));
}

Status write_image(const Image& image, const Reference& name, const Output& output) {
  switch (output.kind) {
    case OutputKind::kLayout:
      return write_layout(image, name, output.path);
    case OutputKind::kOciArchive:
      return write_oci_archive(image, name, output.path);
    case OutputKind::kDockerArchive:
      return write_docker_archive(image, name, output.path);
  }
  std::unreachable();
}

}  // namespace wherry::oci
