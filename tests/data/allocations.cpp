/// Counts what the tests allocate. In a unit of its own: a compiler that sees through operator new warns of its pair.
#include <cstdlib>
#include <new>

#include "support.hpp"

namespace {
std::atomic<std::size_t> count{0};
}

void* operator new(std::size_t size) {
  ++count;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

std::size_t test_data::allocations() { return count; }
