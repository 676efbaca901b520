// Object headers, versions 1 and 2 (specification IV.A.1).
#include <algorithm>
#include <deque>

#include "base/text.h"
#include "import/hdf5/source.h"

namespace wherry::hdf5 {

using base::Bytes;
using base::cat;
using base::Result;
using base::Status;

namespace {

struct Block {
  std::uint64_t address = 0, size = 0;
};

constexpr std::uint8_t kShared = 0x02;

Status continue_at(Source& source, Bytes body, std::deque<Block>& blocks) {
  Cursor cursor(body, source);
  Block block;
  TRY_ASSIGN(block.address, cursor.offset());
  TRY_ASSIGN(block.size, cursor.length());
  blocks.push_back(block);
  return {};
}

// Every block costs an item, so a ring of continuations ends at the limit; no header has that many.
constexpr std::size_t kMostBlocks = 4096;

Result<Object> read_version_1(Source& source, std::uint64_t address) {
  TRY_ASSIGN(const Bytes bytes, source.at(address));
  Cursor head(bytes, source);
  TRY(head.skip(2));  // version, reserved
  TRY_ASSIGN(const std::uint64_t count, head.number(2));
  TRY(head.skip(4));  // references
  TRY_ASSIGN(const std::uint64_t size, head.number(4));
  Object object;
  object.address = address;
  std::deque<Block> blocks{{address + 16, size}};
  for (std::size_t done = 0; !blocks.empty() && done < kMostBlocks; ++done) {
    const Block block = blocks.front();
    blocks.pop_front();
    TRY(source.count(1));
    TRY_ASSIGN(const Bytes content, source.at(block.address, block.size));
    Cursor cursor(content, source);
    while (cursor.left() >= 8 && object.messages.size() < count) {
      TRY(source.count(1));
      Message message;
      TRY_ASSIGN(const std::uint64_t type, cursor.number(2));
      TRY_ASSIGN(const std::uint64_t length, cursor.number(2));
      TRY_ASSIGN(const std::uint64_t message_flags, cursor.number(1));
      message.type = static_cast<std::uint16_t>(type);
      message.flags = static_cast<std::uint8_t>(message_flags);
      TRY(cursor.skip(3));
      TRY_ASSIGN(message.body, cursor.take(length));
      if (message.type == kContinuation) TRY(continue_at(source, message.body, blocks));
      object.messages.push_back(message);
    }
  }
  return object;
}

Result<Object> read_version_2(Source& source, std::uint64_t address) {
  TRY_ASSIGN(const Bytes bytes, source.at(address));
  Cursor head(bytes, source);
  TRY(head.expect("OHDR"));
  TRY_ASSIGN(const std::uint64_t version, head.number(1));
  if (version != 2) return unsupported(cat("an object header of version ", version));
  TRY_ASSIGN(const std::uint64_t flags, head.number(1));
  if (flags & 0x20) TRY(head.skip(16));  // times
  if (flags & 0x10) TRY(head.skip(4));   // when attributes are stored densely
  TRY_ASSIGN(const std::uint64_t size, head.number(1U << (flags & 3)));
  const unsigned order_size = flags & 0x04 ? 2 : 0;
  Object object;
  object.address = address;
  std::deque<Block> blocks{{address + head.position(), size}};
  for (std::size_t done = 0; !blocks.empty() && done < kMostBlocks; ++done) {
    const Block block = blocks.front();
    blocks.pop_front();
    TRY(source.count(1));
    TRY_ASSIGN(Bytes content, source.at(block.address, block.size));
    if (done > 0) {  // "OCHK" before, a checksum behind
      if (content.size() < 8 || base::as_text(content.first(4)) != "OCHK")
        return bad("a part of an object header lacks its signature");
      content = content.subspan(4, content.size() - 8);
    }
    Cursor cursor(content, source);
    while (cursor.left() >= 4 + order_size) {
      TRY(source.count(1));
      Message message;
      TRY_ASSIGN(const std::uint64_t type, cursor.number(1));
      TRY_ASSIGN(const std::uint64_t length, cursor.number(2));
      TRY_ASSIGN(const std::uint64_t message_flags, cursor.number(1));
      message.type = static_cast<std::uint16_t>(type);
      message.flags = static_cast<std::uint8_t>(message_flags);
      TRY(cursor.skip(order_size));
      TRY_ASSIGN(message.body, cursor.take(length));
      if (message.type == kContinuation) TRY(continue_at(source, message.body, blocks));
      object.messages.push_back(message);
    }
  }
  return object;
}

}  // namespace

Result<Object> read_object(Source& source, std::uint64_t address) {
  TRY_ASSIGN(const Bytes bytes, source.at(address));
  if (base::as_text(bytes).starts_with("OHDR")) return read_version_2(source, address);
  if (bytes.front() != std::byte{1}) return bad(cat("there is no object header at address ", address));
  return read_version_1(source, address);
}

const Message* find_message(const Object& object, std::uint16_t type) {
  const auto found = std::ranges::find_if(object.messages, [&](const Message& message) {
    return message.type == type && (message.flags & kShared) == 0;
  });
  return found == object.messages.end() ? nullptr : &*found;
}

}  // namespace wherry::hdf5
