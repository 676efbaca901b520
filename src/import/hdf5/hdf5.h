// Reads HDF5 files in memory (HDF5 File Format Specification 3.0), as far as files of weights go: superblocks
// 0 to 3; groups of symbol tables and groups of links; contiguous, compact and chunked datasets (gzip,
// shuffle, Fletcher checksums); attributes; integers, floats, booleans (h5py's enumeration) and strings of
// fixed and variable length. Links to other files and soft links are listed nowhere; nothing outside the file
// is read.
//
// Every address and length is checked against the file; objects are read when they are asked for, so only
// what is asked for costs memory.
//
// Thread-safety: one thread at a time per File; Objects are values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "tensor/tensor.h"

namespace wherry::hdf5 {

struct Limits {
  std::uint64_t items = 8'000'000;  // links, messages, chunks, strings read from one File
  std::size_t depth = 64;           // of groups in a path and of trees in the file
  std::uint64_t decoded_bytes = std::uint64_t{8} << 30;  // of chunks and strings read from one File
  std::uint64_t text_bytes = std::uint64_t{1} << 30;     // of one string
};

// Whether the content begins as an HDF5 file does.
bool recognise(std::string_view content);

struct Link {
  std::string name;
  std::uint64_t address = 0;  // of the object's header
};

// A message of an object's header (specification, chapter IV.A.2); the bytes are the file's.
struct Message {
  std::uint16_t type = 0;
  std::uint8_t flags = 0;
  base::Bytes body;
};

struct Object {
  std::uint64_t address = 0;
  std::vector<Message> messages;
  bool is_dataset() const;
};

struct Source;  // private to module hdf5

class File {
 public:
  // `bytes` are borrowed; `owner` keeps them alive in the tensors which borrow them. Errors: "hdf5.bad_file",
  // "hdf5.unsupported", "hdf5.limit", as those of all that follow.
  static base::Result<File> open(base::Bytes bytes, std::shared_ptr<const void> owner,
                                 const Limits& limits = {});
  File(File&&) noexcept;
  File& operator=(File&&) noexcept;
  ~File();

  // The object at a path of names with "/" between them; "" is the root group. "hdf5.not_found" names the
  // path.
  base::Result<Object> find(std::string_view path);
  base::Result<std::optional<Object>> find_if(const Object& group, std::string_view path);

  // Members of a group in the order of the file (for groups as h5py makes them: alphabetical).
  base::Result<std::vector<Link>> links(const Object& group);
  base::Result<Object> object(const Link& link);

  // The elements of a dataset: borrowed where they lie in one piece and aligned, strings and chunks as
  // copies. Opaque elements of two bytes are what Keras writes bfloat16 as. `what` names the dataset in
  // messages.
  base::Result<tensor::Tensor> read(const Object& dataset, std::string_view what);

  // An attribute's value, if the object has it: numbers, or strings with shape {} or {n}.
  base::Result<std::optional<tensor::Tensor>> attribute(const Object& object, std::string_view name);
  // The same for a single string, and for a list of strings; nullopt also when it is something else.
  base::Result<std::optional<std::string>> text(const Object& object, std::string_view name);
  base::Result<std::optional<std::vector<std::string>>> texts(const Object& object, std::string_view name);

 private:
  explicit File(std::unique_ptr<Source> source);
  std::unique_ptr<Source> source_;
};

}  // namespace wherry::hdf5
