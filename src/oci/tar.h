// Reproducible tar archives: POSIX ustar, with pax records only where ustar cannot say it (IEEE Std 1003.1
// "pax"): long or non-ASCII names, link targets over 100 bytes, files of 8 GiB and more.
//
// Thread-safety: one thread at a time per object.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/error.h"

namespace wherry::oci {

using ByteSink = std::function<base::Status(base::Bytes)>;

enum class TarType : char { kFile = '0', kSymlink = '2', kFolder = '5' };

struct TarHeader {
  std::string path;  // relative, '/' between parts, no trailing slash
  TarType type = TarType::kFile;
  std::uint32_t mode = 0644;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t size = 0;        // files only
  std::int64_t modified = 0;     // seconds since 1970, not negative
  std::string link_target = {};  // symlinks only
};

// Nothing of the machine goes in: no user names, no device numbers, no times but those given.
class TarWriter {
 public:
  explicit TarWriter(ByteSink sink) : sink_(std::move(sink)) {}

  base::Status add_header(const TarHeader& header);
  base::Status add_content(base::Bytes bytes);  // together exactly `size` bytes of the last header
  base::Status end_content();                   // pads to a full block
  base::Status finish();                        // two zero blocks

  // Header, content and padding of a small file.
  base::Status add_file(const TarHeader& header, std::string_view content);

 private:
  base::Status write_block(const TarHeader& header, char type, std::uint64_t size);

  ByteSink sink_;
  std::uint64_t left_ = 0;     // content bytes still owed
  std::uint64_t padding_ = 0;  // zero bytes after the content
};

}  // namespace wherry::oci
