// The door to the disk. Paths are UTF-8 as given by the user.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace wherry::base {

// The disk operations which can fail in ways that matter; tests pass one which runs out of space.
// Implementations are thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // The whole content; "base.file_too_large" when it has more than `most` bytes.
  virtual Result<std::string> read(const std::filesystem::path& path, std::uint64_t most) = 0;
  // Written to a temporary neighbour, then renamed: readers see the old or the new content, never a part.
  // Missing parent folders are made. `executable` sets mode 0755 instead of 0644.
  virtual Status write(const std::filesystem::path& path, std::string_view content,
                       bool executable = false) = 0;
  virtual bool exists(const std::filesystem::path& path) = 0;
  virtual Status remove_all(const std::filesystem::path& path) = 0;
};

FileSystem& real_files();  // stateless

// A file mapped read-only into memory; the mapping lives as long as the object. Thread-safe to read.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();
  Bytes bytes() const { return {data_, size_}; }

 private:
  MappedFile() = default;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// A fresh folder below the system's temporary folder, removed with its content by the destructor.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> make();
  TemporaryFolder(TemporaryFolder&& other) noexcept;
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept = delete;
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  TemporaryFolder() = default;
  std::filesystem::path path_;
};

}  // namespace wherry::base
