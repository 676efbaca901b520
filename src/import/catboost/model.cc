#include "import/catboost/model.h"

#include <bit>
#include <cstring>

#include "base/text.h"
#include "import/catboost/read.h"

namespace wherry::catboost {

std::unexpected<base::Error> inconsistent(std::string_view what) {
  return base::fail(base::Code::kInvalidInput, "catboost.inconsistent",
                    base::cat("the CatBoost model contradicts itself: ", what),
                    "save it again with model.save_model()");
}

namespace {

void append(std::string& out, std::uint32_t value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof bytes);
}
void append(std::string& out, std::int32_t value) {
  append(out, std::bit_cast<std::uint32_t>(value));
}

}  // namespace

std::string key_of(const Projection& projection) {
  std::string out;
  append(out, static_cast<std::uint32_t>(projection.categories.size()));
  for (const std::int32_t category : projection.categories) append(out, category);
  append(out, static_cast<std::uint32_t>(projection.floats.size()));
  for (const FloatSplit& split : projection.floats) {
    append(out, split.feature);
    append(out, std::bit_cast<std::uint32_t>(split.border));
  }
  for (const OneHotSplit& split : projection.one_hots) {
    append(out, split.category);
    append(out, split.hash);
  }
  return out;
}

std::string key_of(const CtrBase& base) {
  std::string out = key_of(base.projection);
  append(out, static_cast<std::uint32_t>(base.type));
  append(out, base.target_classifier);
  return out;
}

void make_buckets(CtrTable& table, std::size_t count) {
  const std::size_t size = std::bit_ceil(2 * count + 1);
  table.hashes.assign(size, ~std::uint64_t{0});
  table.entries.assign(size, -1);
}

std::int32_t add_bucket(CtrTable& table, std::uint64_t hash, std::int32_t next) {
  const std::size_t mask = table.hashes.size() - 1;
  std::size_t at = hash & mask;
  while (table.entries[at] >= 0) {
    if (table.hashes[at] == hash) return table.entries[at];
    at = (at + 1) & mask;
  }
  table.hashes[at] = hash;
  table.entries[at] = next;
  return next;
}

}  // namespace wherry::catboost
