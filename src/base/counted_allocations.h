// For tests that something allocates nothing: replaces the program's operator new by one which counts. To be
// included by one source of a test program only.
#pragma once

#include <cstdlib>
#include <new>

namespace wherry::base {

// Of the calling thread: what other threads of the program do meanwhile is not the test's matter.
inline thread_local std::size_t allocations = 0;

}  // namespace wherry::base

// Not inlined, or gcc takes free() for a mistake.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++wherry::base::allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
