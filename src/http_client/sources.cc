#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "http_client/transport.h"

#include "base/text.h"

namespace wherry::http_client {

using base::Code;
using base::Result;
using base::Status;

namespace {

class MemorySource : public BodySource {
 public:
  explicit MemorySource(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t count = std::min(out.size(), bytes_.size() - position_);
    std::memcpy(out.data(), bytes_.data() + position_, count);
    position_ += count;
    return count;
  }
  Status rewind() override {
    position_ = 0;
    return {};
  }

 private:
  std::string_view bytes_;
  std::size_t position_ = 0;
};

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

class FileSource : public BodySource {
 public:
  FileSource(File file, std::string name, std::uint64_t offset, std::uint64_t length)
      : file_(std::move(file)), name_(std::move(name)), offset_(offset), length_(length) {}
  std::uint64_t size() const override { return length_; }
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t wanted = std::min<std::uint64_t>(out.size(), length_ - done_);
    if (wanted == 0) return 0;
    const std::size_t count = std::fread(out.data(), 1, wanted, file_.get());
    if (count == 0)
      return base::fail(Code::kUnavailable, "http_client.body_unreadable",
                        base::cat(name_, " ended or could not be read at byte ", offset_ + done_),
                        "do not change the file while it is being uploaded");
    done_ += count;
    return count;
  }
  Status rewind() override {
    done_ = 0;
    if (fseeko(file_.get(), static_cast<off_t>(offset_), SEEK_SET) != 0)
      return base::fail(Code::kUnavailable, "http_client.body_unreadable",
                        base::cat(name_, ": ", std::generic_category().message(errno)));
    return {};
  }

 private:
  File file_;
  std::string name_;
  std::uint64_t offset_, length_;
  std::uint64_t done_ = 0;
};

}  // namespace

std::unique_ptr<BodySource> memory_source(std::string_view bytes) {
  return std::make_unique<MemorySource>(bytes);
}

Result<std::unique_ptr<BodySource>> file_source(const std::filesystem::path& path, std::uint64_t offset,
                                                std::uint64_t length) {
  File file(std::fopen(path.c_str(), "rbe"));
  if (!file)
    return base::fail(Code::kUnavailable, "http_client.body_unreadable",
                      base::cat(path.string(), ": ", std::generic_category().message(errno)));
  auto source = std::make_unique<FileSource>(std::move(file), path.string(), offset, length);
  TRY(source->rewind());
  return source;
}

}  // namespace wherry::http_client
