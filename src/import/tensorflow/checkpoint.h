// Variables of a SavedModel: a "tensor bundle" (tensorflow/core/util/tensor_bundle,
// protobuf/tensor_bundle.proto), PREFIX.index and PREFIX.data-NNNNN-of-NNNNN.
//
// Thread-safety: immutable after opening. Errors: "tensorflow.bad_checkpoint",
// "tensorflow.unsupported_checkpoint", "base.file_*".
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "tensor/tensor.h"

namespace wherry::tensorflow {

struct CheckpointEntry {
  std::int64_t type = 0;
  std::vector<std::int64_t> shape;
  std::uint64_t shard = 0, offset = 0, size = 0;
  std::uint32_t checksum = 0;  // masked
  bool sliced = false;
};

struct CheckpointIndex {
  std::uint64_t shards = 0;
  std::map<std::string, CheckpointEntry, std::less<>> entries;
};
base::Result<CheckpointIndex> read_checkpoint_index(std::string_view file);

class Checkpoint {
 public:
  Checkpoint() = default;  // without variables

  // `prefix`: "…/variables/variables". The .data files are mapped; they stay mapped as long as a tensor
  // borrows from them.
  static base::Result<Checkpoint> open(const std::filesystem::path& prefix);

  bool has(std::string_view key) const { return index_.entries.contains(key); }
  const std::map<std::string, CheckpointEntry, std::less<>>& entries() const { return index_.entries; }

  // Reads and checks one variable. Numbers are borrowed from the mapped file where they lie aligned.
  base::Result<tensor::Tensor> read(std::string_view key) const;

 private:
  CheckpointIndex index_;
  std::vector<std::shared_ptr<const base::MappedFile>> shards_;
};

}  // namespace wherry::tensorflow
