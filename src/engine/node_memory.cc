#include "engine/node_memory.h"

#include <cstring>
#include <sys/mman.h>

namespace wherry::engine {

void* allocate_nodes(std::size_t bytes) {
  constexpr std::size_t kLine = 64;
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  if (bytes == 0) return nullptr;
  const std::size_t alignment = bytes >= kHugePage ? kHugePage : kLine;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded);
  if (memory == nullptr) std::abort();
  // Advice only: without huge pages everything works, slower.
  if (alignment == kHugePage) static_cast<void>(::madvise(memory, rounded, MADV_HUGEPAGE));
  std::memset(memory, 0, rounded);
  return memory;
}

}  // namespace wherry::engine
