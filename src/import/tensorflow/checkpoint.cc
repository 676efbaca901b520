#include "import/tensorflow/checkpoint.h"

#include <cstring>

#include "protobuf/wire.h"

#include "base/text.h"
#include "import/tensorflow/crc32c.h"
#include "import/tensorflow/messages.h"
#include "import/tensorflow/sorted_table.h"
#include "import/tensorflow/tensor_proto.h"
#include "import/tensorflow/types.h"

namespace wherry::tensorflow {
namespace {

using base::cat;
using base::Result;
using base::Status;
using protobuf::Field;
using protobuf::key;
using protobuf::WireType;

constexpr std::uint64_t kMostShards = 10'000;

std::unexpected<base::Error> bad(std::string message) {
  return base::fail(base::Code::kInvalidInput, "tensorflow.bad_checkpoint", std::move(message),
                    "copy the model's whole folder again");
}

std::unexpected<base::Error> unsupported(std::string message) {
  return base::fail(base::Code::kUnsupported, "tensorflow.unsupported_checkpoint", std::move(message),
                    "load the model in TensorFlow and save it again");
}

Status read_header(CheckpointIndex& index, std::string_view message) {
  bool big_endian = false;
  protobuf::Reader reader(message);
  for (Field field; reader.next(field);) switch (field.key()) {
      case key(1, WireType::kVarint):
        index.shards = field.value;
        break;
      case key(2, WireType::kVarint):
        big_endian = field.as_bool();
        break;
    }
  TRY(reader.status("the checkpoint's header"));
  if (big_endian) return unsupported("the checkpoint was written on a big-endian machine");
  if (index.shards == 0 || index.shards > kMostShards)
    return bad(cat("the checkpoint has ", index.shards, " data files"));
  return {};
}

Result<CheckpointEntry> read_checkpoint_entry(std::string_view name, std::string_view message) {
  CheckpointEntry entry;
  protobuf::Reader reader(message);
  for (Field field; reader.next(field);) switch (field.key()) {
      case key(1, WireType::kVarint):
        entry.type = field.as_int64();
        break;
      case key(2, WireType::kBytes): {
        TRY_ASSIGN(PartialShape shape, read_shape(field.bytes));
        if (!shape) return bad(cat("variable ", base::quoted(name), " has no shape"));
        entry.shape = std::move(*shape);
        break;
      }
      case key(3, WireType::kVarint):
        entry.shard = field.value;
        break;
      case key(4, WireType::kVarint):
        entry.offset = field.value;
        break;
      case key(5, WireType::kVarint):
        entry.size = field.value;
        break;
      case key(6, WireType::kFixed32):
        entry.checksum = static_cast<std::uint32_t>(field.value);
        break;
      case key(7, WireType::kBytes):
        entry.sliced = true;
        break;
    }
  TRY(reader.status("an entry of the checkpoint"));
  return entry;
}

// WriteStringTensor: lengths as varints, their masked checksum, then the bytes of all strings. The entry's
// checksum is of the lengths as 32-bit numbers (64-bit ones where needed), that checksum and the bytes.
Result<tensor::Tensor> read_strings(std::string_view name, const CheckpointEntry& entry,
                                    std::string_view bytes) {
  const auto damaged = [&](std::string_view what) {
    return bad(cat("variable ", base::quoted(name), ": ", what));
  };
  TRY_ASSIGN(const std::uint64_t count, tensor::element_count(entry.shape));
  if (count > bytes.size()) return damaged("has more strings than bytes");
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  std::vector<std::uint64_t> lengths(count);
  std::uint32_t crc = 0;
  for (std::uint64_t& length : lengths) {
    p = protobuf::read_varint(p, end, length);
    if (p == nullptr) return damaged("a length ends early");
    const std::size_t width = length <= UINT32_MAX ? 4 : 8;
    crc = crc32c(crc, std::as_bytes(std::span(&length, 1)).first(width));
  }
  if (end - p < 4) return damaged("ends early");
  std::uint32_t stored;
  std::memcpy(&stored, p, 4);
  if (stored != masked(crc)) return damaged("the checksum of its lengths is wrong");
  crc = crc32c(crc, base::as_bytes(std::string_view(p, 4)));
  p += 4;
  if (masked(crc32c(crc, base::as_bytes(std::string_view(p, end)))) != entry.checksum)
    return damaged("its checksum is wrong");
  std::vector<std::string> texts(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (lengths[i] > static_cast<std::uint64_t>(end - p))
      return damaged("a string is longer than what is left");
    texts[i].assign(p, lengths[i]);
    p += lengths[i];
  }
  if (p != end) return damaged("more bytes than its strings have");
  return tensor::Tensor::of_strings(entry.shape, std::move(texts));
}

}  // namespace

Result<CheckpointIndex> read_checkpoint_index(std::string_view file) {
  TRY_ASSIGN(const auto rows, read_sorted_table(file));
  CheckpointIndex index;
  for (const auto& [name, value] : rows) {
    if (name.empty()) {
      TRY(read_header(index, value));
      continue;
    }
    if (index.shards == 0) return bad("the checkpoint has no header");
    // The parts of a sliced variable stand under keys of their own, which begin with a zero byte.
    if (name.front() == '\0') continue;
    TRY_ASSIGN(CheckpointEntry entry, read_checkpoint_entry(name, value));
    if (entry.shard >= index.shards && !entry.sliced)
      return bad(
          cat("variable ", base::quoted(name), " is in data file ", entry.shard, " of ", index.shards));
    index.entries.emplace(name, std::move(entry));
  }
  return index;
}

Result<Checkpoint> Checkpoint::open(const std::filesystem::path& prefix) {
  std::filesystem::path index_path = prefix;
  index_path += ".index";
  TRY_ASSIGN(const base::MappedFile file, base::MappedFile::open(index_path));
  Checkpoint checkpoint;
  TRY_ASSIGN(checkpoint.index_, read_checkpoint_index(base::as_text(file.bytes())));
  const auto padded = [](std::uint64_t number) {
    std::string digits = cat(number);
    return std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0') + digits;
  };
  for (std::uint64_t i = 0; i < checkpoint.index_.shards; ++i) {
    std::filesystem::path path = prefix;
    path += cat(".data-", padded(i), "-of-", padded(checkpoint.index_.shards));
    TRY_ASSIGN(base::MappedFile shard, base::MappedFile::open(path));
    checkpoint.shards_.push_back(std::make_shared<const base::MappedFile>(std::move(shard)));
  }
  return checkpoint;
}

Result<tensor::Tensor> Checkpoint::read(std::string_view name) const {
  const auto found = index_.entries.find(name);
  if (found == index_.entries.end())
    return base::fail(base::Code::kInvalidInput, "tensorflow.missing_variable",
                      cat("the checkpoint has no variable ", base::quoted(name)),
                      "copy the model's whole folder again, or save it again");
  const CheckpointEntry& entry = found->second;
  if (entry.sliced) return unsupported(cat("variable ", base::quoted(name), " is split into slices"));
  const auto dtype = to_dtype(entry.type);
  if (!dtype) return unsupported(cat("variable ", base::quoted(name), " is of ", type_name(entry.type)));
  const auto& shard = shards_[entry.shard];
  const std::string_view all = base::as_text(shard->bytes());
  if (entry.offset > all.size() || entry.size > all.size() - entry.offset)
    return bad(cat("variable ", base::quoted(name), ": its ", entry.size, " bytes at ", entry.offset,
                   " are not in its data file of ", all.size(), " bytes"));
  const std::string_view bytes = all.substr(entry.offset, entry.size);
  if (*dtype == tensor::DType::kString) return read_strings(name, entry, bytes);
  TRY_ASSIGN(const std::uint64_t count, tensor::element_count(entry.shape));
  if (count * tensor::info(*dtype).size != bytes.size())
    return bad(cat("variable ", base::quoted(name), " of shape ", tensor::to_string(entry.shape), " has ",
                   bytes.size(), " bytes"));
  if (masked(crc32c(0, base::as_bytes(bytes))) != entry.checksum)
    return bad(cat("variable ", base::quoted(name), ": its checksum is wrong"));
  return tensor_of(*dtype, entry.shape, base::as_bytes(bytes), shard);
}

}  // namespace wherry::tensorflow
