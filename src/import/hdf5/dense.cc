// Groups of many links and objects of many attributes: the messages lie in a fractal heap (specification
// III.G) and are listed by a version 2 B-tree (III.A.2).
#include <bit>

#include "base/text.h"
#include "import/hdf5/source.h"

namespace wherry::hdf5 {

using base::Bytes;
using base::cat;
using base::Result;
using base::Status;

namespace {

struct Heap {
  std::uint64_t address = 0;
  std::uint64_t id_size = 0;
  std::uint64_t width = 0;          // blocks per row
  std::uint64_t first_block = 0;    // bytes of a block of the first row
  std::uint64_t largest_block = 0;  // bytes of the largest direct block
  std::uint64_t address_bytes = 0;  // of an offset in the heap
  std::uint64_t length_bytes = 0;   // of an object's length in an id
  std::uint64_t root = 0;
  std::uint64_t root_rows = 0;  // 0: the root is a direct block
};

Result<Heap> read_heap(Source& source, std::uint64_t address) {
  TRY_ASSIGN(const Bytes bytes, source.at(address));
  Cursor cursor(bytes, source);
  TRY(cursor.expect("FRHP"));
  TRY(cursor.skip(1));
  Heap heap;
  heap.address = address;
  TRY_ASSIGN(heap.id_size, cursor.number(2));
  TRY_ASSIGN(const std::uint64_t filters, cursor.number(2));
  if (filters != 0) return unsupported("a compressed fractal heap");
  TRY(cursor.skip(1));
  TRY_ASSIGN(const std::uint64_t largest_object, cursor.number(4));
  // Huge objects (next id, tree), free space (bytes, manager), heap (size, allocated, iterator, objects),
  // huge (size, objects), tiny (size, objects).
  TRY(cursor.skip(10U * source.length_size + 2U * source.offset_size));
  TRY_ASSIGN(heap.width, cursor.number(2));
  TRY_ASSIGN(heap.first_block, cursor.length());
  TRY_ASSIGN(heap.largest_block, cursor.length());
  TRY_ASSIGN(const std::uint64_t bits, cursor.number(2));
  TRY(cursor.skip(2));
  TRY_ASSIGN(heap.root, cursor.offset());
  TRY_ASSIGN(heap.root_rows, cursor.number(2));
  const bool sane = heap.width > 0 && std::has_single_bit(heap.first_block) &&
                    std::has_single_bit(heap.largest_block) && heap.first_block <= heap.largest_block &&
                    heap.largest_block <= std::uint64_t{1} << 32 && bits > 0 && bits <= 64 &&
                    heap.root_rows <= 64 && largest_object > 0;
  if (!sane) return bad("the sizes of a fractal heap make no sense");
  heap.address_bytes = (bits + 7) / 8;
  heap.length_bytes = (std::bit_width(std::min(heap.largest_block, largest_object)) - 1) / 8 + 1;
  return heap;
}

std::uint64_t block_size(const Heap& heap, std::uint64_t row) {
  return row < 2 ? heap.first_block : heap.first_block << (row - 1);
}

// The direct block which holds `offset` of the heap, and where it begins there.
struct Found {
  Bytes block;
  std::uint64_t begin = 0;
};

Result<Found> find_block(Source& source, const Heap& heap, std::uint64_t address, std::uint64_t rows,
                         std::uint64_t begin, std::uint64_t size, std::uint64_t offset, std::size_t depth) {
  TRY(source.count(1));
  if (depth > source.limits.depth) return bad("a fractal heap is too deep");
  if (rows == 0) {
    TRY_ASSIGN(const Bytes block, source.at(address, size));
    if (!base::as_text(block).starts_with("FHDB")) return bad("a block of a fractal heap is not one");
    return Found{block, begin};
  }
  TRY_ASSIGN(const Bytes bytes, source.at(address));
  Cursor cursor(bytes, source);
  TRY(cursor.expect("FHIB"));
  TRY(cursor.skip(1U + source.offset_size + heap.address_bytes));
  for (std::uint64_t row = 0; row < rows; ++row) {
    const std::uint64_t each = block_size(heap, row);
    for (std::uint64_t column = 0; column < heap.width; ++column, begin += each) {
      TRY_ASSIGN(const std::uint64_t child, cursor.offset());
      if (offset < begin || offset - begin >= each) continue;
      if (each <= heap.largest_block)
        return find_block(source, heap, child, 0, begin, each, offset, depth + 1);
      // An indirect block of as many rows as its bytes need.
      const std::uint64_t child_rows =
          static_cast<std::uint64_t>(std::bit_width(each) - std::bit_width(heap.first_block * heap.width)) +
          1;
      if (child_rows == 0 || child_rows > 64) return bad("the sizes of a fractal heap make no sense");
      return find_block(source, heap, child, child_rows, begin, each, offset, depth + 1);
    }
  }
  return bad("an object lies outside its fractal heap");
}

Result<Bytes> read_heap_object(Source& source, const Heap& heap, Bytes id) {
  Cursor cursor(id, source);
  TRY_ASSIGN(const std::uint64_t head, cursor.number(1));
  const std::uint64_t type = head >> 4 & 3;
  if (type == 2) {  // tiny: the object is in the id
    const std::uint64_t length = (head & 15) + 1;
    return cursor.take(length);
  }
  if (type != 0) return unsupported("a huge object in a fractal heap");
  TRY_ASSIGN(const std::uint64_t offset, cursor.number(static_cast<unsigned>(heap.address_bytes)));
  TRY_ASSIGN(const std::uint64_t length, cursor.number(static_cast<unsigned>(heap.length_bytes)));
  TRY_ASSIGN(const Found found,
             find_block(source, heap, heap.root, heap.root_rows, 0, heap.first_block, offset, 0));
  const std::uint64_t from = offset - found.begin;
  if (from > found.block.size() || length > found.block.size() - from)
    return bad("an object lies outside its fractal heap");
  return found.block.subspan(from, length);
}

struct Tree {
  std::uint64_t node_size = 0, record_size = 0;
  std::vector<std::uint64_t> count_bytes;  // by depth: of the number of records in a node
  std::vector<std::uint64_t> total_bytes;  // by depth: of the number of records below a node
};

std::uint64_t bytes_for(std::uint64_t number) {
  return static_cast<std::uint64_t>(std::bit_width(number) + 7) / 8;
}

Status read_node(Source& source, const Tree& tree, std::uint64_t address, std::uint64_t depth,
                 std::uint64_t count, std::vector<Bytes>& records) {
  TRY(source.count(count + 1));
  TRY_ASSIGN(const Bytes bytes, source.at(address));
  Cursor cursor(bytes, source);
  TRY(cursor.expect(depth == 0 ? "BTLF" : "BTIN"));
  TRY(cursor.skip(2));
  for (std::uint64_t i = 0; i < count; ++i) {
    TRY_ASSIGN(const Bytes record, cursor.take(tree.record_size));
    records.push_back(record);
  }
  if (depth == 0) return {};
  for (std::uint64_t i = 0; i <= count; ++i) {
    TRY_ASSIGN(const std::uint64_t child, cursor.offset());
    TRY_ASSIGN(const std::uint64_t below, cursor.number(static_cast<unsigned>(tree.count_bytes[depth - 1])));
    if (depth > 1) TRY(cursor.skip(tree.total_bytes[depth - 1]));
    TRY(read_node(source, tree, child, depth - 1, below, records));
  }
  return {};
}

}  // namespace

Result<std::vector<Bytes>> read_dense(Source& source, std::uint64_t heap_address, std::uint64_t tree_address,
                                      std::size_t id_at) {
  TRY_ASSIGN(const Heap heap, read_heap(source, heap_address));
  TRY_ASSIGN(const Bytes bytes, source.at(tree_address));
  Cursor cursor(bytes, source);
  TRY(cursor.expect("BTHD"));
  TRY(cursor.skip(2));
  Tree tree;
  TRY_ASSIGN(tree.node_size, cursor.number(4));
  TRY_ASSIGN(tree.record_size, cursor.number(2));
  TRY_ASSIGN(const std::uint64_t depth, cursor.number(2));
  TRY(cursor.skip(2));
  TRY_ASSIGN(const std::uint64_t root, cursor.offset());
  TRY_ASSIGN(const std::uint64_t count, cursor.number(2));
  if (is_undefined(root, source)) return std::vector<Bytes>();
  if (depth > 16 || tree.node_size < 32 || tree.record_size < id_at + heap.id_size || tree.record_size == 0)
    return bad("the sizes of a tree make no sense");
  // How many records a node of each depth may have decides how wide their counts are (H5B2hdr.c).
  const std::uint64_t head = 10;  // signature, version, type, checksum
  std::uint64_t most = (tree.node_size - head) / tree.record_size, below = most;
  tree.count_bytes.push_back(bytes_for(most));
  tree.total_bytes.push_back(0);
  for (std::uint64_t d = 1; d < depth; ++d) {
    const std::uint64_t pointer = source.offset_size + tree.count_bytes[0] + tree.total_bytes[d - 1];
    if (tree.node_size < head + pointer) return bad("the sizes of a tree make no sense");
    most = (tree.node_size - (head + pointer)) / (tree.record_size + pointer);
    below = (most + 1) * below + most;
    tree.count_bytes.push_back(tree.count_bytes[0]);
    tree.total_bytes.push_back(bytes_for(below));
  }
  std::vector<Bytes> records, objects;
  TRY(read_node(source, tree, root, depth, count, records));
  for (const Bytes record : records) {
    TRY_ASSIGN(const Bytes object, read_heap_object(source, heap, record.subspan(id_at, heap.id_size)));
    objects.push_back(object);
  }
  return objects;
}

}  // namespace wherry::hdf5
