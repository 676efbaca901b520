// Content codings of bodies: gzip (RFC 1952), deflate (RFC 1950, and the bare RFC 1951 which some clients
// send under that name), zstd (RFC 8878 with the window limit of RFC 9659), chosen as RFC 9110 sections 8.4
// and 12.5.3 say. Request bodies are decoded and answers coded by the server itself, so that no handler knows
// of it.
//
// Thread-safety: a Coder belongs to one thread; the free functions are pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "http/memory_budget.h"
#include "http/message.h"

namespace wherry::http {

enum class Coding : std::uint8_t { kIdentity, kGzip, kDeflate, kZstd };

// What is understood, as it stands in Accept-Encoding of a 415 answer (RFC 9110 section 15.5.16).
inline constexpr std::string_view kCodingsUnderstood = "zstd, gzip, deflate";

std::string_view name_of(Coding coding);  // "gzip"

// What the client likes best of what we can do, over all Accept-Encoding lines; equal weights go to zstd,
// then gzip, then deflate. kIdentity without such a header, and when nothing it names is known here. A
// malformed element counts as not sent.
Coding preferred_coding(std::span<const HeaderView> headers);

// The codings a body was put through, in the order they were applied.
struct BodyCodings {
  static constexpr std::size_t kMost = 2;
  Coding codings[kMost] = {};
  std::size_t count = 0;
  bool understood = true;  // false: one is unknown, or there are more than kMost
};
BodyCodings body_codings(std::span<const HeaderView> headers);  // from every Content-Encoding line

// What a decoded body may cost.
struct DecodeLimits {
  std::size_t most_bytes = 64u << 20;  // of each stage: 413
  // Decoded bytes for each byte sent: 413; looked at beyond kRatioFrom, since a short text of one value is
  // legitimately small.
  std::size_t most_ratio = 200;
  // What all connections hold in large buffers: a result beyond kCountedFrom takes its memory from it as it
  // grows: 503. Null: not counted.
  std::shared_ptr<MemoryBudget> memory;

  static constexpr std::size_t kCountedFrom = 64u << 10;
  static constexpr std::size_t kRatioFrom = 4u << 20;
};

// A decoded body, reused from request to request. Not thread-safe, but may move to another thread.
class DecodedBody {
 public:
  DecodedBody() = default;
  DecodedBody(DecodedBody&& other) noexcept;
  DecodedBody& operator=(DecodedBody&& other) noexcept;
  ~DecodedBody() { release(); }

  std::string_view view() const { return {bytes_, size_}; }
  void clear();  // keeps a small buffer, releases a large one
  void release();

 private:
  friend class Growth;
  char* bytes_ = nullptr;  // from malloc: a large block grows in place, never in two copies
  std::size_t size_ = 0, capacity_ = 0;
  HeldMemory memory_;
};

// How an attempt to decode ended. status 0: well. Else the status to answer (400, 413, 415, 503) and why.
struct DecodeOutcome {
  int status = 0;
  std::string_view reason;  // static storage
  explicit operator bool() const { return status == 0; }
};

// The compression contexts of one thread: made at first use, then reused, so that a warm exchange allocates
// nothing.
class Coder {
 public:
  // Answers smaller than this stay as they are: coding them costs more than it saves.
  static constexpr std::size_t kLeastCoded = 1024;
  // Answers larger than this stay as they are too: coding them would hold up the thread's other connections.
  static constexpr std::size_t kMostCoded = 16u << 20;

  Coder();
  ~Coder();
  Coder(const Coder&) = delete;
  Coder& operator=(const Coder&) = delete;

  // Undoes the codings of `request`'s body: afterwards request.body is the plain body, held by `decoded`,
  // which must live as long as the request is used. A request without Content-Encoding, or without body, is
  // left as it is. The headers are left too: who reads the body need not look at Content-Encoding.
  DecodeOutcome decode(Request& request, const DecodeLimits& limits, DecodedBody& decoded);

  // Fills `response` with the refusal that `outcome` stands for.
  static void refuse(const DecodeOutcome& outcome, Response& response);

  // Codes the body of `response` when it is worth it and the headers of its request allow it, and adds
  // Content-Encoding and Vary. An answer which has a Content-Encoding already, and types which do not shrink,
  // are left alone.
  void encode(std::span<const HeaderView> request_headers, Response& response);

 private:
  struct Contexts;
  std::unique_ptr<Contexts> contexts_;
};

}  // namespace wherry::http
