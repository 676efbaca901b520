// Reading and writing files piece by piece, for content which must not be held in memory.
//
// Thread-safety: one thread at a time per object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "base/bytes.h"
#include "base/error.h"

namespace wherry::base {

class FileReader {
 public:
  // Errors: "base.file_not_found", "base.file_unreadable" (also for folders).
  static Result<FileReader> open(const std::filesystem::path& path);
  FileReader(FileReader&& other) noexcept;
  FileReader& operator=(FileReader&& other) noexcept;
  ~FileReader();

  std::uint64_t size() const { return size_; }  // when it was opened
  // Fills as much of `buffer` as is there; fewer bytes than asked only at the end of the file, 0 at the end.
  Result<std::size_t> read(std::span<std::byte> buffer);
  Status rewind();

 private:
  FileReader() = default;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  std::filesystem::path path_;
};

// Writes to a temporary file which becomes visible under its final name in one step, or never.
class FileWriter {
 public:
  // Makes `folder` where it is missing. Error: "base.file_unwritable".
  static Result<FileWriter> create_in(const std::filesystem::path& folder);
  FileWriter(FileWriter&& other) noexcept;
  FileWriter& operator=(FileWriter&& other) noexcept;
  ~FileWriter();  // removes the temporary file unless commit() succeeded

  Status write(Bytes bytes);
  // Mode 0644 whatever the umask; `path` must be on the same file system as the folder given to create_in.
  Status commit(const std::filesystem::path& path);

 private:
  FileWriter() = default;
  int fd_ = -1;
  std::filesystem::path temporary_;
};

}  // namespace wherry::base
