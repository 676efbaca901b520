// Owner and maker of the objects of one Document. Internal to module pickle.
//
// Making an object never fails; what it costs is counted, and the machine compares the count with the limits
// after every opcode. An opcode that could allocate much more than its own bytes calls admit() first.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/error.h"
#include "import/pickle/document.h"
#include "import/pickle/limits.h"
#include "import/pickle/object.h"

namespace wherry::pickle {

// Objects of one type at addresses that never change, freed in one loop.
template <class T>
class Pool {
 public:
  T* make() {
    if (used_ == capacity_) {
      capacity_ = chunks_.empty() ? 16 : std::min<std::size_t>(capacity_ * 2, 4096);
      chunks_.push_back({std::make_unique<T[]>(capacity_), capacity_});
      used_ = 0;
    }
    return &chunks_.back().items[used_++];
  }
  template <class Visit>
  void for_each(const Visit& visit) {
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
      const std::size_t count = i + 1 == chunks_.size() ? used_ : chunks_[i].size;
      for (std::size_t j = 0; j < count; ++j) visit(chunks_[i].items[j]);
    }
  }

 private:
  struct Chunk {
    std::unique_ptr<T[]> items;
    std::size_t size;
  };
  std::vector<Chunk> chunks_;
  std::size_t used_ = 0;
  std::size_t capacity_ = 0;
};

// Bytes and pointers that are never resized.
class Arena {
 public:
  void* allocate(std::size_t size);  // aligned for pointers

 private:
  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::byte* next_ = nullptr;
  std::size_t left_ = 0;
};

struct KnownCallable;  // known.h

class Heap {
 public:
  Heap(const Limits& limits, std::uint64_t stream_bytes);
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  const Limits& limits() const { return limits_; }
  std::uint64_t object_count() const { return objects_made_; }
  bool over_memory() const { return memory_ > memory_limit_; }
  bool over_objects() const { return objects_made_ > limits_.objects; }
  std::uint64_t memory_limit() const { return memory_limit_; }

  // Whether `bytes` more may be allocated; counts them when so.
  bool admit(std::uint64_t bytes) {
    if (bytes > memory_limit_ || memory_ > memory_limit_ - bytes) return false;
    memory_ += bytes;
    return true;
  }
  void charge(std::uint64_t bytes) { memory_ += bytes; }

  Object* none() { return none_; }
  Object* boolean(bool value) { return value ? true_ : false_; }
  Object* integer(std::int64_t value, std::uint64_t offset);
  Object* real(double value, std::uint64_t offset);
  Object* complex(double real, double imaginary, std::uint64_t offset);
  Object* text(Kind kind, std::string_view borrowed,
               std::uint64_t offset);  // kStr, kBytes, kByteArray, kBigInt
  Object* tuple(std::span<Object* const> items, std::uint64_t offset);
  Object* sequence(Kind kind, std::span<const Object* const> items,
                   std::uint64_t offset);  // kList, kSet, kFrozenSet
  Object* dict(std::uint64_t offset);
  Object* call(Call call, std::uint64_t offset);
  Object* dtype(Dtype type, std::uint64_t offset);
  Object* array(Kind kind, NdArray array, std::uint64_t offset);  // kArray, kScalar
  Object* global(std::string_view module, std::string_view name, int protocol, std::uint64_t offset);

  // A global that the reader itself names, for NdArray::type and the like; not part of the manifest.
  const Global* well_known(std::string_view module, std::string_view name);

  std::string_view keep(std::string_view copied);                             // a copy in the arena
  std::span<const Object* const> keep(std::span<const Object* const> items);  // ditto

  // Mutable access while the file is being read.
  std::vector<const Object*>& items(Object& sequence);  // kList, kSet
  Mapping& mapping(Object& dict);
  Call& call(Object& call) const { return *call.value_.call; }
  void become_dtype(Object& object, Dtype type);
  void become_array(Object& object, NdArray array);
  void append(Object& sequence, std::span<Object* const> more);

  std::vector<GlobalUse>& imports() { return imports_; }
  const KnownCallable* known(const Global& global) const { return known_[global.import_index]; }

  // Applies Python's rules for equal keys to every dict and set. "pickle.bad_operand" for a key that Python
  // cannot hash.
  base::Status unify_keys();

  // Fills in Object::depth() below `root`. "pickle.limit_depth".
  base::Status measure_depth(Object& root);

 private:
  Object* make(Kind kind, std::uint64_t offset);

  Limits limits_;
  std::uint64_t memory_limit_;
  std::uint64_t memory_ = 0;
  std::uint64_t objects_made_ = 0;
  Arena arena_;
  Pool<Object> objects_;
  Pool<std::vector<const Object*>> sequences_;
  Pool<Mapping> mappings_;
  Pool<Call> calls_;
  Pool<Dtype> dtypes_;
  Pool<NdArray> arrays_;
  Pool<Global> globals_;
  std::vector<Object*> sets_;
  std::vector<Object*> small_integers_;
  Object* none_;
  Object* true_;
  Object* false_;
  std::vector<const Global*> well_known_;
  std::vector<GlobalUse> imports_;
  std::vector<const KnownCallable*> known_;
  std::map<std::tuple<std::string_view, std::string_view, bool>, Object*> import_index_;
};

}  // namespace wherry::pickle
