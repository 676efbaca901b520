// Bodies as clients compress them, for tests of this module.
#pragma once

#include <string>
#include <string_view>
#include <zlib.h>

namespace wherry::http {

// In zlib's form for 8 to 15 window bits, raw for their negatives, gzip's for 16 more.
inline std::string deflated(std::string_view plain, int window_bits) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, static_cast<uLong>(plain.size())) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}
inline std::string gzipped(std::string_view plain) {
  return deflated(plain, 15 + 16);
}

}  // namespace wherry::http
