// Sorted string tables: the LevelDB table format (leveldb/doc/table_format.md) as TensorFlow's checkpoints
// write their index (tensorflow/core/lib/io/table_builder.cc). Read-only, whole table at once.
//
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace wherry::tensorflow {

// All keys with their values (borrowed from `file`), in the file's order. Checked: the footer's magic number,
// every block's place and checksum, every entry's lengths, that keys ascend. Errors:
// "tensorflow.bad_checkpoint", "tensorflow.unsupported_checkpoint" (a compressed block).
base::Result<std::vector<std::pair<std::string, std::string_view>>> read_sorted_table(std::string_view file);

}  // namespace wherry::tensorflow
