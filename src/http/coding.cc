#include "http/coding.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/text.h"

namespace wherry::http {

namespace {

constexpr std::size_t kFirstCapacity = 4u << 10;
// A size which the client claims is believed this far; beyond it memory comes as the bytes do.
constexpr std::size_t kBelieved = 1u << 20;
// Contexts and scratch buffers larger than this are not kept.
constexpr std::size_t kMostKept = 4u << 20;
constexpr int kWindowBits = 15;
constexpr int kZstdWindowLog = 23;  // RFC 9659: 8 MiB
// Level 1 of both: they run on the thread which serves the other connections.
constexpr int kLevel = 1;

constexpr DecodeOutcome kTooLarge{413, "the request body is too large once its Content-Encoding is undone"};
constexpr DecodeOutcome kNoMemory{503, "too many large requests at the same time"};
constexpr DecodeOutcome kUnknown{
    415, "Content-Encoding is not understood; send zstd, gzip, deflate or none, at most two of them"};

struct Name {
  std::string_view name;
  Coding coding;
};
constexpr Name kNames[] = {
    {"identity", Coding::kIdentity}, {"gzip", Coding::kGzip}, {"x-gzip", Coding::kGzip},
    {"deflate", Coding::kDeflate},   {"zstd", Coding::kZstd},
};

const Coding* find_coding(std::string_view name) {
  for (const Name& row : kNames)
    if (equal_without_case(row.name, name)) return &row.coding;
  return nullptr;
}

// Calls `use` with every element of a comma-separated header, trimmed; empty ones are left out.
template <class Use>
void for_each_element(std::span<const HeaderView> headers, std::string_view name, Use use) {
  for (const HeaderView& header : headers) {
    if (!equal_without_case(header.name, name)) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      if (const std::string_view element = base::trim(rest.substr(0, comma)); !element.empty()) use(element);
      rest = comma == rest.npos ? std::string_view() : rest.substr(comma + 1);
    }
  }
}

// "q=0.123" in thousandths; -1 for anything else.
int weight(std::string_view text) {
  if (text.size() < 3 || (text[0] != 'q' && text[0] != 'Q') || text[1] != '=') return -1;
  text.remove_prefix(2);
  if (text.size() > 5 || (text.size() > 1 && text[1] != '.') || (text[0] != '0' && text[0] != '1')) return -1;
  int value = (text[0] - '0') * 1000, unit = 100;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (c < '0' || c > '9') return -1;
    value += (c - '0') * unit;
    unit /= 10;
  }
  return value > 1000 ? -1 : value;
}

bool shrinks(std::string_view content_type) {
  constexpr std::string_view kCoded[] = {"text/",
                                         "application/json",
                                         "application/javascript",
                                         "application/openmetrics-text",
                                         "application/octet-stream",
                                         "application/vnd.",
                                         "image/svg+xml"};
  return std::ranges::any_of(kCoded, [&](std::string_view type) { return content_type.starts_with(type); });
}

}  // namespace

std::string_view name_of(Coding coding) {
  constexpr std::string_view kCodingNames[] = {"identity", "gzip", "deflate", "zstd"};
  return kCodingNames[static_cast<std::size_t>(coding)];
}

Coding preferred_coding(std::span<const HeaderView> headers) {
  constexpr int kNotNamed = -1;
  int weights[4] = {kNotNamed, kNotNamed, kNotNamed, kNotNamed};
  int others = kNotNamed;
  for_each_element(headers, "Accept-Encoding", [&](std::string_view element) {
    const std::size_t semicolon = element.find(';');
    const std::string_view name = base::trim(element.substr(0, semicolon));
    const int q = semicolon == element.npos ? 1000 : weight(base::trim(element.substr(semicolon + 1)));
    if (q < 0) return;
    if (name == "*") {
      others = std::max(others, q);
    } else if (const Coding* coding = find_coding(name)) {
      int& held = weights[static_cast<std::size_t>(*coding)];
      held = std::max(held, q);
    }
  });
  Coding best = Coding::kIdentity;
  int most = 0;
  for (const Coding coding : {Coding::kZstd, Coding::kGzip, Coding::kDeflate, Coding::kIdentity}) {
    const int own = weights[static_cast<std::size_t>(coding)];
    const int q = own == kNotNamed ? others : own;
    if (q > most) {
      most = q;
      best = coding;
    }
  }
  return best;
}

