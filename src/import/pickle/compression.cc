#include "import/pickle/compression.h"

#include <algorithm>
#include <array>
#include <bzlib.h>
#include <limits>
#include <lz4frame.h>
#include <lzma.h>
#include <string>
#include <zlib.h>

#include "base/text.h"

namespace wherry::pickle {

namespace {

using base::Code;
constexpr std::size_t kFirstBuffer = 256 << 10;
// The largest dictionary that xz's own presets use is 64 MiB; files ask for what they like.
constexpr std::uint64_t kMostDecoderMemory = 192 << 20;

std::unexpected<base::Error> damaged(std::string_view name, std::string_view what) {
  return base::fail(Code::kInvalidInput, "pickle.bad_compression", base::cat("the ", name, " data ", what),
                    "copy the file again, completely");
}

// Called before every step that may write more: room to write into, within the limits.
base::Status make_room(std::string_view name, Buffer& out, base::Bytes file, const Limits& limits) {
  if (out.free_size() > 0) return {};
  if (out.size() >= limits.decompressed_bytes)
    return base::fail(
        Code::kLimit, "pickle.limit_decompressed",
        base::cat("the ", name, " data expand to more than ", base::human_size(limits.decompressed_bytes)),
        "if the file is trusted, decompress it first or raise the limit");
  if (out.size() >= limits.decompressed_free_bytes && out.size() / limits.decompressed_ratio >= file.size())
    return base::fail(Code::kLimit, "pickle.limit_ratio",
                      base::cat("the ", name, " data expand more than ", limits.decompressed_ratio, " times"),
                      "if the file is trusted, save the model without compression");
  if (!out.grow(limits.decompressed_bytes))
    return base::fail(Code::kLimit, "pickle.limit_memory", "out of memory while decompressing");
  return {};
}

template <class Size>
Size bounded(std::size_t size) {
  return static_cast<Size>(std::min<std::size_t>(size, std::numeric_limits<Size>::max() / 2));
}

// gzip files may consist of several members; zlib streams end where they end (Python ignores what follows).
base::Result<Buffer> inflate_all(std::string_view name, int window_bits, base::Bytes file,
                                 const Limits& limits) {
  Buffer out;
  z_stream stream{};
  if (inflateInit2(&stream, window_bits) != Z_OK)
    return base::fail(Code::kLimit, "pickle.limit_memory", "out of memory while decompressing");
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> guard(&stream, inflateEnd);
  std::size_t read = 0;
  while (true) {
    TRY(make_room(name, out, file, limits));
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(file.data() + read));
    stream.avail_in = bounded<uInt>(file.size() - read);
    stream.next_out = reinterpret_cast<Bytef*>(out.free_part());
    stream.avail_out = bounded<uInt>(out.free_size());
    const uInt offered_in = stream.avail_in;
    const uInt offered_out = stream.avail_out;
    const int status = inflate(&stream, Z_NO_FLUSH);
    read += offered_in - stream.avail_in;
    out.add(offered_out - stream.avail_out);
    if (status == Z_STREAM_END) {
      const bool another = name == "gzip" && file.size() - read >= 2 && file[read] == std::byte{0x1f} &&
                           file[read + 1] == std::byte{0x8b};
      if (!another) return out;
      if (inflateReset(&stream) != Z_OK) return damaged(name, "are damaged");
    } else if (status == Z_MEM_ERROR) {
      return base::fail(Code::kLimit, "pickle.limit_memory", "out of memory while decompressing");
    } else if (status == Z_BUF_ERROR || (status == Z_OK && read == file.size() && stream.avail_out != 0)) {
      return damaged(name, "end early");
    } else if (status != Z_OK) {
      return damaged(name, "are damaged");
    }
  }
}

base::Result<Buffer> expand_zlib(base::Bytes file, const Limits& limits) {
  return inflate_all("zlib", MAX_WBITS, file, limits);
}

base::Result<Buffer> expand_gzip(base::Bytes file, const Limits& limits) {
  return inflate_all("gzip", MAX_WBITS + 16, file, limits);
}

base::Result<Buffer> expand_bz2(base::Bytes file, const Limits& limits) {
  Buffer out;
  std::size_t read = 0;
  while (read < file.size()) {  // one stream after another, as Python's BZ2File
    if (read > 0 && !base::as_text(file.subspan(read)).starts_with("BZh")) return out;
    bz_stream stream{};
    if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK)
      return base::fail(Code::kLimit, "pickle.limit_memory", "out of memory while decompressing");
    const std::unique_ptr<bz_stream, decltype(&BZ2_bzDecompressEnd)> guard(&stream, BZ2_bzDecompressEnd);
    int status = BZ_OK;
    while (status != BZ_STREAM_END) {
      TRY(make_room("bz2", out, file, limits));
      stream.next_in = reinterpret_cast<char*>(const_cast<std::byte*>(file.data() + read));
      stream.avail_in = bounded<unsigned>(file.size() - read);
      stream.next_out = reinterpret_cast<char*>(out.free_part());
      stream.avail_out = bounded<unsigned>(out.free_size());
      const unsigned offered_in = stream.avail_in;
      const unsigned offered_out = stream.avail_out;
      status = BZ2_bzDecompress(&stream);
      read += offered_in - stream.avail_in;
      out.add(offered_out - stream.avail_out);
      if (status == BZ_MEM_ERROR)
        return base::fail(Code::kLimit, "pickle.limit_memory", "out of memory while decompressing");
      if (status != BZ_OK && status != BZ_STREAM_END) return damaged("bz2", "are damaged");
      if (status == BZ_OK && read == file.size() && stream.avail_out != 0) return damaged("bz2", "end early");
    }
  }
  return out;
}

