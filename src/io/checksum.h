// XXH3-128, the checksum of the weight files torsor writes. It finds damage; it is no protection against
// intent.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace torsor {

class Checksum {
 public:
  Checksum();
  ~Checksum();
  Checksum(const Checksum&) = delete;
  Checksum& operator=(const Checksum&) = delete;

  void update(const void* data, std::size_t size);
  /// 32 hexadecimal digits in canonical order, as `xxhsum -H128` prints them.
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Of these bytes alone.
std::string checksum_of(std::string_view bytes);

/// XXH3-128 of an image file's bytes and of what is made of them before anybody sees them ("" for nothing),
/// 32 hexadecimal digits: tells whether two files hold the same image, wherever they lie.
std::string content_key(std::string_view bytes, std::string_view preparation = "");

}  // namespace torsor
