#include "oci/gzip.h"

#include <algorithm>
#include <array>
#include <utility>
#include <zlib.h>

#include "base/text.h"

namespace wherry::oci {
namespace {

using base::Status;

constexpr int kGzipFormat = 16 + MAX_WBITS;
constexpr int kMemoryLevel = 8;  // zlib's default, stated because it changes the bytes
constexpr std::size_t kPiece = 256 << 10;
constexpr std::size_t kMostPerCall = 1u << 30;  // avail_in is 32 bits wide

std::unexpected<base::Error> zlib_failed() {
  return base::fail(base::Code::kInternal, "oci.blob_corrupt", "zlib failed to compress", "free some memory");
}

}  // namespace

struct GzipWriter::State {
  z_stream stream{};
  gz_header header{};
  ByteSink sink;
  bool ready = false;
  std::array<unsigned char, kPiece> out{};

  State(int level, ByteSink to) : sink(std::move(to)) {
    ready = deflateInit2(&stream, level, Z_DEFLATED, kGzipFormat, kMemoryLevel, Z_DEFAULT_STRATEGY) == Z_OK;
    header.os = 255;
    ready = ready && deflateSetHeader(&stream, &header) == Z_OK;
  }
  ~State() { deflateEnd(&stream); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Status run(int flush) {
    for (;;) {
      stream.next_out = out.data();
      stream.avail_out = static_cast<uInt>(out.size());
      const int code = deflate(&stream, flush);
      if (code == Z_STREAM_ERROR) return zlib_failed();
      TRY(sink(std::as_bytes(std::span(out.data(), out.size() - stream.avail_out))));
      if (stream.avail_out != 0) return {};
    }
  }
};

GzipWriter::GzipWriter(int level, ByteSink sink) : state_(std::make_unique<State>(level, std::move(sink))) {}
GzipWriter::~GzipWriter() = default;

Status GzipWriter::write(base::Bytes bytes) {
  if (!state_->ready) return zlib_failed();
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), kMostPerCall);
    state_->stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
    state_->stream.avail_in = static_cast<uInt>(count);
    TRY(state_->run(Z_NO_FLUSH));
    bytes = bytes.subspan(count);
  }
  return {};
}

Status GzipWriter::finish() {
  if (!state_->ready) return zlib_failed();
  state_->stream.next_in = nullptr;
  state_->stream.avail_in = 0;
  return state_->run(Z_FINISH);
}

base::Result<std::string> gunzip(base::Bytes compressed, std::uint64_t most) {
  const auto corrupt = [](std::string_view why) {
    return base::fail(base::Code::kInvalidInput, "oci.blob_corrupt", base::cat("gzip data: ", why),
                      "remove the blob and build or pull it again");
  };
  if (compressed.size() > kMostPerCall) return corrupt("too long to be read at once");
  z_stream stream{};
  if (inflateInit2(&stream, kGzipFormat) != Z_OK) return zlib_failed();
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  std::string content;
  std::array<char, 65536> piece{};
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    const int code = inflate(&stream, Z_NO_FLUSH);
    content.append(piece.data(), piece.size() - stream.avail_out);
    if (content.size() > most) return corrupt("its content is larger than the limit");
    if (code == Z_STREAM_END) break;
    if (code != Z_OK) return corrupt("it is damaged or incomplete");
  }
  if (stream.avail_in != 0) return corrupt("bytes follow its end");
  return content;
}

}  // namespace wherry::oci
