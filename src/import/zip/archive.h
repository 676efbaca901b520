// Files in a zip archive in memory (PKWARE APPNOTE 6.3: stored and deflated entries, ZIP64), through minizip.
// Sizes are checked before anything is allocated; checksums when an entry has been read.
//
// Thread-safety: one thread at a time per Archive.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace wherry::zip {

struct Limits {
  std::uint64_t entries = 1'000'000;
  std::uint64_t decompressed_bytes = std::uint64_t{8} << 30;  // of everything read from one Archive
  std::uint64_t decompressed_ratio = 250;  // times the archive's size, past the next line's
  std::uint64_t decompressed_free_bytes = std::uint64_t{64} << 20;
};

class Archive {
 public:
  // `bytes` are borrowed and must outlive the Archive. Errors: "zip.bad_archive", "zip.limit_entries"; two
  // entries of one name are a bad archive.
  static base::Result<Archive> open(base::Bytes bytes, const Limits& limits = {});

  Archive(Archive&&) noexcept;
  Archive& operator=(Archive&&) noexcept;
  ~Archive();

  bool has(std::string_view name) const;
  std::vector<std::string_view> names() const;  // in alphabetical order

  // The contents of a stored entry, borrowed from the archive's bytes; nullopt when the entry is compressed.
  // Not counted against the limits, for it takes no memory. Errors: "zip.no_entry", "zip.unsupported_entry",
  // "zip.bad_archive".
  base::Result<std::optional<base::Bytes>> borrow(std::string_view name);

  // The contents of an entry. Errors: "zip.no_entry", "zip.unsupported_entry", "zip.bad_archive",
  // "zip.limit_decompressed".
  base::Result<std::string> read(std::string_view name);

 private:
  struct State;
  explicit Archive(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace wherry::zip
