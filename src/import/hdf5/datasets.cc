// Where a dataset's elements lie: contiguous, compact, or in chunks which a version 1 B-tree lists
// (specification IV.A.2.i, l; III.A.1).
#include <algorithm>
#include <cstring>
#include <zlib.h>

#include "base/text.h"
#include "import/hdf5/source.h"

namespace wherry::hdf5 {

using base::Bytes;
using base::cat;
using base::Result;
using base::Status;
using tensor::Tensor;

namespace {

constexpr std::uint16_t kDeflate = 1, kShuffle = 2, kFletcher = 3;

struct Chunked {
  std::vector<std::uint16_t> filters;  // in the order of writing
  std::vector<std::uint64_t> chunk;    // lengths along the axes
  std::uint64_t chunk_bytes = 0;
  const Type* type = nullptr;
  const Space* space = nullptr;
  std::byte* out = nullptr;
  std::string_view what;
};

Result<std::vector<std::uint16_t>> read_filters(Source& source, const Object& object, std::string_view what) {
  std::vector<std::uint16_t> filters;
  const Message* message = find_message(object, kFilters);
  if (!message) return filters;
  Cursor cursor(message->body, source);
  TRY_ASSIGN(const std::uint64_t version, cursor.number(1));
  TRY_ASSIGN(const std::uint64_t count, cursor.number(1));
  if (version == 1) TRY(cursor.skip(6));
  for (std::uint64_t i = 0; i < count; ++i) {
    TRY_ASSIGN(const std::uint64_t id, cursor.number(2));
    std::uint64_t name = 0;
    if (version == 1 || id >= 256) {
      TRY_ASSIGN(name, cursor.number(2));
    }
    TRY(cursor.skip(2));  // flags
    TRY_ASSIGN(const std::uint64_t values, cursor.number(2));
    TRY(cursor.skip(version == 1 ? (name + 7) / 8 * 8 : name));
    TRY(cursor.skip(4 * (values + (version == 1 ? values % 2 : 0))));
    if (id != kDeflate && id != kShuffle && id != kFletcher)
      return unsupported(cat("filter ", id, " of ", what));
    filters.push_back(static_cast<std::uint16_t>(id));
  }
  return filters;
}

Result<std::vector<std::byte>> inflate_chunk(Bytes packed, std::uint64_t size, std::string_view what) {
  std::vector<std::byte> out(size);
  uLongf length = size;
  const int status = uncompress(reinterpret_cast<Bytef*>(out.data()), &length,
                                reinterpret_cast<const Bytef*>(packed.data()), packed.size());
  if (status != Z_OK) return bad(cat("a compressed chunk of ", what, " is damaged"));
  out.resize(length);
  return out;
}

std::vector<std::byte> unshuffle(Bytes bytes, std::size_t size) {
  std::vector<std::byte> out(bytes.begin(), bytes.end());
  const std::size_t count = bytes.size() / size;
  for (std::size_t byte = 0; byte < size; ++byte)
    for (std::size_t i = 0; i < count; ++i) out[i * size + byte] = bytes[byte * count + i];
  return out;
}

// `mask` has a bit for every filter which was left out of this chunk.
Status place_chunk(const Chunked& job, Bytes stored, std::uint64_t mask, std::span<const std::uint64_t> at) {
  std::vector<std::byte> owned;
  for (std::size_t f = job.filters.size(); f-- > 0;) {
    if (f < 32 && (mask >> f & 1) != 0) continue;
    if (job.filters[f] == kFletcher) {
      if (stored.size() < 4) return bad(cat("a chunk of ", job.what, " is too short"));
      stored = stored.first(stored.size() - 4);
    } else if (job.filters[f] == kDeflate) {
      TRY_ASSIGN(owned, inflate_chunk(stored, job.chunk_bytes + 4, job.what));
      stored = owned;
    } else {
      owned = unshuffle(stored, job.type->size);
      stored = owned;
    }
  }
  if (stored.size() != job.chunk_bytes)
    return bad(cat("a chunk of ", job.what, " has another size than it says"));
  const auto& shape = job.space->shape;
  const std::size_t axes = shape.size(), size = job.type->size;
  for (std::size_t axis = 0; axis < axes; ++axis)
    if (at[axis] >= static_cast<std::uint64_t>(shape[axis])) return {};  // beyond a dataset made smaller
  // Row after row along the last axis.
  const std::uint64_t run =
      std::min(job.chunk[axes - 1], static_cast<std::uint64_t>(shape[axes - 1]) - at[axes - 1]);
  std::vector<std::uint64_t> index(axes, 0);
  for (;;) {
    std::uint64_t from = 0, to = 0;
    bool inside = true;
    for (std::size_t axis = 0; axis < axes; ++axis) {
      const std::uint64_t position = at[axis] + index[axis], length = static_cast<std::uint64_t>(shape[axis]);
      inside = inside && position < length;
      from = from * job.chunk[axis] + index[axis];
      to = to * length + position;
    }
    if (inside) std::memcpy(job.out + to * size, stored.data() + from * size, run * size);
    std::size_t axis = axes - 1;
    while (axis-- > 0) {
      if (++index[axis] < job.chunk[axis]) break;
      index[axis] = 0;
    }
    if (axis == static_cast<std::size_t>(-1)) return {};
  }
}

Status read_chunks(Source& source, const Chunked& job, std::uint64_t address, std::uint64_t level_above) {
  TRY_ASSIGN(const Bytes bytes, source.at(address));
  Cursor cursor(bytes, source);
  TRY_ASSIGN(const TreeNode node,
             read_tree_node(source, cursor, 1, level_above, cat("the tree of chunks of ", job.what)));
  std::vector<std::uint64_t> at(job.chunk.size());
  for (std::uint64_t i = 0; i < node.count; ++i) {
    TRY_ASSIGN(const std::uint64_t size, cursor.number(4));
    TRY_ASSIGN(const std::uint64_t mask, cursor.number(4));
    for (std::uint64_t& position : at) {
      TRY_ASSIGN(position, cursor.number(8));
    }
    TRY(cursor.skip(8));  // within the element
    TRY_ASSIGN(const std::uint64_t child, cursor.offset());
    if (node.level > 0) {
      TRY(read_chunks(source, job, child, node.level));
    } else {
      TRY_ASSIGN(const Bytes stored, source.at(child, size));
      TRY(source.count_decoded(job.chunk_bytes));
      TRY(place_chunk(job, stored, mask, at));
    }
  }
  return {};
}

Result<Tensor> read_chunked(Source& source, Cursor& cursor, const Object& object, const Type& type,
                            const Space& space, std::string_view what) {
  TRY_ASSIGN(const std::uint64_t axes, cursor.number(1));
  TRY_ASSIGN(const std::uint64_t tree, cursor.offset());
  if (axes != space.shape.size() + 1 || axes < 2) return bad(cat("the chunks of ", what, " have other axes"));
  Chunked job;
  job.type = &type;
  job.space = &space;
  job.what = what;
  tensor::Shape chunk;
  for (std::uint64_t i = 0; i + 1 < axes; ++i) {
    TRY_ASSIGN(const std::uint64_t length, cursor.number(4));
    if (length == 0) return bad(cat("the chunks of ", what, " are empty"));
    job.chunk.push_back(length);
    chunk.push_back(static_cast<std::int64_t>(length));
  }
  const auto chunk_count = tensor::element_count(chunk);
  if (!chunk_count || *chunk_count * type.size > std::uint64_t{1} << 32)
    return bad(cat("the chunks of ", what, " are too large"));
  job.chunk_bytes = *chunk_count * type.size;
  TRY_ASSIGN(job.filters, read_filters(source, object, what));
  const std::uint64_t total = space.count * type.size;
  // gzip makes nothing more than a thousand times smaller; what was never written is not worth memory.
  if (total / 1100 > source.bytes.size() + 4096) return bad(cat(what, " is far larger than the file"));
  TRY(source.count_decoded(total));
  auto out = std::make_shared<std::vector<std::uint64_t>>((total + 7) / 8);
  job.out = reinterpret_cast<std::byte*>(out->data());
  if (!is_undefined(tree, source)) TRY(read_chunks(source, job, tree, source.limits.depth));
  return make_tensor(source, type, space, Bytes(job.out, total), out, what);
}

Result<Tensor> read_contiguous(Source& source, std::uint64_t address, const Type& type, const Space& space,
                               std::string_view what) {
  const std::uint64_t size = space.count * type.size;  // count is at most 2^48
  if (size / type.size != space.count) return bad(cat("the shape of ", what, " is too large"));
  if (size == 0) return make_tensor(source, type, space, {}, source.owner, what);
  if (is_undefined(address, source)) return unsupported(cat(what, " was never written"));
  TRY_ASSIGN(const Bytes raw, source.at(address, size));
  return make_tensor(source, type, space, raw, source.owner, what);
}

}  // namespace

Result<Tensor> read_dataset(Source& source, const Object& object, std::string_view what) {
  const Message* layout = find_message(object, kLayout);
  const Message* type_message = find_message(object, kDatatype);
  const Message* space_message = find_message(object, kDataspace);
  if (!layout || !space_message) return bad(cat(what, " is not a dataset"));
  if (!type_message) return unsupported(cat("the type of ", what, " is shared"));
  if (find_message(object, kExternalFiles)) return unsupported(cat(what, " lies in another file"));
  TRY_ASSIGN(const Type type, read_type(source, type_message->body, what));
  TRY_ASSIGN(const Space space, read_space(source, space_message->body, what));
  Cursor cursor(layout->body, source);
  TRY_ASSIGN(const std::uint64_t version, cursor.number(1));
  if (version != 3 && version != 4) return unsupported(cat("the layout of ", what, " has version ", version));
  TRY_ASSIGN(const std::uint64_t kind, cursor.number(1));
  if (kind == 0) {
    TRY_ASSIGN(const std::uint64_t size, cursor.number(2));
    TRY_ASSIGN(const Bytes raw, cursor.take(size));
    if (raw.size() / type.size < space.count) return bad(cat(what, " is longer than its place"));
    return make_tensor(source, type, space, raw.first(space.count * type.size), source.owner, what);
  }
  if (kind == 1) {
    TRY_ASSIGN(const std::uint64_t address, cursor.offset());
    return read_contiguous(source, address, type, space, what);
  }
  if (kind == 2 && version == 3) return read_chunked(source, cursor, object, type, space, what);
  return unsupported(
      cat(kind == 2 ? "chunks as libver='latest' lists them (" : "a virtual dataset (", what, ")"));
}

}  // namespace wherry::hdf5
