#include "fuzz/allocation_watch.h"

#include <errno.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__)
#define TORSOR_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TORSOR_SANITIZED 1
#endif
#endif

#ifdef TORSOR_SANITIZED
// From sanitizer/allocator_interface.h, which GCC does not bring.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, std::size_t),
                                                         void (*on_free)(const volatile void*));
extern "C" int __sanitizer_get_ownership(const volatile void* block);
extern "C" std::size_t __sanitizer_get_allocated_size(const volatile void* block);
#endif

namespace torsor::testing {

namespace {

// Global, since malloc is.
std::atomic<bool> watching{false};
std::atomic<std::int64_t> held{0}, most_held{0}, largest_request{0};

void raise_to(std::atomic<std::int64_t>& most, std::int64_t value) {
  std::int64_t seen = most.load(std::memory_order_relaxed);
  while (seen < value && !most.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
  }
}

void note_request(std::size_t size) {
  if (!watching.load(std::memory_order_relaxed)) return;
  raise_to(largest_request, static_cast<std::int64_t>(std::min<std::size_t>(size, INT64_MAX)));
}

void note_change(std::int64_t bytes) {
  if (!watching.load(std::memory_order_relaxed)) return;
  raise_to(most_held, held.fetch_add(bytes, std::memory_order_relaxed) + bytes);
}

#ifdef TORSOR_SANITIZED

void on_malloc(const volatile void*, std::size_t size) {
  note_request(size);
  note_change(static_cast<std::int64_t>(size));
}

void on_free(const volatile void* block) {
  if (block != nullptr && __sanitizer_get_ownership(block) != 0)
    note_change(-static_cast<std::int64_t>(__sanitizer_get_allocated_size(block)));
}

const int installed = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);

#else

void* noted(void* block, std::size_t size) {
  note_request(size);
  if (block != nullptr) note_change(static_cast<std::int64_t>(::malloc_usable_size(block)));
  return block;
}

void note_free(void* block) {
  if (block != nullptr) note_change(-static_cast<std::int64_t>(::malloc_usable_size(block)));
}

#endif

}  // namespace

AllocationWatch::AllocationWatch() {
  held = most_held = largest_request = 0;
  watching = true;
}

AllocationWatch::~AllocationWatch() { watching = false; }

std::size_t AllocationWatch::peak() const { return static_cast<std::size_t>(most_held.load()); }
std::size_t AllocationWatch::largest() const { return static_cast<std::size_t>(largest_request.load()); }

#ifndef TORSOR_SANITIZED

// The program's own malloc stands before the C library's for every library in the process; glibc names what
// it stands before.
extern "C" {

void* __libc_malloc(std::size_t size);
void __libc_free(void* block);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) { return noted(__libc_malloc(size), size); }

void free(void* block) {
  note_free(block);
  __libc_free(block);
}

void* calloc(std::size_t count, std::size_t size) {
  std::size_t whole = 0;
  if (__builtin_mul_overflow(count, size, &whole)) whole = SIZE_MAX;
  return noted(__libc_calloc(count, size), whole);
}

void* realloc(void* block, std::size_t size) {
  note_free(block);
  return noted(__libc_realloc(block, size), size);
}

void* memalign(std::size_t alignment, std::size_t size) {
  return noted(__libc_memalign(alignment, size), size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }

int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  void* block = memalign(alignment, size);
  if (block == nullptr) return ENOMEM;
  *out = block;
  return 0;
}

}  // extern "C"

#endif

}  // namespace torsor::testing
