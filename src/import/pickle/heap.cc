#include "import/pickle/heap.h"

#include <algorithm>

#include "import/pickle/known.h"

namespace wherry::pickle {

namespace {
constexpr std::size_t kArenaChunk = 64 << 10;
constexpr std::uint64_t kMostOffset = (std::uint64_t{1} << 40) - 1;
constexpr std::int64_t kSmallIntegers = 257;  // 0 … 256 exist once per document
}  // namespace

void* Arena::allocate(std::size_t size) {
  size = (size + alignof(void*) - 1) & ~(alignof(void*) - 1);
  if (size > kArenaChunk / 4) {
    chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(size));
    return chunks_.back().get();
  }
  if (size > left_) {
    chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(kArenaChunk));
    next_ = chunks_.back().get();
    left_ = kArenaChunk;
  }
  std::byte* const result = next_;
  next_ += size;
  left_ -= size;
  return result;
}

Heap::Heap(const Limits& limits, std::uint64_t stream_bytes) : limits_(limits) {
  memory_limit_ = limits.memory_bytes;
  if (limits.memory_ratio != 0 && stream_bytes < limits.memory_bytes / limits.memory_ratio)
    memory_limit_ = std::min(memory_limit_, limits.memory_free_bytes + limits.memory_ratio * stream_bytes);
  none_ = make(Kind::kNone, 0);
  true_ = make(Kind::kBool, 0);
  true_->value_.integer = 1;
  false_ = make(Kind::kBool, 0);
  small_integers_.resize(kSmallIntegers);
  objects_made_ = 0;
}

Object* Heap::make(Kind kind, std::uint64_t offset) {
  Object* const object = objects_.make();
  object->kind_ = static_cast<std::uint64_t>(kind);
  object->offset_ = offset & kMostOffset;
  ++objects_made_;
  memory_ += sizeof(Object);
  return object;
}

Object* Heap::integer(std::int64_t value, std::uint64_t offset) {
  const bool small = value >= 0 && value < kSmallIntegers;
  if (small && small_integers_[static_cast<std::size_t>(value)] != nullptr)
    return small_integers_[static_cast<std::size_t>(value)];
  Object* const object = make(Kind::kInt, offset);
  object->value_.integer = value;
  if (small) small_integers_[static_cast<std::size_t>(value)] = object;
  return object;
}

Object* Heap::real(double value, std::uint64_t offset) {
  Object* const object = make(Kind::kFloat, offset);
  object->value_.numbers[0] = value;
  object->value_.numbers[1] = 0;
  return object;
}

Object* Heap::complex(double real, double imaginary, std::uint64_t offset) {
  Object* const object = make(Kind::kComplex, offset);
  object->value_.numbers[0] = real;
  object->value_.numbers[1] = imaginary;
  return object;
}

Object* Heap::text(Kind kind, std::string_view borrowed, std::uint64_t offset) {
  Object* const object = make(kind, offset);
  object->value_.text = {borrowed.data(), borrowed.size()};
  return object;
}

Object* Heap::tuple(std::span<Object* const> items, std::uint64_t offset) {
  Object* const object = make(Kind::kTuple, offset);
  auto* const copy = static_cast<const Object**>(arena_.allocate(items.size_bytes()));
  std::ranges::copy(items, copy);
  memory_ += items.size_bytes();
  object->value_.tuple = {copy, items.size()};
  return object;
}

Object* Heap::sequence(Kind kind, std::span<const Object* const> items, std::uint64_t offset) {
  Object* const object = make(kind, offset);
  object->value_.sequence = nullptr;
  if (kind != Kind::kList) sets_.push_back(object);
  if (items.empty()) return object;
  this->items(*object).assign(items.begin(), items.end());
  memory_ += items.size_bytes();
  return object;
}

Object* Heap::dict(std::uint64_t offset) {
  Object* const object = make(Kind::kDict, offset);
  object->value_.mapping = nullptr;
  return object;
}

