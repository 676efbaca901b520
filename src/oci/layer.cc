#include "oci/layer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>
#include <zlib.h>

#include "base/digest.h"
#include "base/file_stream.h"
#include "base/files.h"
#include "base/text.h"
#include "oci/gzip.h"
#include "text/json.h"

namespace wherry::oci {
namespace {

namespace fs = std::filesystem;
using base::cat;
using base::Result;
using base::Status;

constexpr std::string_view kFormat = "wherry-layer 1";  // raise when the bytes for the same input change
constexpr std::size_t kPiece = 256 << 10;
constexpr std::size_t kLongestPath = 4096;
constexpr std::size_t kMostEntries = 100'000;
// zlib's best trade-off for programs and JSON; weights hardly compress, so large layers get the fastest level
// (float32 weights: 8 % at level 1, 9 % at level 6, which takes three times as long).
constexpr int kLevel = 6;
constexpr int kLevelForLarge = 1;
constexpr std::uint64_t kLarge = 64 << 20;

std::unexpected<base::Error> bad_path(std::string_view path, std::string_view why) {
  return base::fail(base::Code::kInvalidInput, "oci.layer_path",
                    cat("layer path ", base::quoted(path), ": ", why), "rename or remove the file");
}

Status check_path(std::string_view path) {
  if (path.empty() || path.size() > kLongestPath) return bad_path(path, "empty or too long");
  for (std::string_view part : base::split(path, '/')) {
    if (part.empty()) return bad_path(path, "it is absolute or has an empty part");
    if (part == "." || part == "..") return bad_path(path, "it has a part '.' or '..'");
    if (part.starts_with(".wh.")) return bad_path(path, "names beginning with '.wh.' delete files in images");
  }
  if (path.find('\0') != std::string_view::npos) return bad_path(path, "it has a zero byte");
  return {};
}

Status normalise(std::vector<LayerEntry>& entries) {
  if (entries.size() > kMostEntries)
    return bad_path(entries.front().path, "more than 100000 files in a layer");
  std::vector<std::string> folders;
  for (const LayerEntry& entry : entries) {
    TRY(check_path(entry.path));
    for (std::size_t cut = entry.path.rfind('/'); cut != std::string::npos;
         cut = entry.path.rfind('/', cut - 1)) {
      folders.push_back(entry.path.substr(0, cut));
      if (cut == 0) break;
    }
  }
  std::ranges::sort(folders);
  folders.erase(std::ranges::unique(folders).begin(), folders.end());
  std::ranges::sort(entries, {}, &LayerEntry::path);
  const std::size_t given = entries.size();
  for (std::string& folder : folders) {
    const auto found = std::ranges::lower_bound(entries.begin(), entries.begin() + static_cast<long>(given),
                                                folder, {}, &LayerEntry::path);
    if (found == entries.begin() + static_cast<long>(given) || found->path != folder)
      entries.push_back(folder_entry(std::move(folder)));
    else if (found->type != TarType::kFolder)
      return bad_path(folder, "it is a file and a folder at once");
  }
  std::ranges::sort(entries, {}, &LayerEntry::path);
  for (std::size_t i = 1; i < entries.size(); ++i)
    if (entries[i].path == entries[i - 1].path) return bad_path(entries[i].path, "it occurs twice");
  return {};
}

// What one entry's content is: known before the archive is written, checked while it is.
struct Content {
  std::uint64_t size = 0;
  std::string hex;
};

Result<Content> digest_of_file(const fs::path& path) {
  TRY_ASSIGN(base::FileReader reader, base::FileReader::open(path));
  std::vector<std::byte> piece(kPiece);
  base::Sha256 hash;
  Content content;
  for (;;) {
    TRY_ASSIGN(const std::size_t count, reader.read(piece));
    if (count == 0) break;
    hash.update(base::Bytes(piece).first(count));
    content.size += count;
  }
  content.hex = hash.finish_hex();
  return content;
}

Result<std::vector<Content>> digest_contents(const std::vector<LayerEntry>& entries) {
  std::vector<Content> contents(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].type != TarType::kFile) continue;
    if (const auto* text = std::get_if<std::string>(&entries[i].source)) {
      contents[i] = {text->size(), base::sha256_hex(*text)};
    } else {
      TRY_ASSIGN(contents[i], digest_of_file(std::get<fs::path>(entries[i].source)));
    }
  }
  return contents;
}

