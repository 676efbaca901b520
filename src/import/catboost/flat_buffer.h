// Reading FlatBuffers whose every offset may lie. CatBoost's files hold ten kinds of tables; a reader which
// checks each field as it is read needs no generated code, no second pass of a verifier and no alignment (the
// tables of target statistics stand anywhere in the file), which is why it is our own and not the library's.
//
// Thread-safety: none. Everything borrows from the buffer. Errors: "catboost.damaged", "catboost.too_large".
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace wherry::catboost {

std::unexpected<base::Error> damaged(std::string_view what);

class FlatBuffer;

// A table of a FlatBuffer; fields are named by their slot, their position in the schema. Absent fields have
// the default of the call. Valid as long as the FlatBuffer.
class FlatTable {
 public:
  template <class T>
  base::Result<T> scalar(std::size_t slot, T otherwise) const {
    T value = otherwise;
    TRY_ASSIGN(const std::size_t at, field(slot, sizeof(T)));
    if (at != 0) copy(at, sizeof(T), &value);
    return value;
  }
  // A vector of numbers, or of structs without padding.
  template <class T>
  base::Result<std::vector<T>> numbers(std::size_t slot) const {
    TRY_ASSIGN(const base::Bytes bytes, vector(slot, sizeof(T)));
    std::vector<T> out(bytes.size() / sizeof(T));
    if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
    return out;
  }
  base::Result<base::Bytes> vector(std::size_t slot, std::size_t element_size) const;
  base::Result<std::string> text(std::size_t slot) const;
  base::Result<std::optional<FlatTable>> table(std::size_t slot) const;
  base::Result<std::vector<FlatTable>> tables(std::size_t slot) const;
  base::Result<std::vector<std::string>> texts(std::size_t slot) const;

 private:
  friend class FlatBuffer;
  FlatTable(FlatBuffer& buffer, std::size_t at, std::size_t fields, std::size_t field_count)
      : buffer_(&buffer), at_(at), fields_(fields), field_count_(field_count) {}

  base::Result<std::size_t> field(std::size_t slot, std::size_t size) const;  // 0: absent
  base::Result<std::size_t> target(std::size_t slot) const;                   // of an offset; 0: absent
  void copy(std::size_t at, std::size_t size, void* to) const;

  FlatBuffer* buffer_;
  std::size_t at_;
  std::size_t fields_;  // where the vtable's entries begin
  std::size_t field_count_;
};

class FlatBuffer {
 public:
  explicit FlatBuffer(base::Bytes bytes) : bytes_(bytes), budget_(kBudgetPerByte * bytes.size() + 4096) {}
  base::Result<FlatTable> root();

 private:
  friend class FlatTable;
  // Tables and vectors may be shared, but not so that a small file fills the memory.
  static constexpr std::uint64_t kBudgetPerByte = 16;

  base::Result<std::uint32_t> offset(std::size_t at) const;
  base::Result<FlatTable> table_at(std::size_t at);
  base::Result<base::Bytes> vector_at(std::size_t at, std::size_t element_size);
  base::Status charge(std::uint64_t bytes);

  base::Bytes bytes_;
  std::uint64_t budget_;
};

}  // namespace wherry::catboost
