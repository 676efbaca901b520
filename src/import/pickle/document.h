// Reads Python pickles (protocols 0 to 5, CPython's Lib/pickle.py and Lib/pickletools.py) and joblib files
// (joblib's numpy_pickle.py, 0.10 and newer, every compressor) as data. Nothing is imported or called,
// whatever the file says.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "import/pickle/limits.h"
#include "import/pickle/object.h"
#include "import/pickle/view.h"

namespace wherry::pickle {

// One line of the import manifest: a global named anywhere in the file, nested pickles and values that were
// thrown away (POP, overwritten memo entries) included.
struct GlobalUse {
  std::string_view module;  // as the file spells it
  std::string_view name;
  std::uint64_t offset = 0;        // of the first use, in the uncompressed stream
  std::uint64_t count = 0;         // opcodes that name it
  bool called = false;             // used as callee of REDUCE, NEWOBJ, NEWOBJ_EX, OBJ or INST
  const Object* object = nullptr;  // kGlobal, with the canonical names

  std::string qualified() const;  // "module.name"
};

// A file that was read to its end. Move-only; moving keeps every reference to its objects valid. Array data
// and strings borrow from the input, which the Document keeps alive (see the read functions).
class Document {
 public:
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();  // linear, not recursive, however deep the objects are nested

  const Object& root() const;
  View view() const { return View(root(), {}); }  // the cursor most readers want, see view.h

  std::span<const GlobalUse> imports() const;  // in order of first use
  int protocol() const;                        // highest that a PROTO opcode of the outer pickle says, else 0
  std::string_view compression() const;        // "none", "zlib", "gzip", "bz2", "xz", "lzma" or "lz4"
  std::uint64_t stream_bytes() const;          // size of the uncompressed stream
  std::uint64_t trailing_bytes() const;        // after STOP; Python ignores them, and so do we
  std::uint64_t object_count() const;
  bool has_joblib_arrays() const;  // raw arrays between the opcodes: written by joblib.dump

  struct State;
  explicit Document(std::unique_ptr<State> state);

 private:
  std::unique_ptr<State> state_;
};

// Maps the file. The Document owns the mapping; the file must not be changed meanwhile.
// Errors: base.file_* and pickle.* (error_ids.h); messages name offset and opcode, not the file.
base::Result<Document> read_file(const std::filesystem::path& path, const Limits& limits = {});

// The Document takes the bytes over.
base::Result<Document> read_string(std::string bytes, const Limits& limits = {});

// `bytes` are borrowed: `owner` is kept by the Document and must keep them alive (null: the caller does).
base::Result<Document> read_bytes(base::Bytes bytes, std::shared_ptr<const void> owner = nullptr,
                                  const Limits& limits = {});

}  // namespace wherry::pickle