int level_for(const std::vector<Content>& contents) {
  std::uint64_t total = 0;
  for (const Content& content : contents) total += content.size;
  return total > kLarge ? kLevelForLarge : kLevel;
}

std::string cache_key(const std::vector<LayerEntry>& entries, const std::vector<Content>& contents,
                      const LayerOptions& options, int level) {
  base::Sha256 hash;
  hash.update(
      cat(kFormat, "\nzlib ", zlibVersion(), "\nlevel ", level, "\nmodified ", options.modified, "\n"));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const LayerEntry& entry = entries[i];
    hash.update(cat(static_cast<int>(entry.type), " ", entry.mode, " ", entry.uid, " ", entry.gid, " ",
                    contents[i].size, " ", contents[i].hex, " ", entry.path.size(), " ", entry.path, " ",
                    entry.link_target, "\n"));
  }
  return hash.finish_hex();
}

struct Record {
  std::string digest;
  std::uint64_t size = 0;
  std::string diff_id;
};

// Anything unusual about a remembered layer only means that it is made again.
std::optional<Record> remembered(const fs::path& file) {
  const auto document = base::real_files().read(file, 4096);
  if (!document) return std::nullopt;
  const auto json = text::parse_json(*document, "layer record");
  if (!json) return std::nullopt;
  const std::string* digest = text::find_string(*json, "digest");
  const std::string* diff_id = text::find_string(*json, "diffID");
  const auto size = text::find_integer(*json, "size");
  if (digest == nullptr || diff_id == nullptr || !size || *size < 0) return std::nullopt;
  if (!base::is_sha256_digest(*digest) || !base::is_sha256_digest(*diff_id)) return std::nullopt;
  return Record{*digest, static_cast<std::uint64_t>(*size), *diff_id};
}

Status add_file(TarWriter& tar, const TarHeader& header, const LayerEntry& entry, const Content& expected) {
  if (const auto* text = std::get_if<std::string>(&entry.source)) return tar.add_file(header, *text);
  const fs::path& path = std::get<fs::path>(entry.source);
  TRY_ASSIGN(base::FileReader reader, base::FileReader::open(path));
  TRY(tar.add_header(header));
  std::vector<std::byte> piece(kPiece);
  base::Sha256 hash;
  for (;;) {
    TRY_ASSIGN(const std::size_t count, reader.read(piece));
    if (count == 0) break;
    const base::Bytes bytes = base::Bytes(piece).first(count);
    hash.update(bytes);
    TRY(tar.add_content(bytes));
  }
  TRY(tar.end_content());
  if (hash.finish_hex() != expected.hex)
    return base::fail(base::Code::kUnavailable, "oci.source_changed",
                      cat(path.string(), ": the file changed while it was put into the image"),
                      "try again when nothing writes to it");
  return {};
}

Result<Record> write_layer(const std::vector<LayerEntry>& entries, const std::vector<Content>& contents,
                           const LayerOptions& options, int level, const fs::path& store) {
  TRY_ASSIGN(base::FileWriter file, base::FileWriter::create_in(store / "blobs" / "sha256"));
  base::Sha256 compressed;
  base::Sha256 plain;
  Record record;
  GzipWriter gzip(level, [&](base::Bytes bytes) {
    compressed.update(bytes);
    record.size += bytes.size();
    return file.write(bytes);
  });
  TarWriter tar([&](base::Bytes bytes) {
    plain.update(bytes);
    return gzip.write(bytes);
  });
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const LayerEntry& entry = entries[i];
    const TarHeader header{.path = entry.path,
                           .type = entry.type,
                           .mode = entry.mode,
                           .uid = entry.uid,
                           .gid = entry.gid,
                           .size = contents[i].size,
                           .modified = options.modified,
                           .link_target = entry.link_target};
    if (entry.type == TarType::kFile) {
      TRY(add_file(tar, header, entry, contents[i]));
    } else {
      TRY(tar.add_header(header));
      TRY(tar.end_content());
    }
  }
  TRY(tar.finish());
  TRY(gzip.finish());
  record.digest = cat("sha256:", compressed.finish_hex());
  record.diff_id = cat("sha256:", plain.finish_hex());
  TRY(file.commit(blob_path(store, record.digest)));
  return record;
}

}  // namespace

