// gzip (RFC 1952) with a fixed header: no time, no name, OS byte 255 ("unknown"), so that the same input
// gives the same bytes on every machine with the same zlib.
//
// Thread-safety: one thread at a time per object.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "oci/tar.h"

namespace wherry::oci {

class GzipWriter {
 public:
  GzipWriter(int level, ByteSink sink);  // level 1 to 9
  ~GzipWriter();
  GzipWriter(const GzipWriter&) = delete;
  GzipWriter& operator=(const GzipWriter&) = delete;

  base::Status write(base::Bytes bytes);
  base::Status finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The whole of a gzip stream in memory; "oci.blob_corrupt" when it is damaged, has trailing bytes or more
// than `most` bytes of content.
base::Result<std::string> gunzip(base::Bytes compressed, std::uint64_t most);

}  // namespace wherry::oci
