#include "engine/cells.h"

#include <bit>
#include <cmath>
#include <functional>

#include "base/text.h"

namespace wherry::engine {
namespace {

std::size_t hash(double number) {
  // -0.0 equals 0.0.
  auto bits = std::bit_cast<std::uint64_t>(number == 0 ? 0.0 : number);
  bits ^= bits >> 32;  // small integers differ in their highest bits only
  return static_cast<std::size_t>((bits * 0x9E3779B97F4A7C15u) >> 32);
}

std::size_t hash(std::string_view text) {
  return std::hash<std::string_view>()(text);
}

// Where `key` stands or would stand in an open-addressed table.
template <class Table, class Key>
std::size_t place(const Table& table, const Key& key) {
  const std::size_t mask = table.size() - 1;
  std::size_t at = hash(key) & mask;
  while (table[at].position >= 0 && !(table[at].key == key)) at = (at + 1) & mask;
  return at;
}

template <class Table, class Key>
void insert(Table& table, const Key& key, std::int32_t position) {
  auto& entry = table[place(table, key)];
  if (entry.position < 0) entry = {key, position};
}

std::size_t table_size(std::size_t entries) {
  return entries == 0 ? 0 : std::bit_ceil(2 * entries);
}

}  // namespace

CellIndex::CellIndex(std::span<const tensor::CellValue> values) {
  std::size_t number_count = 0;
  std::size_t text_count = 0;
  for (const tensor::CellValue& value : values) {
    number_count += std::holds_alternative<double>(value);
    text_count += std::holds_alternative<std::string>(value);
  }
  numbers_.resize(table_size(number_count));
  texts_.resize(table_size(text_count));
  std::int32_t none = -1;
  for (std::int32_t i = 0; i < std::ssize(values); ++i) {
    if (const auto* text = std::get_if<std::string>(&values[i])) {
      insert(texts_, std::string_view(*text), i);
    } else if (const auto* number = std::get_if<double>(&values[i])) {
      if (!std::isnan(*number)) {
        insert(numbers_, *number, i);
      } else if (nan_ < 0) {
        nan_ = i;
      }
    } else if (none < 0) {
      none = i;
    }
  }
  missing_ = none >= 0 ? none : nan_;
  if (nan_ < 0) nan_ = none;
}

std::int32_t CellIndex::find_number(double number) const {
  if (std::isnan(number)) return nan_;
  return numbers_.empty() ? -1 : numbers_[place(numbers_, number)].position;
}

std::int32_t CellIndex::find_text(std::string_view text) const {
  return texts_.empty() ? -1 : texts_[place(texts_, text)].position;
}

std::string describe_cell(const Columns& table, std::size_t cell) {
  switch (table.kind(cell)) {
    case tensor::CellKind::kNumber:
      return std::isnan(table.numbers[cell]) ? "NaN" : base::cat(table.numbers[cell]);
    case tensor::CellKind::kText:
      return base::quoted(table.texts[cell]);
    case tensor::CellKind::kMissing:
      return "a missing value";
  }
  return {};
}

}  // namespace wherry::engine
