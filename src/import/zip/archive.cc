#include "import/zip/archive.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <minizip/unzip.h>
#include <zlib.h>

#include "base/text.h"

namespace wherry::zip {

using base::cat;
using base::Code;
using base::Result;

namespace {

struct Entry {
  unz64_file_pos position{};
  std::uint64_t size = 0;
};

// The bytes as minizip's file.
struct Stream {
  base::Bytes bytes;
  std::uint64_t position = 0;
};

Stream& stream_of(voidpf opaque) {
  return *static_cast<Stream*>(opaque);
}

voidpf open_stream(voidpf opaque, const void*, int) {
  return opaque;
}
uLong read_stream(voidpf opaque, voidpf, void* to, uLong size) {
  Stream& stream = stream_of(opaque);
  const std::uint64_t left = stream.bytes.size() - stream.position;
  const auto count = static_cast<uLong>(std::min<std::uint64_t>(size, left));
  if (count > 0) std::memcpy(to, stream.bytes.data() + stream.position, count);
  stream.position += count;
  return count;
}
uLong write_stream(voidpf, voidpf, const void*, uLong) {
  return 0;
}
ZPOS64_T tell_stream(voidpf opaque, voidpf) {
  return stream_of(opaque).position;
}
long seek_stream(voidpf opaque, voidpf, ZPOS64_T offset, int origin) {
  Stream& stream = stream_of(opaque);
  const std::uint64_t size = stream.bytes.size();
  const std::uint64_t from = origin == ZLIB_FILEFUNC_SEEK_SET   ? 0
                             : origin == ZLIB_FILEFUNC_SEEK_CUR ? stream.position
                                                                : size;
  if (offset > size || from > size - offset) return -1;
  stream.position = from + offset;
  return 0;
}
int close_stream(voidpf, voidpf) {
  return 0;
}
int stream_error(voidpf, voidpf) {
  return 0;
}

std::unexpected<base::Error> bad(std::string what) {
  return base::fail(Code::kInvalidInput, "zip.bad_archive", cat("zip archive: ", what),
                    "the file is damaged; copy or save it again");
}

std::unexpected<base::Error> too_large(std::string what) {
  return base::fail(Code::kLimit, "zip.limit_decompressed", cat("zip archive: ", what),
                    "if you trust the file, raise the bound with --limit decompressed=NUMBER");
}

std::unexpected<base::Error> damaged(std::string_view name) {
  return bad(cat(base::quoted(name), " is damaged: its size or checksum is not what the directory says"));
}

base::Status refuse_method(std::string_view name, const unz_file_info64& about) {
  const bool encrypted = (about.flag & 1) != 0;
  if (!encrypted && (about.compression_method == 0 || about.compression_method == Z_DEFLATED)) return {};
  return base::fail(
      Code::kUnsupported, "zip.unsupported_entry",
      cat("zip archive: ", base::quoted(name),
          encrypted ? " is encrypted" : cat(" is compressed by method ", about.compression_method)),
      "save it stored or deflated (zipfile.ZIP_STORED, ZIP_DEFLATED) and without a password");
}

uLong checksum(base::Bytes bytes) {
  uLong sum = crc32(0, nullptr, 0);
  while (!bytes.empty()) {
    const base::Bytes part = bytes.first(std::min<std::size_t>(bytes.size(), std::size_t{1} << 30));
    sum = crc32(sum, reinterpret_cast<const Bytef*>(part.data()), static_cast<uInt>(part.size()));
    bytes = bytes.subspan(part.size());
  }
  return sum;
}

// Whether the record at the end of an archive is there completely; minizip takes what is missing for zeros.
bool has_end_record(std::string_view bytes) {
  constexpr std::size_t kRecord = 22;
  constexpr std::size_t kLongestComment = 65'535;
  const std::string_view tail =
      bytes.substr(bytes.size() - std::min(bytes.size(), kRecord + kLongestComment));
  for (std::size_t at = tail.rfind("PK\x05\x06"); at != std::string_view::npos;
       at = at == 0 ? std::string_view::npos : tail.rfind("PK\x05\x06", at - 1)) {
    if (tail.size() - at < kRecord) continue;
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(tail[at + i]); };
    if (tail.size() - at - kRecord >= byte(20) + std::size_t{256} * byte(21)) return true;
  }
  return false;
}

constexpr std::uint64_t kDeflateRatio = 1'032;  // the most that deflate can do

}  // namespace

