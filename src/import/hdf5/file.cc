#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "import/hdf5/source.h"

namespace wherry::hdf5 {

using base::Bytes;
using base::cat;
using base::Code;
using base::Result;
using base::Status;

namespace {

constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";

Result<std::uint64_t> read_root(Source& source) {
  Cursor cursor(source.bytes, source);
  TRY(cursor.expect(kSignature));
  TRY_ASSIGN(const std::uint64_t version, cursor.number(1));
  if (version > 3) return unsupported(cat("the superblock has version ", version));
  const bool old = version < 2;
  if (old) TRY(cursor.skip(4));  // versions of the parts
  TRY_ASSIGN(const std::uint64_t offset_size, cursor.number(1));
  TRY_ASSIGN(const std::uint64_t length_size, cursor.number(1));
  for (const std::uint64_t size : {offset_size, length_size})
    if (size != 2 && size != 4 && size != 8) return bad(cat("addresses of ", size, " bytes"));
  source.offset_size = static_cast<std::uint8_t>(offset_size);
  source.length_size = static_cast<std::uint8_t>(length_size);
  if (old) {
    TRY(cursor.skip(1 + 4 + 4));  // reserved, sizes of tree nodes, flags
    if (version == 1) TRY(cursor.skip(4));
  } else {
    TRY(cursor.skip(1));
  }
  TRY_ASSIGN(const std::uint64_t base, cursor.offset());
  if (base != 0) return unsupported("the file has a user block before it");
  TRY(cursor.skip(source.offset_size));  // free space, or the superblock's extension
  TRY(cursor.skip(source.offset_size));  // end of the file
  if (!old) return cursor.offset();
  TRY(cursor.skip(source.offset_size));  // driver information
  TRY(cursor.skip(source.offset_size));  // the root entry's name
  return cursor.offset();
}

}  // namespace

std::unexpected<base::Error> bad(std::string message) {
  return base::fail(Code::kInvalidInput, "hdf5.bad_file", cat("HDF5: ", message), "save the model again");
}
std::unexpected<base::Error> unsupported(std::string message) {
  return base::fail(Code::kUnsupported, "hdf5.unsupported", cat("HDF5: ", message),
                    "save the model again with Keras, or write the file with h5py's defaults");
}

Status Source::count(std::uint64_t items) {
  if (items > items_left)
    return base::fail(Code::kLimit, "hdf5.limit", cat("HDF5: more than ", limits.items, " items"));
  items_left -= items;
  return {};
}
Status Source::count_decoded(std::uint64_t size) {
  if (size > decoded_left)
    return base::fail(Code::kLimit, "hdf5.limit",
                      cat("HDF5: chunks and strings of more than ", base::human_size(limits.decoded_bytes)));
  decoded_left -= size;
  return {};
}
Result<Bytes> Source::at(std::uint64_t address) const {
  if (address >= bytes.size()) return bad(cat("address ", address, " in a file of ", bytes.size(), " bytes"));
  return bytes.subspan(address);
}
Result<Bytes> Source::at(std::uint64_t address, std::uint64_t size) const {
  if (address > bytes.size() || size > bytes.size() - address)
    return bad(cat(size, " bytes at address ", address, " in a file of ", bytes.size(), " bytes"));
  return bytes.subspan(address, size);
}

base::Result<TreeNode> read_tree_node(Source& source, Cursor& cursor, std::uint64_t type,
                                      std::uint64_t level_above, std::string_view what) {
  TRY(cursor.expect("TREE"));
  TRY_ASSIGN(const std::uint64_t found, cursor.number(1));
  TreeNode node;
  TRY_ASSIGN(node.level, cursor.number(1));
  TRY_ASSIGN(node.count, cursor.number(2));
  if (found != type || node.level >= level_above) return bad(cat(what, " is not one"));
  TRY(source.count(node.count + 1));
  TRY(cursor.skip(2U * source.offset_size));  // siblings
  return node;
}

bool is_undefined(std::uint64_t address, const Source& source) {
  return address == ~std::uint64_t{0} >> (64 - 8 * source.offset_size);
}

Result<Bytes> Cursor::take(std::uint64_t count) {
  if (count > left()) return bad(cat("a structure ends ", count - left(), " bytes early"));
  const Bytes taken = bytes_.subspan(position_, count);
  position_ += count;
  return taken;
}
Status Cursor::skip(std::uint64_t count) {
  TRY(take(count));
  return {};
}
Status Cursor::expect(std::string_view signature) {
  TRY_ASSIGN(const Bytes found, take(signature.size()));
  if (base::as_text(found) != signature)
    return bad(cat("a structure lacks its signature ", base::quoted(signature)));
  return {};
}
Result<std::uint64_t> Cursor::number(unsigned size) {
  TRY_ASSIGN(const Bytes raw, take(size));
  std::uint64_t value = 0;
  std::memcpy(&value, raw.data(), size);
  return value;
}

bool recognise(std::string_view content) {
  return content.starts_with(kSignature);
}

bool Object::is_dataset() const {
  return find_message(*this, kLayout) != nullptr;
}

File::File(std::unique_ptr<Source> source) : source_(std::move(source)) {}
File::File(File&&) noexcept = default;
File& File::operator=(File&&) noexcept = default;
File::~File() = default;

Result<File> File::open(Bytes bytes, std::shared_ptr<const void> owner, const Limits& limits) {
  auto source = std::make_unique<Source>();
  source->bytes = bytes;
  source->owner = std::move(owner);
  source->limits = limits;
  source->items_left = limits.items;
  source->decoded_left = limits.decoded_bytes;
  TRY_ASSIGN(source->root, read_root(*source));
  TRY(read_object(*source, source->root));
  return File(std::move(source));
}

Result<Object> File::find(std::string_view path) {
  TRY_ASSIGN(const Object root, read_object(*source_, source_->root));
  TRY_ASSIGN(auto found, find_if(root, path));
  if (!found)
    return base::fail(Code::kInvalidInput, "hdf5.not_found", cat("HDF5: there is no ", base::quoted(path)),
                      "save the model again");
  return *std::move(found);
}

Result<std::optional<Object>> File::find_if(const Object& group, std::string_view path) {
  Object current = group;
  std::size_t depth = 0;
  for (const std::string_view name : base::split(path, '/')) {
    if (name.empty()) continue;
    if (++depth > source_->limits.depth)
      return base::fail(Code::kLimit, "hdf5.limit",
                        cat("HDF5: the path ", base::quoted(path), " is too deep"));
    if (current.is_dataset()) return std::nullopt;
    TRY_ASSIGN(const std::vector<Link> members, read_links(*source_, current));
    const auto link = std::ranges::find(members, name, &Link::name);
    if (link == members.end()) return std::nullopt;
    TRY_ASSIGN(current, read_object(*source_, link->address));
  }
  return current;
}

Result<std::vector<Link>> File::links(const Object& group) {
  return read_links(*source_, group);
}
Result<Object> File::object(const Link& link) {
  return read_object(*source_, link.address);
}
Result<tensor::Tensor> File::read(const Object& dataset, std::string_view what) {
  return read_dataset(*source_, dataset, what);
}
Result<std::optional<tensor::Tensor>> File::attribute(const Object& object, std::string_view name) {
  return read_attribute(*source_, object, name);
}

Result<std::optional<std::string>> File::text(const Object& object, std::string_view name) {
  TRY_ASSIGN(const auto list, texts(object, name));
  if (!list || list->size() != 1) return std::nullopt;
  return list->front();
}
Result<std::optional<std::vector<std::string>>> File::texts(const Object& object, std::string_view name) {
  TRY_ASSIGN(const auto value, attribute(object, name));
  if (!value) return std::nullopt;
  if (value->size() == 0) return std::vector<std::string>();
  if (value->dtype() != tensor::DType::kString) return std::nullopt;
  const auto strings = value->as_strings();
  return std::vector<std::string>(strings.begin(), strings.end());
}

}  // namespace wherry::hdf5
