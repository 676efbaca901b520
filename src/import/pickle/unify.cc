// Equal keys of dicts and sets, found in linear time whatever the file contains.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <optional>
#include <random>
#include <unordered_map>

#include "base/text.h"
#include "import/pickle/heap.h"

namespace wherry::pickle {

namespace {

constexpr std::size_t kFewKeys = 8;          // up to here pairs are compared instead of hashed
constexpr std::size_t kLongText = 256;       // longer keys are hashed once per object and compared by hash
constexpr std::size_t kMostTupleItems = 32;  // longer tuples as keys count as different

// Hashes with a secret, so that no file can be made whose keys collide.
class KeyTable {
 public:
  KeyTable() {
    std::random_device entropy;
    secret_ = (std::uint64_t{entropy()} << 32) ^ entropy() ^ 0x9e3779b97f4a7c15U;
  }

  std::uint64_t hash(const Object& key) {
    if (key.kind() == Kind::kTuple && key.items().size() <= kMostTupleItems) {
      std::uint64_t sum = secret_;
      for (const Object* item : key.items()) sum = mix(sum ^ hash_one(*item), kOdd);
      return sum;
    }
    return hash_one(key);
  }

  bool equal(const Object& a, const Object& b) {
    if (&a == &b) return true;
    if (a.kind() == Kind::kTuple && b.kind() == Kind::kTuple) {
      if (a.items().size() != b.items().size() || a.items().size() > kMostTupleItems) return false;
      for (std::size_t i = 0; i < a.items().size(); ++i)
        if (!equal_one(*a.items()[i], *b.items()[i])) return false;
      return true;
    }
    return equal_one(a, b);
  }

  // Positions of `keys` that repeat an earlier key, as (later, earliest).
  template <class KeyAt>
  void for_repeats(std::size_t count, const KeyAt& key_at, const auto& visit) {
    if (count <= kFewKeys) {
      for (std::size_t i = 1; i < count; ++i)
        for (std::size_t j = 0; j < i; ++j)
          if (equal(key_at(j), key_at(i))) {
            visit(i, j);
            break;
          }
      return;
    }
    const std::size_t slots = std::bit_ceil(count * 2);
    table_.assign(slots, {0, 0});
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t h = hash(key_at(i));
      std::size_t slot = h & (slots - 1);
      while (table_[slot].position != 0 &&
             !(table_[slot].hash == h && equal(key_at(table_[slot].position - 1), key_at(i))))
        slot = (slot + 1) & (slots - 1);
      if (table_[slot].position != 0)
        visit(i, table_[slot].position - 1);
      else
        table_[slot] = {h, i + 1};
    }
  }

 private:
  static constexpr std::uint64_t kOdd = 0xd6e8feb86659fd93U;
  struct Slot {
    std::uint64_t hash;
    std::size_t position;  // + 1; 0 is empty
  };

  static std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide{a} * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }

  std::uint64_t hash_text(std::string_view text) const {
    std::uint64_t sum = mix(secret_ ^ text.size(), kOdd);
    while (!text.empty()) {
      std::uint64_t word = 0;
      const std::size_t part = std::min<std::size_t>(8, text.size());
      std::memcpy(&word, text.data(), part);
      sum = mix(sum ^ word ^ secret_, kOdd ^ (secret_ << 1));
      text.remove_prefix(part);
    }
    return sum;
  }

  static bool is_text(Kind kind) {
    return kind == Kind::kStr || kind == Kind::kBytes || kind == Kind::kBigInt;
  }

  // None, False and True are one object each; numbers are equal across types.
  static std::optional<std::int64_t> as_integer(const Object& key) {
    if (key.kind() == Kind::kInt || key.kind() == Kind::kBool) return key.integer();
    if (key.kind() == Kind::kFloat && key.real() >= -0x1p62 && key.real() <= 0x1p62 &&
        key.real() == std::floor(key.real()))
      return static_cast<std::int64_t>(key.real());
    return std::nullopt;
  }