BodyCodings body_codings(std::span<const HeaderView> headers) {
  BodyCodings found;
  for_each_element(headers, "Content-Encoding", [&](std::string_view element) {
    const Coding* coding = find_coding(element);
    if (coding == nullptr || (*coding != Coding::kIdentity && found.count == BodyCodings::kMost)) {
      found.understood = false;
    } else if (*coding != Coding::kIdentity) {
      found.codings[found.count++] = *coding;
    }
  });
  return found;
}

DecodedBody::DecodedBody(DecodedBody&& other) noexcept
    : bytes_(std::exchange(other.bytes_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)),
      memory_(std::move(other.memory_)) {}

DecodedBody& DecodedBody::operator=(DecodedBody&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
  std::swap(memory_, other.memory_);
  return *this;
}

void DecodedBody::release() {
  std::free(bytes_);
  bytes_ = nullptr;
  size_ = capacity_ = 0;
  memory_ = {};
}

void DecodedBody::clear() {
  size_ = 0;
  if (capacity_ > DecodeLimits::kCountedFrom) release();
}

// Makes room in a DecodedBody step by step, within the limits.
class Growth {
 public:
  // `allowed`: bytes the result may have.
  Growth(DecodedBody& body, const DecodeLimits& limits, std::size_t allowed)
      : body_(body), limits_(limits), allowed_(allowed) {
    body_.clear();
    body_.size_ = 0;
  }

  bool full() const { return body_.size_ == allowed_; }
  char* end() { return body_.bytes_ + body_.size_; }
  std::size_t room() const { return body_.capacity_ - body_.size_; }
  void produced(std::size_t count) { body_.size_ += count; }

  // At least one byte of room, better `hint` in all. Only called when not full().
  DecodeOutcome grow(std::size_t hint = 0) {
    if (room() > 0 && body_.capacity_ >= hint) return {};
    const std::size_t wanted = std::max({kFirstCapacity, hint, body_.capacity_ * 2});
    const std::size_t capacity = std::min(wanted, std::max(allowed_, std::size_t{1}));
    if (capacity <= body_.capacity_) return {};
    if (limits_.memory != nullptr && capacity > DecodeLimits::kCountedFrom) {
      if (body_.memory_.bytes() == 0) body_.memory_ = HeldMemory(limits_.memory);
      if (!body_.memory_.resize(capacity)) return kNoMemory;
    }
    void* grown = std::realloc(body_.bytes_, capacity);
    if (grown == nullptr) return kNoMemory;
    body_.bytes_ = static_cast<char*>(grown);
    body_.capacity_ = capacity;
    return {};
  }

 private:
  DecodedBody& body_;
  const DecodeLimits& limits_;
  std::size_t allowed_;
};

struct Coder::Contexts {
  ~Contexts() {
    if (inflating) inflateEnd(&inflater);
    for (auto& [deflater, made] : deflaters)
      if (made) deflateEnd(&deflater);
    ZSTD_freeDCtx(zstd_decoder);
    ZSTD_freeCCtx(zstd_encoder);
  }

  DecodeOutcome undo(Coding coding, std::string_view coded, Growth& growth);
  DecodeOutcome undo_deflate(bool gzip, std::string_view coded, Growth& growth);
  DecodeOutcome undo_zstd(std::string_view coded, Growth& growth);
  std::size_t apply_deflate(bool gzip, std::string_view plain, char* out, std::size_t room);
  std::size_t apply_zstd(std::string_view plain, char* out, std::size_t room);

  z_stream inflater{};
  bool inflating = false;
  struct Deflater {
    z_stream stream{};
    bool made = false;
  } deflaters[2];  // zlib's form, gzip's form
  ZSTD_DCtx* zstd_decoder = nullptr;
  ZSTD_CCtx* zstd_encoder = nullptr;
  DecodedBody between;  // of two codings
  std::string scratch;  // exchanged with the body of the answer
};

namespace {

// RFC 1950 section 2.2. A bare deflate stream begins so only if it pads a stored block with ones, which no
// encoder does.
bool has_zlib_header(std::string_view text) {
  if (text.size() < 2) return false;
  const unsigned first = static_cast<unsigned char>(text[0]), second = static_cast<unsigned char>(text[1]);
  return (first & 15) == 8 && (first >> 4) <= 7 && (first * 256 + second) % 31 == 0;
}

constexpr DecodeOutcome kBadDeflate{400, "the request body is not what Content-Encoding: deflate promises"};
constexpr DecodeOutcome kBadGzip{400, "the request body is not what Content-Encoding: gzip promises"};
constexpr DecodeOutcome kBadZstd{400, "the request body is not what Content-Encoding: zstd promises"};
constexpr DecodeOutcome kCutDeflate{400, "the request body ends in the middle of its deflate stream"};
constexpr DecodeOutcome kCutGzip{400, "the request body ends in the middle of its gzip stream"};
constexpr DecodeOutcome kCutZstd{400, "the request body ends in the middle of its zstd frame"};
constexpr DecodeOutcome kWideZstd{400,
                                  "the request body's zstd frame needs a window of more than 8 MiB; compress "
                                  "with a lower level or without --long"};

}  // namespace

