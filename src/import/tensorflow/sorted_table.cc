#include "import/tensorflow/sorted_table.h"

#include <cstdint>
#include <cstring>

#include "protobuf/wire.h"

#include "base/text.h"
#include "import/tensorflow/crc32c.h"

namespace wherry::tensorflow {
namespace {

using base::cat;
using base::Result;
using base::Status;

using Entries = std::vector<std::pair<std::string, std::string_view>>;

constexpr std::size_t kFooter = 48;
constexpr std::size_t kTrailer = 5;  // type and checksum behind each block
constexpr std::uint64_t kMagic = 0xdb4775248b80fb57u;
constexpr std::size_t kMostKey = 1 << 16;

std::unexpected<base::Error> bad(std::string message) {
  return base::fail(base::Code::kInvalidInput, "tensorflow.bad_checkpoint",
                    cat("the checkpoint's index: ", message), "copy the model's whole folder again");
}

std::uint32_t little32(const char* p) {
  std::uint32_t value;
  std::memcpy(&value, p, 4);
  return value;
}

// A place in the file: two varints.
struct Handle {
  std::uint64_t offset = 0, size = 0;
};

Result<Handle> read_handle(std::string_view& text) {
  Handle handle;
  const char* const end = text.data() + text.size();
  const char* p = protobuf::read_varint(text.data(), end, handle.offset);
  if (p != nullptr) p = protobuf::read_varint(p, end, handle.size);
  if (p == nullptr) return bad("a place of a block ends early");
  text.remove_prefix(static_cast<std::size_t>(p - text.data()));
  return handle;
}

Result<std::string_view> read_block(std::string_view file, Handle handle) {
  if (handle.offset > file.size() || handle.size > file.size() - handle.offset ||
      file.size() - handle.offset - handle.size < kTrailer)
    return bad(cat("a block of ", handle.size, " bytes at ", handle.offset, " lies outside the file"));
  const std::string_view block = file.substr(handle.offset, handle.size);
  const char* trailer = block.data() + block.size();
  const std::uint32_t actual = crc32c(0, base::as_bytes(file.substr(handle.offset, handle.size + 1)));
  if (masked(actual) != little32(trailer + 1))
    return bad(cat("the checksum of the block at ", handle.offset, " is wrong"));
  if (trailer[0] != 0)
    return base::fail(base::Code::kUnsupported, "tensorflow.unsupported_checkpoint",
                      trailer[0] == 1 ? "the checkpoint's index is compressed with Snappy"
                                      : "the checkpoint's index is compressed",
                      "load the model in TensorFlow and save it again");
  return block;
}

// Keys share a prefix with the one before; behind the entries stands a list of restart points for searching,
// which reading all of them does not need.
Status read_entries(std::string_view block, Entries& entries) {
  if (block.size() < 4) return bad("a block is too short");
  const std::uint64_t restarts = little32(block.data() + block.size() - 4);
  if (restarts > (block.size() - 4) / 4) return bad("a block has more restart points than bytes");
  const char* p = block.data();
  const char* const end = block.data() + block.size() - 4 - 4 * restarts;
  std::string key;
  while (p != end) {
    std::uint64_t shared = 0, own = 0, size = 0;
    p = protobuf::read_varint(p, end, shared);
    if (p != nullptr) p = protobuf::read_varint(p, end, own);
    if (p != nullptr) p = protobuf::read_varint(p, end, size);
    if (p == nullptr) return bad("an entry ends early");
    const auto left = static_cast<std::uint64_t>(end - p);
    if (shared > key.size() || own > left || size > left - own)
      return bad("an entry is longer than its block");
    key.resize(shared);
    key.append(p, own);
    if (key.size() > kMostKey) return bad("a key is too long");
    if (!entries.empty() && key <= entries.back().first) return bad("the keys are not in order");
    entries.emplace_back(key, std::string_view(p + own, size));
    p += own + size;
  }
  return {};
}

}  // namespace

Result<Entries> read_sorted_table(std::string_view file) {
  if (file.size() < kFooter) return bad("the file is too short");
  std::string_view footer = file.substr(file.size() - kFooter);
  std::uint64_t magic;
  std::memcpy(&magic, footer.data() + kFooter - 8, 8);
  if (magic != kMagic) return bad("the file does not end as a table does");
  footer.remove_suffix(8);
  TRY(read_handle(footer));  // of the meta index: filters, of which TensorFlow writes none
  TRY_ASSIGN(const Handle index_handle, read_handle(footer));
  TRY_ASSIGN(const std::string_view index_block, read_block(file, index_handle));
  Entries index;
  TRY(read_entries(index_block, index));
  Entries entries;
  std::uint64_t seen = 0;
  for (auto& [key, value] : index) {
    TRY_ASSIGN(const Handle handle, read_handle(value));
    seen += handle.size;
    if (seen > file.size()) return bad("blocks overlap");
    TRY_ASSIGN(const std::string_view block, read_block(file, handle));
    TRY(read_entries(block, entries));
  }
  return entries;
}

}  // namespace wherry::tensorflow