  std::uint64_t hash_one(const Object& key) {
    if (const auto integer = as_integer(key))
      return mix(secret_ ^ static_cast<std::uint64_t>(*integer), kOdd);
    if (key.kind() == Kind::kFloat) return mix(secret_ ^ std::bit_cast<std::uint64_t>(key.real()), kOdd + 2);
    if (!is_text(key.kind()))
      return mix(secret_ ^ static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&key)), kOdd);
    const std::uint64_t tag = static_cast<std::uint64_t>(key.kind());
    if (key.text().size() <= kLongText) return hash_text(key.text()) + tag;
    auto& known = long_hashes_[&key];
    if (known == 0) known = (hash_text(key.text()) + tag) | 1;
    return known;
  }

  bool equal_one(const Object& a, const Object& b) {
    if (&a == &b) return true;
    if (const auto integer = as_integer(a)) return integer == as_integer(b);
    if (a.kind() != b.kind()) return false;
    if (a.kind() == Kind::kFloat) return a.real() == b.real();
    if (!is_text(a.kind()) || a.text().size() != b.text().size()) return false;
    return a.text().size() > kLongText ? hash_one(a) == hash_one(b) : a.text() == b.text();
  }

  std::uint64_t secret_;
  std::vector<Slot> table_;
  std::unordered_map<const Object*, std::uint64_t> long_hashes_;
};

bool is_hashable(const Object& key) {
  switch (key.kind()) {
    case Kind::kList:
    case Kind::kDict:
    case Kind::kSet:
    case Kind::kByteArray:
    case Kind::kArray:
      return false;
    default:
      return true;
  }
}

base::Status unhashable(const Object& key) {
  return base::fail(
      base::Code::kInvalidInput, "pickle.bad_operand",
      base::cat("offset ", key.offset(), ": ", name(key.kind()), " used as a key of a dict or set"),
      "the file is damaged or was not written by Python's pickle");
}

base::Status unify_entries(KeyTable& table, std::vector<Entry>& entries) {
  for (const Entry& entry : entries)
    if (!is_hashable(*entry.key)) return unhashable(*entry.key);
  std::vector<char> repeated;
  table.for_repeats(
      entries.size(), [&](std::size_t i) -> const Object& { return *entries[i].key; },
      [&](std::size_t later, std::size_t earliest) {
        if (repeated.empty()) repeated.resize(entries.size());
        repeated[later] = 1;
        entries[earliest].value = entries[later].value;
      });
  if (repeated.empty()) return {};
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (repeated[i] == 0) entries[kept++] = entries[i];
  entries.resize(kept);
  return {};
}

base::Status unify_items(KeyTable& table, std::vector<const Object*>& items) {
  for (const Object* item : items)
    if (!is_hashable(*item)) return unhashable(*item);
  std::vector<char> repeated;
  table.for_repeats(
      items.size(), [&](std::size_t i) -> const Object& { return *items[i]; },
      [&](std::size_t later, std::size_t) {
        if (repeated.empty()) repeated.resize(items.size());
        repeated[later] = 1;
      });
  if (repeated.empty()) return {};
  std::size_t kept = 0;
  for (std::size_t i = 0; i < items.size(); ++i)
    if (repeated[i] == 0) items[kept++] = items[i];
  items.resize(kept);
  return {};
}

}  // namespace

base::Status Heap::unify_keys() {
  KeyTable table;
  base::Status status;
  const auto unify = [&](std::vector<Entry>& entries) {
    if (status && !entries.empty()) status = unify_entries(table, entries);
  };
  mappings_.for_each([&](Mapping& mapping) { unify(mapping.entries); });
  calls_.for_each([&](Call& call) { unify(call.entries); });
  for (Object* set : sets_)
    if (status && !set->items().empty()) status = unify_items(table, items(*set));
  return status;
}

}  // namespace wherry::pickle