LayerEntry text_entry(std::string path, std::string content, std::uint32_t mode) {
  return {.path = std::move(path), .type = TarType::kFile, .mode = mode, .source = std::move(content)};
}

LayerEntry file_entry(std::string path, fs::path source, std::uint32_t mode) {
  return {.path = std::move(path), .type = TarType::kFile, .mode = mode, .source = std::move(source)};
}

LayerEntry folder_entry(std::string path, std::uint32_t mode) {
  return {.path = std::move(path), .type = TarType::kFolder, .mode = mode, .source = std::string()};
}

Result<std::vector<LayerEntry>> entries_of_folder(const fs::path& folder, std::string_view path) {
  std::vector<LayerEntry> entries;
  std::error_code failure;
  fs::recursive_directory_iterator at(folder, failure);
  for (; !failure && at != fs::recursive_directory_iterator(); at.increment(failure)) {
    const fs::file_status status = at->symlink_status(failure);
    if (failure || fs::is_directory(status)) continue;
    const std::string inside = at->path().lexically_relative(folder).string();
    if (!fs::is_regular_file(status)) return bad_path(inside, "it is not a regular file");
    entries.push_back(file_entry(cat(path, "/", inside), at->path()));
    if (entries.size() > kMostEntries) return bad_path(inside, "more than 100000 files in a folder");
  }
  if (failure)
    return base::fail(base::Code::kUsage, "base.file_unreadable",
                      cat(folder.string(), ": ", failure.message()), "check the path and its permissions");
  return entries;
}

fs::path blob_path(const fs::path& store, std::string_view digest) {
  return store / "blobs" / "sha256" / digest.substr(digest.find(':') + 1);
}

bool holds_blob(const fs::path& file, std::string_view digest, std::uint64_t size) {
  std::error_code failure;
  if (fs::file_size(file, failure) != size || failure) return false;
  const auto content = digest_of_file(file);
  return content && cat("sha256:", content->hex) == digest;
}

Result<Layer> build_layer(std::vector<LayerEntry> entries, const LayerOptions& options,
                          const fs::path& store) {
  TRY(normalise(entries));
  TRY_ASSIGN(const std::vector<Content> contents, digest_contents(entries));
  const int level = level_for(contents);
  const fs::path memory = store / "layers" / cat(cache_key(entries, contents, options, level), ".json");
  std::optional<Record> record = remembered(memory);
  const bool reused = record && holds_blob(blob_path(store, record->digest), record->digest, record->size);
  if (reused) {
    std::error_code ignored;
    fs::last_write_time(blob_path(store, record->digest), fs::file_time_type::clock::now(), ignored);
  } else {
    TRY_ASSIGN(record, write_layer(entries, contents, options, level, store));
    const text::Json json{{"digest", record->digest}, {"size", record->size}, {"diffID", record->diff_id}};
    TRY(base::real_files().write(memory, text::write_json(json)));
  }
  return Layer{
      .descriptor = {.media_type = std::string(kLayerType), .digest = record->digest, .size = record->size},
      .diff_id = record->diff_id,
      .file = blob_path(store, record->digest),
      .created_by = options.created_by,
      .reused = reused};
}

void trim_store(const fs::path& store, std::uint64_t most) {
  struct Blob {
    fs::file_time_type used;
    std::uint64_t size;
    fs::path path;
  };
  std::vector<Blob> blobs;
  std::uint64_t total = 0;
  std::error_code failure;
  for (fs::directory_iterator at(store / "blobs" / "sha256", failure);
       !failure && at != fs::directory_iterator(); at.increment(failure)) {
    std::error_code ignored;
    blobs.push_back({at->last_write_time(ignored), at->file_size(ignored), at->path()});
    if (ignored)
      blobs.pop_back();
    else
      total += blobs.back().size;
  }
  std::ranges::sort(blobs, {}, &Blob::used);
  const auto recent = fs::file_time_type::clock::now() - std::chrono::hours(1);
  for (const Blob& blob : blobs) {
    if (total <= most || blob.used > recent) return;
    if (fs::remove(blob.path, failure)) total -= blob.size;
  }
}

}  // namespace wherry::oci