base::Result<Buffer> run_lzma(std::string_view name, lzma_stream& stream, base::Bytes file,
                              const Limits& limits) {
  Buffer out;
  stream.next_in = reinterpret_cast<const std::uint8_t*>(file.data());
  stream.avail_in = file.size();
  while (true) {
    TRY(make_room(name, out, file, limits));
    stream.next_out = reinterpret_cast<std::uint8_t*>(out.free_part());
    stream.avail_out = out.free_size();
    const std::size_t offered = stream.avail_out;
    const lzma_ret status = lzma_code(&stream, LZMA_FINISH);
    out.add(offered - stream.avail_out);
    if (status == LZMA_STREAM_END) return out;
    if (status == LZMA_OK && (stream.avail_in != 0 || stream.avail_out == 0)) continue;
    if (status == LZMA_MEM_ERROR)
      return base::fail(Code::kLimit, "pickle.limit_memory", "out of memory while decompressing");
    if (status == LZMA_MEMLIMIT_ERROR)
      return base::fail(Code::kLimit, "pickle.limit_memory",
                        base::cat("the ", name, " data ask for a dictionary that does not fit into ",
                                  base::human_size(kMostDecoderMemory)),
                        "save the model with a compression level of 9 or less");
    return damaged(name, status == LZMA_BUF_ERROR || status == LZMA_OK ? "end early" : "are damaged");
  }
}

base::Result<Buffer> expand_xz(base::Bytes file, const Limits& limits) {
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, kMostDecoderMemory, LZMA_CONCATENATED) != LZMA_OK)
    return base::fail(Code::kLimit, "pickle.limit_memory", "out of memory while decompressing");
  const std::unique_ptr<lzma_stream, decltype(&lzma_end)> guard(&stream, lzma_end);
  return run_lzma("xz", stream, file, limits);
}

base::Result<Buffer> expand_lzma(base::Bytes file, const Limits& limits) {
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_alone_decoder(&stream, kMostDecoderMemory) != LZMA_OK)
    return base::fail(Code::kLimit, "pickle.limit_memory", "out of memory while decompressing");
  const std::unique_ptr<lzma_stream, decltype(&lzma_end)> guard(&stream, lzma_end);
  return run_lzma("lzma", stream, file, limits);
}

base::Result<Buffer> expand_lz4(base::Bytes file, const Limits& limits) {
  LZ4F_dctx* context = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0)
    return base::fail(Code::kLimit, "pickle.limit_memory", "out of memory while decompressing");
  const std::unique_ptr<LZ4F_dctx, decltype(&LZ4F_freeDecompressionContext)> guard(
      context, LZ4F_freeDecompressionContext);
  Buffer out;
  std::size_t read = 0;
  while (true) {
    TRY(make_room("lz4", out, file, limits));
    std::size_t consumed = file.size() - read;
    std::size_t written = out.free_size();
    const std::size_t wanted =
        LZ4F_decompress(context, out.free_part(), &written, file.data() + read, &consumed, nullptr);
    if (LZ4F_isError(wanted) != 0) return damaged("lz4", "are damaged");
    read += consumed;
    out.add(written);
    if (wanted == 0) return out;
    if (consumed == 0 && written == 0 && out.free_size() > 0) return damaged("lz4", "end early");
  }
}

using namespace std::string_view_literals;

constexpr auto kCompressions = std::to_array<Compression>({
    {"zlib", "\x78"sv, expand_zlib},
    {"gzip", "\x1f\x8b"sv, expand_gzip},
    {"bz2", "BZ"sv, expand_bz2},
    {"xz", "\xfd\x37\x7a\x58\x5a"sv, expand_xz},
    {"lzma", "\x5d\x00"sv, expand_lzma},
    {"lz4", "\x04\x22\x4d\x18"sv, expand_lz4},
});

}  // namespace

bool Buffer::grow(std::size_t most) {
  const std::size_t wanted = std::max({kFirstBuffer, capacity_ + capacity_ / 2, size_ + 1});
  const std::size_t capacity = std::max(size_ + 1, std::min(wanted, most));
  void* const moved = std::realloc(data_.get(), capacity);
  if (moved == nullptr) return false;
  static_cast<void>(data_.release());  // realloc has freed or reused it
  data_.reset(static_cast<std::byte*>(moved));
  capacity_ = capacity;
  return true;
}

const Compression* find_compression(base::Bytes file) {
  const std::string_view text = base::as_text(file);
  const auto found = std::ranges::find_if(
      kCompressions, [&](const Compression& row) { return text.starts_with(row.magic); });
  return found != kCompressions.end() ? &*found : nullptr;
}

}  // namespace wherry::pickle
