// Memory for kernels.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace torsor {

/// Floats on a cache line's boundary. Growing forgets what was there.
class FloatBuffer {
 public:
  /// At least `count` floats, whose values are whatever was there. Throws std::bad_alloc.
  float* at_least(std::size_t count) {
    if (count > size_) {
      floats_.reset();
      size_ = 0;
      const std::size_t bytes = (count * sizeof(float) + kLine - 1) / kLine * kLine;
      floats_.reset(static_cast<float*>(std::aligned_alloc(kLine, bytes)));
      if (!floats_) throw std::bad_alloc();
      size_ = count;
    }
    return floats_.get();
  }
  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kLine = 64;
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  std::unique_ptr<float, Free> floats_;
  std::size_t size_ = 0;
};

}  // namespace torsor
