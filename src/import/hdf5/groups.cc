// Groups: symbol tables (version 1 B-trees and local heaps, specification III.A.1, III.B, III.C) and links.
#include "base/text.h"
#include "import/hdf5/source.h"

namespace wherry::hdf5 {

using base::Bytes;
using base::cat;
using base::Result;
using base::Status;

namespace {

// What a name offset points into.
Result<Bytes> local_heap(Source& source, std::uint64_t address) {
  TRY_ASSIGN(const Bytes bytes, source.at(address));
  Cursor cursor(bytes, source);
  TRY(cursor.expect("HEAP"));
  TRY(cursor.skip(4));  // version, reserved
  TRY_ASSIGN(const std::uint64_t size, cursor.length());
  TRY(cursor.skip(source.length_size));  // free list
  TRY_ASSIGN(const std::uint64_t data, cursor.offset());
  return source.at(data, size);
}

Result<std::string> name_at(Bytes heap, std::uint64_t offset) {
  if (offset >= heap.size()) return bad("the name of a link lies outside its heap");
  const std::string_view rest = base::as_text(heap.subspan(offset));
  const std::size_t end = rest.find('\0');
  if (end == std::string_view::npos) return bad("the name of a link has no end");
  return std::string(rest.substr(0, end));
}

Status read_symbols(Source& source, std::uint64_t address, Bytes heap, std::vector<Link>& links) {
  TRY_ASSIGN(const Bytes bytes, source.at(address));
  Cursor cursor(bytes, source);
  TRY(cursor.expect("SNOD"));
  TRY(cursor.skip(2));
  TRY_ASSIGN(const std::uint64_t count, cursor.number(2));
  TRY(source.count(count));
  for (std::uint64_t i = 0; i < count; ++i) {
    TRY_ASSIGN(const std::uint64_t name, cursor.offset());
    TRY_ASSIGN(const std::uint64_t target, cursor.offset());
    TRY_ASSIGN(const std::uint64_t kind, cursor.number(4));
    TRY(cursor.skip(4 + 16));
    if (kind == 2) continue;  // a soft link
    TRY_ASSIGN(std::string text, name_at(heap, name));
    links.push_back({std::move(text), target});
  }
  return {};
}

Status read_tree(Source& source, std::uint64_t address, std::uint64_t level_above, Bytes heap,
                 std::vector<Link>& links) {
  TRY_ASSIGN(const Bytes bytes, source.at(address));
  Cursor cursor(bytes, source);
  TRY_ASSIGN(const TreeNode node,
             read_tree_node(source, cursor, 0, level_above, "the tree of a group's links"));
  for (std::uint64_t i = 0; i < node.count; ++i) {
    TRY(cursor.skip(source.length_size));  // key
    TRY_ASSIGN(const std::uint64_t child, cursor.offset());
    TRY(node.level == 0 ? read_symbols(source, child, heap, links)
                        : read_tree(source, child, node.level, heap, links));
  }
  return {};
}

}  // namespace

Result<std::optional<Link>> read_link(Source& source, Bytes message) {
  Cursor cursor(message, source);
  TRY_ASSIGN(const std::uint64_t version, cursor.number(1));
  if (version != 1) return unsupported(cat("a link of version ", version));
  TRY_ASSIGN(const std::uint64_t flags, cursor.number(1));
  std::uint64_t type = 0;
  if (flags & 0x08) {
    TRY_ASSIGN(type, cursor.number(1));
  }
  if (flags & 0x04) TRY(cursor.skip(8));  // creation order
  if (flags & 0x10) TRY(cursor.skip(1));  // character set
  TRY_ASSIGN(const std::uint64_t length, cursor.number(1U << (flags & 3)));
  TRY_ASSIGN(const Bytes name, cursor.take(length));
  if (type != 0) return std::nullopt;
  Link link;
  link.name = base::as_text(name);
  TRY_ASSIGN(link.address, cursor.offset());
  return link;
}

Result<std::vector<Link>> read_links(Source& source, const Object& group) {
  std::vector<Link> links;
  if (const Message* table = find_message(group, kSymbolTable)) {
    Cursor cursor(table->body, source);
    TRY_ASSIGN(const std::uint64_t tree, cursor.offset());
    TRY_ASSIGN(const std::uint64_t heap_address, cursor.offset());
    TRY_ASSIGN(const Bytes heap, local_heap(source, heap_address));
    TRY(read_tree(source, tree, source.limits.depth, heap, links));
    return links;
  }
  const auto add = [&](Bytes message) -> Status {
    TRY_ASSIGN(auto link, read_link(source, message));
    if (link) links.push_back(*std::move(link));
    return {};
  };
  for (const Message& message : group.messages)
    if (message.type == kLinkMessage) TRY(add(message.body));
  if (const Message* info = find_message(group, kLinkInfo)) {
    Cursor cursor(info->body, source);
    TRY(cursor.skip(1));
    TRY_ASSIGN(const std::uint64_t flags, cursor.number(1));
    if (flags & 1) TRY(cursor.skip(8));
    TRY_ASSIGN(const std::uint64_t heap, cursor.offset());
    TRY_ASSIGN(const std::uint64_t tree, cursor.offset());
    if (!is_undefined(heap, source)) {
      TRY_ASSIGN(const auto messages, read_dense(source, heap, tree, 4));
      for (const Bytes message : messages) TRY(add(message));
    }
  }
  return links;
}

}  // namespace wherry::hdf5
