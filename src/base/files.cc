#include "base/files.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "base/file_errors.h"
#include "base/text.h"

namespace wherry::base {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Result<std::uint64_t> open_size(const Descriptor& file, const std::filesystem::path& path) {
  struct stat info{};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) return unreadable(path, errno);
  if (S_ISDIR(info.st_mode)) return unreadable(path, EISDIR);
  return static_cast<std::uint64_t>(info.st_size);
}

Status write_all(int fd, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return unwritable(path, std::strerror(errno));
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

class RealFiles final : public FileSystem {
 public:
  Result<std::string> read(const std::filesystem::path& path, std::uint64_t most) override {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    TRY_ASSIGN(const std::uint64_t size, open_size(file, path));
    const auto too_large = [&] {
      return fail(Code::kLimit, "base.file_too_large", cat(path.string(), ": more than ", human_size(most)),
                  "this kind of file is never that large; check the path");
    };
    if (size > most) return too_large();
    std::string content;
    content.reserve(static_cast<std::size_t>(size));
    char buffer[65536];
    for (;;) {
      const ssize_t count = ::read(file.get(), buffer, sizeof buffer);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return unreadable(path, errno);
      if (count == 0) return content;
      content.append(buffer, static_cast<std::size_t>(count));
      if (content.size() > most) return too_large();
    }
  }

  Status write(const std::filesystem::path& path, std::string_view content, bool executable) override {
    std::error_code failure;
    if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), failure);
    if (failure) return unwritable(path, failure.message());
    std::string temporary = path.string() + ".XXXXXX";
    const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
    if (file.get() < 0) return unwritable(path, std::strerror(errno));
    Status written = write_all(file.get(), content, path);
    if (written && ::fchmod(file.get(), executable ? 0755 : 0644) != 0)
      written = unwritable(path, std::strerror(errno));
    if (written && ::rename(temporary.c_str(), path.c_str()) != 0)
      written = unwritable(path, std::strerror(errno));
    if (!written) ::unlink(temporary.c_str());
    return written;
  }

  bool exists(const std::filesystem::path& path) override {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
  }

  Status remove_all(const std::filesystem::path& path) override {
    std::error_code failure;
    std::filesystem::remove_all(path, failure);
    if (failure) return unwritable(path, failure.message());
    return {};
  }
};

}  // namespace

FileSystem& real_files() {
  static RealFiles files;
  return files;
}

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  TRY_ASSIGN(const std::uint64_t size, open_size(file, path));
  MappedFile mapped;
  if (size == 0) return mapped;
  void* data = ::mmap(nullptr, static_cast<std::size_t>(size), PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) return unreadable(path, errno);
  mapped.data_ = static_cast<const std::byte*>(data);
  mapped.size_ = static_cast<std::size_t>(size);
  return mapped;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

Result<TemporaryFolder> TemporaryFolder::make() {
  std::error_code failure;
  std::filesystem::path parent = std::filesystem::temp_directory_path(failure);
  if (failure) parent = "/tmp";
  std::string name = (parent / "wherry-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) return unwritable(parent, std::strerror(errno));
  TemporaryFolder folder;
  folder.path_ = name;
  return folder;
}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace wherry::base
