#include "io/checksum.h"

// Header only: the hash is compiled in, nothing to link.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <new>

#include "core/error.h"

namespace torsor {

struct Checksum::State {
  XXH3_state_t* hash = XXH3_createState();
  State() {
    if (hash == nullptr) throw std::bad_alloc();
    XXH3_128bits_reset(hash);
  }
  ~State() { XXH3_freeState(hash); }
};

Checksum::Checksum() : state_(std::make_unique<State>()) {}
Checksum::~Checksum() = default;

void Checksum::update(const void* data, std::size_t size) {
  if (size > 0) XXH3_128bits_update(state_->hash, data, size);
}

std::string Checksum::hex() const {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_->hash));
  std::string text;
  for (unsigned char byte : canonical.digest) text += fmt::format("{:02x}", byte);
  return text;
}

std::string checksum_of(std::string_view bytes) {
  Checksum checksum;
  checksum.update(bytes.data(), bytes.size());
  return checksum.hex();
}

std::string content_key(std::string_view bytes, std::string_view preparation) {
  Checksum hash;
  hash.update(preparation.data(), preparation.size());
  hash.update("\0", 1);
  hash.update(bytes.data(), bytes.size());
  return hash.hex();
}

}  // namespace torsor