struct Archive::State {
  Stream stream;
  Limits limits;
  unzFile file = nullptr;
  std::map<std::string, Entry, std::less<>> entries;
  std::uint64_t read = 0;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (file != nullptr) unzClose(file);
  }

  base::Status list() {
    unz_global_info64 info{};
    if (unzGetGlobalInfo64(file, &info) != UNZ_OK) return bad("its directory cannot be read");
    if (info.number_entry > limits.entries)
      return base::fail(Code::kLimit, "zip.limit_entries",
                        cat("zip archive: ", info.number_entry, " files, more than ", limits.entries),
                        "no model has so many files; save it again");
    int status = info.number_entry == 0 ? UNZ_END_OF_LIST_OF_FILE : unzGoToFirstFile(file);
    for (; status == UNZ_OK; status = unzGoToNextFile(file)) {
      char name[65'536];
      unz_file_info64 about{};
      Entry entry;
      if (unzGetCurrentFileInfo64(file, &about, name, sizeof name, nullptr, 0, nullptr, 0) != UNZ_OK ||
          about.size_filename >= sizeof name || unzGetFilePos64(file, &entry.position) != UNZ_OK)
        return bad("its directory cannot be read");
      entry.size = about.uncompressed_size;
      const std::string text(name, about.size_filename);
      if (!entries.emplace(text, entry).second) return bad(cat("two files are called ", base::quoted(text)));
    }
    if (status != UNZ_END_OF_LIST_OF_FILE) return bad("its directory cannot be read");
    return {};
  }

  // Makes an entry the current one.
  Result<unz_file_info64> go_to(std::string_view name) {
    const auto entry = entries.find(name);
    if (entry == entries.end())
      return base::fail(Code::kInvalidInput, "zip.no_entry", cat("zip archive: no file ", base::quoted(name)),
                        "the file is damaged; save the model again");
    unz64_file_pos position = entry->second.position;
    unz_file_info64 about{};
    if (unzGoToFilePos64(file, &position) != UNZ_OK ||
        unzGetCurrentFileInfo64(file, &about, nullptr, 0, nullptr, 0, nullptr, 0) != UNZ_OK)
      return bad(cat(base::quoted(name), " cannot be found"));
    return about;
  }

  // Whether an entry may be as large as it says, before its bytes are looked at.
  base::Status admit(std::string_view name, const unz_file_info64& about) {
    TRY(refuse_method(name, about));
    const std::uint64_t most = about.compression_method == 0 ? 1 : kDeflateRatio;
    if (about.compressed_size > stream.bytes.size() || about.uncompressed_size / most > about.compressed_size)
      return bad(cat(base::quoted(name), " says that it is larger than it can be"));
    if (about.uncompressed_size > limits.decompressed_bytes - read)
      return too_large(cat(base::quoted(name), " and the files read before it are larger than ",
                           base::human_size(limits.decompressed_bytes)));
    read += about.uncompressed_size;
    if (read > limits.decompressed_free_bytes && read / limits.decompressed_ratio > stream.bytes.size())
      return too_large(
          cat("its files are more than ", limits.decompressed_ratio, " times as large as the archive"));
    return {};
  }
};

Archive::Archive(std::unique_ptr<State> state) : state_(std::move(state)) {}
Archive::Archive(Archive&&) noexcept = default;
Archive& Archive::operator=(Archive&&) noexcept = default;
Archive::~Archive() = default;

Result<Archive> Archive::open(base::Bytes bytes, const Limits& limits) {
  if (!has_end_record(base::as_text(bytes)))
    return bad("no directory at its end; it was cut off or is no zip archive");
  auto state = std::make_unique<State>();
  state->stream.bytes = bytes;
  state->limits = limits;
  zlib_filefunc64_def functions{open_stream, read_stream,  write_stream, tell_stream,
                                seek_stream, close_stream, stream_error, &state->stream};
  state->file = unzOpen2_64("", &functions);
  if (state->file == nullptr) return bad("its directory cannot be read");
  TRY(state->list());
  return Archive(std::move(state));
}

bool Archive::has(std::string_view name) const {
  return state_->entries.contains(name);
}

std::vector<std::string_view> Archive::names() const {
  std::vector<std::string_view> out;
  for (const auto& [name, entry] : state_->entries) out.emplace_back(name);
  return out;
}

Result<std::optional<base::Bytes>> Archive::borrow(std::string_view name) {
  TRY_ASSIGN(const unz_file_info64 about, state_->go_to(name));
  TRY(refuse_method(name, about));
  if (about.compression_method != 0) return std::nullopt;
  unzFile file = state_->file;
  if (unzOpenCurrentFile(file) != UNZ_OK) return bad(cat(base::quoted(name), " cannot be read"));
  const std::uint64_t start = unzGetCurrentFileZStreamPos64(file);
  unzCloseCurrentFile(file);
  const base::Bytes all = state_->stream.bytes;
  if (about.compressed_size != about.uncompressed_size || start == 0 || start > all.size() ||
      about.uncompressed_size > all.size() - start)
    return bad(cat(base::quoted(name), " says that it is larger than it can be"));
  const base::Bytes content = all.subspan(start, about.uncompressed_size);
  if (checksum(content) != about.crc) return damaged(name);
  return content;
}

Result<std::string> Archive::read(std::string_view name) {
  TRY_ASSIGN(const unz_file_info64 about, state_->go_to(name));
  unzFile file = state_->file;
  TRY(state_->admit(name, about));
  if (unzOpenCurrentFile(file) != UNZ_OK) return bad(cat(base::quoted(name), " cannot be read"));
  std::string out(about.uncompressed_size, '\0');
  std::uint64_t filled = 0;
  while (filled < out.size()) {
    const auto chunk = static_cast<unsigned>(std::min<std::uint64_t>(out.size() - filled, 1U << 30));
    const int count = unzReadCurrentFile(file, out.data() + filled, chunk);
    if (count <= 0) break;
    filled += static_cast<std::uint64_t>(count);
  }
  char more = 0;
  const bool complete = filled == out.size() && unzReadCurrentFile(file, &more, 1) == 0;
  if (unzCloseCurrentFile(file) != UNZ_OK || !complete) return damaged(name);
  return out;
}

}  // namespace wherry::zip
