// Memory for kernels.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace torsor {

/// Values aligned to a cache line. Growing discards the contents.
template <class Value>
class ValueBuffer {
 public:
  /// At least `count` values, uninitialised after growing. Throws std::bad_alloc.
  Value* at_least(std::size_t count) {
    if (count > size_) {
      values_.reset();
      size_ = 0;
      const std::size_t bytes = (count * sizeof(Value) + kLine - 1) / kLine * kLine;
      values_.reset(static_cast<Value*>(std::aligned_alloc(kLine, bytes)));
      if (!values_) throw std::bad_alloc();
      size_ = count;
    }
    return values_.get();
  }
  std::size_t size() const { return size_; }
  const Value* values() const { return values_.get(); }

 private:
  static constexpr std::size_t kLine = 64;
  struct Free {
    void operator()(Value* p) const { std::free(p); }
  };
  std::unique_ptr<Value, Free> values_;
  std::size_t size_ = 0;
};

using FloatBuffer = ValueBuffer<float>;

}  // namespace torsor
