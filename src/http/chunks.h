// The chunked transfer coding of request bodies (RFC 9112 section 7.1). Ours because Beast 1.81 asserts on
// some malformed trailers instead of refusing them. Internal to module http.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace wherry::http {

struct ChunkLimits {
  std::size_t most_body;
  std::size_t most_line;      // a size line with its extension
  std::size_t most_trailers;  // all trailer lines together
};

// Not thread-safe.
class ChunkDecoder {
 public:
  enum class Result { kMore, kFinished, kMalformed, kTooLarge };

  // Decodes what `text` holds, appending data to `body`; extensions and trailers are checked for form and
  // left out. `consumed`: how much of `text` need not be given again; the rest is to be given again with more
  // behind.
  Result decode(std::string_view text, std::string& body, const ChunkLimits& limits, std::size_t& consumed);

 private:
  enum class State { kSize, kData, kDataEnd, kTrailer };
  // False: the line is malformed.
  bool take_size(std::string_view line);

  State state_ = State::kSize;
  std::uint64_t left_ = 0;    // of the current chunk
  std::size_t trailers_ = 0;  // bytes seen
};

}  // namespace wherry::http
