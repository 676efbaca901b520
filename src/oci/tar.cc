#include "oci/tar.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/digest.h"
#include "base/text.h"

namespace wherry::oci {
namespace {

using base::cat;
using base::Status;

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kLargestUstar = 077777777777;  // 11 octal digits
constexpr std::size_t kNameField = 100;
constexpr std::size_t kPrefixField = 155;
constexpr std::array<std::byte, 2 * kBlock> kZeros{};

// Offsets and lengths of the ustar header's fields.
struct Field {
  std::size_t offset;
  std::size_t length;
};
constexpr Field kName{0, kNameField}, kMode{100, 8}, kUid{108, 8}, kGid{116, 8}, kSize{124, 12},
    kModified{136, 12}, kChecksum{148, 8}, kType{156, 1}, kLink{157, 100}, kMagic{257, 8}, kDevMajor{329, 8},
    kDevMinor{337, 8}, kPrefix{345, kPrefixField};

using Block = std::array<char, kBlock>;

void put_text(Block& block, Field field, std::string_view text) {
  std::memcpy(block.data() + field.offset, text.data(), std::min(text.size(), field.length));
}

void put_octal(Block& block, Field field, std::uint64_t value) {
  for (std::size_t i = field.length - 1; i-- > 0; value >>= 3)
    block[field.offset + i] = static_cast<char>('0' + (value & 7));
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Where to cut a long path into prefix and name; npos if it does not fit.
std::size_t split_point(std::string_view path) {
  for (std::size_t i = path.find('/'); i != std::string_view::npos; i = path.find('/', i + 1)) {
    const std::size_t name = path.size() - i - 1;
    if (i <= kPrefixField && name <= kNameField && name > 0) return i;
  }
  return std::string_view::npos;
}

bool fits_ustar(std::string_view path) {
  return is_ascii(path) && (path.size() <= kNameField || split_point(path) != std::string_view::npos);
}

// "LENGTH key=value\n", LENGTH counting itself.
std::string pax_record(std::string_view key, std::string_view value) {
  const std::string rest = cat(" ", key, "=", value, "\n");
  std::size_t length = rest.size() + 1;
  while (cat(length).size() + rest.size() != length) ++length;
  return cat(length, rest);
}

std::string written_path(const TarHeader& header) {
  return header.type == TarType::kFolder ? header.path + "/" : header.path;
}

// The part of a name which every reader can hold, for readers which ignore pax.
std::string short_name(std::string_view path) {
  std::string name(path.size() > kNameField ? path.substr(path.size() - kNameField) : path);
  for (char& c : name)
    if (static_cast<unsigned char>(c) >= 0x80) c = '_';
  return name;
}

}  // namespace

Status TarWriter::write_block(const TarHeader& header, char type, std::uint64_t size) {
  Block block{};
  const std::string path = type == 'x' ? header.path : written_path(header);
  const std::size_t cut = path.size() <= kNameField ? std::string::npos : split_point(path);
  if (!fits_ustar(path)) {
    put_text(block, kName, short_name(path));
  } else if (cut == std::string::npos) {
    put_text(block, kName, path);
  } else {
    put_text(block, kPrefix, std::string_view(path).substr(0, cut));
    put_text(block, kName, std::string_view(path).substr(cut + 1));
  }
  put_octal(block, kMode, header.mode);
  put_octal(block, kUid, header.uid);
  put_octal(block, kGid, header.gid);
  put_octal(block, kSize, std::min(size, kLargestUstar));
  put_octal(block, kModified, static_cast<std::uint64_t>(header.modified));
  block[kType.offset] = type;
  put_text(block, kLink, short_name(header.link_target));
  put_text(block, kMagic, std::string_view("ustar\00000", 8));
  put_octal(block, kDevMajor, 0);
  put_octal(block, kDevMinor, 0);
  std::memset(block.data() + kChecksum.offset, ' ', kChecksum.length);
  std::uint64_t sum = 0;
  for (char c : block) sum += static_cast<unsigned char>(c);
  put_octal(block, {kChecksum.offset, 7}, sum);
  return sink_(std::as_bytes(std::span(block)));
}

Status TarWriter::add_header(const TarHeader& header) {
  if (left_ != 0 || padding_ != 0)
    return base::fail(base::Code::kInternal, "oci.layer_path",
                      cat(header.path, ": the file before it was not ended"), "report this as a bug");
  const std::uint64_t size = header.type == TarType::kFile ? header.size : 0;
  std::string records;
  if (const std::string path = written_path(header); !fits_ustar(path)) records += pax_record("path", path);
  if (header.link_target.size() > kNameField || !is_ascii(header.link_target))
    records += pax_record("linkpath", header.link_target);
  if (size > kLargestUstar) records += pax_record("size", cat(size));
  if (!records.empty()) {
    TarHeader extra;
    extra.path = cat("PaxHeaders.0/", base::sha256_hex(header.path).substr(0, 16));
    extra.modified = header.modified;
    TRY(write_block(extra, 'x', records.size()));
    TRY(sink_(base::as_bytes(records)));
    TRY(sink_(base::Bytes(kZeros).first((kBlock - records.size() % kBlock) % kBlock)));
  }
  TRY(write_block(header, static_cast<char>(header.type), size));
  left_ = size;
  padding_ = (kBlock - size % kBlock) % kBlock;
  return {};
}

Status TarWriter::add_content(base::Bytes bytes) {
  if (bytes.size() > left_)
    return base::fail(base::Code::kUnavailable, "oci.source_changed", "a file grew while it was read",
                      "try again when nothing writes to it");
  left_ -= bytes.size();
  return sink_(bytes);
}

Status TarWriter::end_content() {
  if (left_ != 0)
    return base::fail(base::Code::kUnavailable, "oci.source_changed",
                      "a file became shorter while it was read", "try again when nothing writes to it");
  const std::uint64_t padding = std::exchange(padding_, 0);
  return sink_(base::Bytes(kZeros).first(static_cast<std::size_t>(padding)));
}

Status TarWriter::finish() {
  return sink_(kZeros);
}

Status TarWriter::add_file(const TarHeader& header, std::string_view content) {
  TarHeader sized = header;
  sized.size = content.size();
  TRY(add_header(sized));
  TRY(add_content(base::as_bytes(content)));
  return end_content();
}

}  // namespace wherry::oci
