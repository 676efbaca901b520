#include "import/catboost/flat_buffer.h"

#include "base/text.h"

namespace wherry::catboost {

using base::Bytes;
using base::Result;
using base::Status;

std::unexpected<base::Error> damaged(std::string_view what) {
  return base::fail(base::Code::kInvalidInput, "catboost.damaged",
                    base::cat("the CatBoost model is damaged: ", what),
                    "save it again with model.save_model(), and copy it as a binary file");
}

namespace {

std::unexpected<base::Error> outside() {
  return damaged("a table points outside the file");
}

template <class T>
T load(Bytes bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

}  // namespace

Status FlatBuffer::charge(std::uint64_t bytes) {
  if (bytes > budget_)
    return base::fail(
        base::Code::kInvalidInput, "catboost.too_large",
        "the parts of the CatBoost model refer to each other too often for the size of the file",
        "save it again with model.save_model()");
  budget_ -= bytes;
  return {};
}

Result<std::uint32_t> FlatBuffer::offset(std::size_t at) const {
  if (bytes_.size() < sizeof(std::uint32_t) || at > bytes_.size() - sizeof(std::uint32_t)) return outside();
  return load<std::uint32_t>(bytes_, at);
}

Result<FlatTable> FlatBuffer::root() {
  TRY_ASSIGN(const std::uint32_t at, offset(0));
  return table_at(at);
}

Result<FlatTable> FlatBuffer::table_at(std::size_t at) {
  TRY(charge(32));
  TRY_ASSIGN(const std::uint32_t back, offset(at));
  const std::int64_t vtable = static_cast<std::int64_t>(at) - static_cast<std::int32_t>(back);
  const auto size = static_cast<std::int64_t>(bytes_.size());
  if (vtable < 0 || vtable > size - 4) return outside();
  const auto start = static_cast<std::size_t>(vtable);
  const auto vtable_size = load<std::uint16_t>(bytes_, start);
  if (vtable_size < 4 || vtable_size % 2 != 0 || vtable_size > bytes_.size() - start) return outside();
  return FlatTable(*this, at, start + 4, (vtable_size - 4u) / 2u);
}

Result<Bytes> FlatBuffer::vector_at(std::size_t at, std::size_t element_size) {
  TRY_ASSIGN(const std::uint32_t count, offset(at));
  const std::size_t start = at + sizeof(std::uint32_t);
  if (count > (bytes_.size() - start) / element_size) return outside();
  TRY(charge(std::uint64_t{count} * element_size));
  return bytes_.subspan(start, count * element_size);
}

Result<std::size_t> FlatTable::field(std::size_t slot, std::size_t size) const {
  if (slot >= field_count_) return std::size_t{0};
  const auto distance = load<std::uint16_t>(buffer_->bytes_, fields_ + 2 * slot);
  if (distance == 0) return std::size_t{0};
  const std::size_t at = at_ + distance;
  if (size > buffer_->bytes_.size() || at > buffer_->bytes_.size() - size) return outside();
  return at;
}

Result<std::size_t> FlatTable::target(std::size_t slot) const {
  TRY_ASSIGN(const std::size_t at, field(slot, sizeof(std::uint32_t)));
  if (at == 0) return at;
  return at + load<std::uint32_t>(buffer_->bytes_, at);
}

void FlatTable::copy(std::size_t at, std::size_t size, void* to) const {
  std::memcpy(to, buffer_->bytes_.data() + at, size);
}

Result<Bytes> FlatTable::vector(std::size_t slot, std::size_t element_size) const {
  TRY_ASSIGN(const std::size_t at, target(slot));
  if (at == 0) return Bytes();
  return buffer_->vector_at(at, element_size);
}

Result<std::string> FlatTable::text(std::size_t slot) const {
  TRY_ASSIGN(const Bytes bytes, vector(slot, 1));
  return std::string(base::as_text(bytes));
}

Result<std::optional<FlatTable>> FlatTable::table(std::size_t slot) const {
  TRY_ASSIGN(const std::size_t at, target(slot));
  if (at == 0) return std::nullopt;
  TRY_ASSIGN(FlatTable made, buffer_->table_at(at));
  return made;
}

Result<std::vector<FlatTable>> FlatTable::tables(std::size_t slot) const {
  std::vector<FlatTable> out;
  TRY_ASSIGN(const std::size_t at, target(slot));
  if (at == 0) return out;
  TRY_ASSIGN(const Bytes offsets, buffer_->vector_at(at, sizeof(std::uint32_t)));
  for (std::size_t i = 0; i < offsets.size(); i += sizeof(std::uint32_t)) {
    TRY_ASSIGN(FlatTable made,
               buffer_->table_at(at + sizeof(std::uint32_t) + i + load<std::uint32_t>(offsets, i)));
    out.push_back(made);
  }
  return out;
}

Result<std::vector<std::string>> FlatTable::texts(std::size_t slot) const {
  std::vector<std::string> out;
  TRY_ASSIGN(const std::size_t at, target(slot));
  if (at == 0) return out;
  TRY_ASSIGN(const Bytes offsets, buffer_->vector_at(at, sizeof(std::uint32_t)));
  for (std::size_t i = 0; i < offsets.size(); i += sizeof(std::uint32_t)) {
    TRY(buffer_->charge(32));
    TRY_ASSIGN(const Bytes text,
               buffer_->vector_at(at + sizeof(std::uint32_t) + i + load<std::uint32_t>(offsets, i), 1));
    out.emplace_back(base::as_text(text));
  }
  return out;
}

}  // namespace wherry::catboost
