// Bounds on what a model file may ask for. Each has its own error id, so that a refusal says which one to
// raise.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace wherry::pickle {

// Defaults take any model that fits a server and stop a hostile file early. Lengths are checked against the
// bytes left before anything is allocated, so most limits matter only for files that really are that large.
struct Limits {
  std::uint64_t file_bytes = std::uint64_t{16} << 30;         // pickle.limit_file
  std::uint64_t decompressed_bytes = std::uint64_t{8} << 30;  // pickle.limit_decompressed
  std::uint64_t decompressed_ratio = 250;  // pickle.limit_ratio, checked past the next line's size
  std::uint64_t decompressed_free_bytes = std::uint64_t{64} << 20;
  std::uint64_t stack_depth = 4'000'000;    // pickle.limit_stack: values waiting on the stack
  std::uint64_t nesting = 5'000;            // pickle.limit_depth: containers in containers; < 65'000
  std::uint64_t mark_depth = 1'000'000;     // pickle.limit_marks: open MARKs
  std::uint64_t memo_entries = 50'000'000;  // pickle.limit_memo
  std::uint64_t objects = 100'000'000;      // pickle.limit_objects
  std::uint64_t string_bytes = std::uint64_t{4} << 30;    // pickle.limit_string: one str, bytes or bytearray
  std::uint64_t big_int_bytes = 2'048;                    // pickle.limit_big_int: one int
  std::uint64_t array_elements = std::uint64_t{1} << 40;  // pickle.limit_array: product of a shape
  std::uint64_t array_dimensions = 64;                    // pickle.limit_array: numpy's own bound
  std::uint64_t nested_pickles = 1;  // pickle.limit_nested: depth (joblib writes one level)
  std::uint64_t imports = 100'000;   // pickle.limit_imports: distinct globals
  // pickle.limit_memory: bytes of our own structures, not counting the file: at most memory_bytes, and at
  // most memory_free_bytes + memory_ratio × size of the uncompressed stream.
  std::uint64_t memory_bytes = std::uint64_t{16} << 30;
  std::uint64_t memory_free_bytes = std::uint64_t{16} << 20;
  std::uint64_t memory_ratio = 256;
  // PERSID and BINPERSID become calls of kind kPersistent instead of "pickle.persistent_id": for formats such
  // as PyTorch's, whose reader knows where the objects outside of the pickle are.
  bool persistent_ids = false;
};

// Raises or lowers the limit behind the error id "pickle.limit_NAME"; `value` is a number, or one with k, M
// or G (powers of 1024). Errors: "pickle.unknown_limit", naming the nearest, and "pickle.bad_limit".
base::Status set_limit(Limits& limits, std::string_view name, std::string_view value);

std::vector<std::string_view> limit_names();

}  // namespace wherry::pickle