DecodeOutcome Coder::Contexts::undo_deflate(bool gzip, std::string_view coded, Growth& growth) {
  const int bits = gzip ? kWindowBits + 16 : has_zlib_header(coded) ? kWindowBits : -kWindowBits;
  z_stream& stream = inflater;
  if (inflating ? inflateReset2(&stream, bits) != Z_OK : inflateInit2(&stream, bits) != Z_OK)
    return kNoMemory;
  inflating = true;
  stream.next_in = reinterpret_cast<const Bytef*>(coded.data());
  stream.avail_in = static_cast<uInt>(coded.size());  // at most DecodeLimits::most_bytes
  while (true) {
    char beyond;  // takes the byte which is one too many
    const bool full = growth.full();
    if (!full)
      if (const auto grown = growth.grow(); !grown) return grown;
    stream.next_out = reinterpret_cast<Bytef*>(full ? &beyond : growth.end());
    stream.avail_out = full ? 1 : static_cast<uInt>(growth.room());
    const uInt room = stream.avail_out;
    const int result = inflate(&stream, Z_NO_FLUSH);
    const std::size_t made = room - stream.avail_out;
    if (full && made > 0) return kTooLarge;
    if (!full) growth.produced(made);
    if (result == Z_STREAM_END) {
      if (stream.avail_in == 0) return {};
      // RFC 1952 section 2.2: members follow one another. Nothing may follow a deflate stream.
      if (!gzip || inflateReset(&stream) != Z_OK) return gzip ? kBadGzip : kBadDeflate;
      continue;
    }
    if (result == Z_MEM_ERROR) return kNoMemory;
    if (result != Z_OK && result != Z_BUF_ERROR) return gzip ? kBadGzip : kBadDeflate;
    if (stream.avail_in == 0 && stream.avail_out > 0) return gzip ? kCutGzip : kCutDeflate;
  }
}

DecodeOutcome Coder::Contexts::undo_zstd(std::string_view coded, Growth& growth) {
  if (zstd_decoder == nullptr) {
    zstd_decoder = ZSTD_createDCtx();
    if (zstd_decoder == nullptr) return kNoMemory;
    ZSTD_DCtx_setParameter(zstd_decoder, ZSTD_d_windowLogMax, kZstdWindowLog);
  }
  ZSTD_DCtx_reset(zstd_decoder, ZSTD_reset_session_only);
  ZSTD_inBuffer in{coded.data(), coded.size(), 0};
  const unsigned long long claimed = ZSTD_getFrameContentSize(coded.data(), coded.size());
  const bool known = claimed != ZSTD_CONTENTSIZE_UNKNOWN && claimed != ZSTD_CONTENTSIZE_ERROR;
  DecodeOutcome outcome;
  for (std::size_t hint = known ? std::min<std::size_t>(claimed, kBelieved) : 0;; hint = 0) {
    char beyond;
    const bool full = growth.full();
    if (!full && !(outcome = growth.grow(hint))) break;
    ZSTD_outBuffer out{full ? &beyond : growth.end(), full ? 1 : growth.room(), 0};
    const std::size_t taken = in.pos;
    const std::size_t left = ZSTD_decompressStream(zstd_decoder, &out, &in);
    if (ZSTD_isError(left)) {
      const ZSTD_ErrorCode code = ZSTD_getErrorCode(left);
      outcome = code == ZSTD_error_frameParameter_windowTooLarge ? kWideZstd
                : code == ZSTD_error_memory_allocation           ? kNoMemory
                                                                 : kBadZstd;
      break;
    }
    if (full && out.pos > 0) {
      outcome = kTooLarge;
      break;
    }
    if (!full) growth.produced(out.pos);
    if (left == 0 && in.pos == in.size) break;  // the last frame has ended
    if (in.pos == in.size && out.pos < out.size) {
      outcome = kCutZstd;
      break;
    }
    if (in.pos == taken && out.pos == 0 && out.size > 1) {  // no progress: cannot happen, and must not spin
      outcome = kBadZstd;
      break;
    }
  }
  if (ZSTD_sizeof_DCtx(zstd_decoder) > kMostKept) {
    ZSTD_freeDCtx(zstd_decoder);
    zstd_decoder = nullptr;
  }
  return outcome;
}

