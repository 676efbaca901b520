// Whole-file compression of joblib files, told by its first bytes (joblib/compressor.py). Internal to module
// pickle.
#pragma once

#include <cstdlib>
#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "import/pickle/limits.h"

namespace wherry::pickle {

// Growable bytes that are never cleared and move by remapping where the C library can.
class Buffer {
 public:
  base::Bytes bytes() const { return {data_.get(), size_}; }
  std::size_t size() const { return size_; }
  // Room for at least one more byte: the free part. False when there is no memory.
  bool grow(std::size_t most);
  std::byte* free_part() { return data_.get() + size_; }
  std::size_t free_size() const { return capacity_ - size_; }
  void add(std::size_t written) { size_ += written; }

 private:
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };
  std::unique_ptr<std::byte, Free> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

struct Compression {
  std::string_view name;  // "zlib", "gzip", "bz2", "xz", "lzma", "lz4"
  std::string_view magic;
  base::Result<Buffer> (*expand)(base::Bytes file, const Limits& limits);
};

// Null: not compressed.
const Compression* find_compression(base::Bytes file);

}  // namespace wherry::pickle
