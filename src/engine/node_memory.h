// Memory of packed tree nodes. Private to module engine.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <type_traits>

namespace wherry::engine {

// Aligned to cache lines, and to huge pages where large, which the kernel is asked to use: walks through a
// large forest miss the TLB at every step otherwise. Returns null for 0 bytes; aborts when memory is
// exhausted.
void* allocate_nodes(std::size_t bytes);

// A fixed array of plain elements, zero at first.
template <class T>
  requires std::is_trivially_copyable_v<T>
class NodeMemory {
 public:
  NodeMemory() = default;
  explicit NodeMemory(std::size_t count)
      : data_(static_cast<T*>(allocate_nodes(count * sizeof(T)))), size_(count) {}

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_.get()[i]; }
  const T& operator[](std::size_t i) const { return data_.get()[i]; }

 private:
  struct Free {
    void operator()(T* data) const { std::free(data); }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace wherry::engine