DecodeOutcome Coder::Contexts::undo(Coding coding, std::string_view coded, Growth& growth) {
  return coding == Coding::kZstd ? undo_zstd(coded, growth)
                                 : undo_deflate(coding == Coding::kGzip, coded, growth);
}

// Both give 0 when the result does not fit into `room`.
std::size_t Coder::Contexts::apply_deflate(bool gzip, std::string_view plain, char* out, std::size_t room) {
  auto& [stream, made] = deflaters[gzip ? 1 : 0];
  const int bits = gzip ? kWindowBits + 16 : kWindowBits;
  if (made ? deflateReset(&stream) != Z_OK
           : deflateInit2(&stream, kLevel, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return 0;
  made = true;
  stream.next_in = reinterpret_cast<const Bytef*>(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out);
  stream.avail_out = static_cast<uInt>(room);
  return deflate(&stream, Z_FINISH) == Z_STREAM_END ? room - stream.avail_out : 0;
}

std::size_t Coder::Contexts::apply_zstd(std::string_view plain, char* out, std::size_t room) {
  if (zstd_encoder == nullptr) {
    zstd_encoder = ZSTD_createCCtx();
    if (zstd_encoder == nullptr) return 0;
    ZSTD_CCtx_setParameter(zstd_encoder, ZSTD_c_compressionLevel, kLevel);
  }
  const std::size_t size = ZSTD_compress2(zstd_encoder, out, room, plain.data(), plain.size());
  return ZSTD_isError(size) ? 0 : size;
}

Coder::Coder() : contexts_(std::make_unique<Contexts>()) {}
Coder::~Coder() = default;

DecodeOutcome Coder::decode(Request& request, const DecodeLimits& limits, DecodedBody& decoded) {
  if (request.body.empty()) return {};
  const BodyCodings found = body_codings(request.headers);
  if (!found.understood) return kUnknown;
  if (found.count == 0) return {};
  const std::size_t sent = request.body.size();
  const bool ratio_overflows = sent > SIZE_MAX / std::max<std::size_t>(limits.most_ratio, 1);
  const std::size_t by_ratio = ratio_overflows ? SIZE_MAX : sent * limits.most_ratio;
  const std::size_t allowed = std::min(limits.most_bytes, std::max(DecodeLimits::kRatioFrom, by_ratio));
  std::string_view coded = request.body;
  DecodeOutcome outcome;
  for (std::size_t i = found.count; i-- > 0 && outcome;) {
    DecodedBody& into = i == 0 ? decoded : contexts_->between;
    Growth growth(into, limits, allowed);
    outcome = contexts_->undo(found.codings[i], coded, growth);
    coded = into.view();
  }
  contexts_->between.clear();
  if (outcome) {
    request.body = coded;
  } else {
    decoded.clear();
  }
  return outcome;
}

void Coder::refuse(const DecodeOutcome& outcome, Response& response) {
  response.set_error(outcome.status, outcome.reason);
  if (outcome.status == 415) response.add_header("Accept-Encoding", kCodingsUnderstood);
  if (outcome.status == 503) response.add_header("Retry-After", "1");
}

void Coder::encode(std::span<const HeaderView> request_headers, Response& response) {
  const std::size_t size = response.body.size();
  if (size < kLeastCoded || size > kMostCoded || response.status == 204 || response.status == 304) return;
  if (!shrinks(response.content_type) ||
      response.header_lines().find("Content-Encoding:") != std::string::npos)
    return;
  response.add_header("Vary", "Accept-Encoding");
  const Coding coding = preferred_coding(request_headers);
  if (coding == Coding::kIdentity) return;
  std::string& out = contexts_->scratch;
  out.resize_and_overwrite(size - size / 8, [&](char* to, std::size_t room) {
    return coding == Coding::kZstd
               ? contexts_->apply_zstd(response.body, to, room)
               : contexts_->apply_deflate(coding == Coding::kGzip, response.body, to, room);
  });
  if (!out.empty()) {
    response.body.swap(out);
    response.add_header("Content-Encoding", name_of(coding));
  }
  if (out.capacity() > kMostKept) out = {};
}

}  // namespace wherry::http