Object* Heap::call(Call call, std::uint64_t offset) {
  Object* const object = make(Kind::kCall, offset);
  Call* const kept = calls_.make();
  *kept = std::move(call);
  memory_ += sizeof(Call);
  object->value_.call = kept;
  return object;
}

Object* Heap::dtype(Dtype type, std::uint64_t offset) {
  Object* const object = make(Kind::kDtype, offset);
  become_dtype(*object, std::move(type));
  return object;
}

Object* Heap::array(Kind kind, NdArray array, std::uint64_t offset) {
  Object* const object = make(kind, offset);
  become_array(*object, std::move(array));
  object->kind_ = static_cast<std::uint64_t>(kind);
  return object;
}

Object* Heap::global(std::string_view module, std::string_view name, int protocol, std::uint64_t offset) {
  // A Python 2 spelling means something else from protocol 3 on, so such a name may be two globals.
  const bool python2 = protocol < 3 && is_python2_name(module, name);
  Object*& object = import_index_[{module, name, python2}];
  if (object != nullptr) {
    ++imports_[object->global().import_index].count;
    return object;
  }
  const CanonicalName canonical = canonical_name(module, name, python2);
  Global* const kept = globals_.make();
  kept->module = canonical.module == module ? module : keep(canonical.module);
  kept->name = canonical.name == name ? name : keep(canonical.name);
  kept->import_index = static_cast<std::uint32_t>(imports_.size());
  object = make(Kind::kGlobal, offset);
  object->value_.global = kept;
  imports_.push_back({.module = module, .name = name, .offset = offset, .count = 1, .object = object});
  known_.push_back(find_known(kept->module, kept->name));
  memory_ += sizeof(Global) + sizeof(GlobalUse) + 128;
  return object;
}

const Global* Heap::well_known(std::string_view module, std::string_view name) {
  for (const Global* global : well_known_)
    if (global->is(module, name)) return global;
  Global* const made = globals_.make();
  made->module = module;
  made->name = name;
  made->import_index = kNotImported;
  well_known_.push_back(made);
  return made;
}

std::string_view Heap::keep(std::string_view copied) {
  auto* const copy = static_cast<char*>(arena_.allocate(copied.size()));
  std::ranges::copy(copied, copy);
  memory_ += copied.size();
  return {copy, copied.size()};
}

std::span<const Object* const> Heap::keep(std::span<const Object* const> items) {
  auto* const copy = static_cast<const Object**>(arena_.allocate(items.size_bytes()));
  std::ranges::copy(items, copy);
  memory_ += items.size_bytes();
  return {copy, items.size()};
}

std::vector<const Object*>& Heap::items(Object& sequence) {
  if (sequence.value_.sequence == nullptr) {
    sequence.value_.sequence = sequences_.make();
    memory_ += sizeof(std::vector<const Object*>);
  }
  return *sequence.value_.sequence;
}

Mapping& Heap::mapping(Object& dict) {
  if (dict.value_.mapping == nullptr) {
    dict.value_.mapping = mappings_.make();
    memory_ += sizeof(Mapping);
  }
  return *dict.value_.mapping;
}

void Heap::become_dtype(Object& object, Dtype type) {
  memory_ +=
      sizeof(Dtype) + type.fields.size() * sizeof(Field) + type.sub_shape.size() * sizeof(std::int64_t);
  Dtype* const kept = dtypes_.make();
  *kept = std::move(type);
  object.kind_ = static_cast<std::uint64_t>(Kind::kDtype);
  object.value_.dtype = kept;
}

void Heap::become_array(Object& object, NdArray array) {
  memory_ += sizeof(NdArray) + array.shape.size() * 2 * sizeof(std::int64_t);
  NdArray* const kept = arrays_.make();
  *kept = std::move(array);
  object.kind_ = static_cast<std::uint64_t>(Kind::kArray);
  object.value_.array = kept;
}

void Heap::append(Object& sequence, std::span<Object* const> more) {
  std::vector<const Object*>& all = sequence.kind() == Kind::kCall ? call(sequence).items : items(sequence);
  all.insert(all.end(), more.begin(), more.end());
  memory_ += more.size_bytes() * 2;
}

}  // namespace wherry::pickle
