// A 3x3 convolution in parts, so that its prologue and epilogue run plane by plane.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/parallel.h"
#include "kernels/winograd_stages.h"

namespace torsor {

/// A convolution of stride 1 with same padding. Images are blocked, [batch, channels / 16, height, width,
/// 16]: see to_blocked().
struct Conv3x3Shape {
  std::int64_t batch = 1, in_channels = 16, out_channels = 16, height = 0, width = 0;
  PaddingMode padding_mode = PaddingMode::reflect;
  bool operator==(const Conv3x3Shape&) const = default;
};

/// Planes are packed, multiplied and unpacked; in the backward pass gradients are. Packed layouts are private
/// to the convolution, their memory is the caller's. The plane functions run on one thread, the others on
/// all; results are bitwise the same for any number of threads.
class PlaneConv {
 public:
  virtual ~PlaneConv() = default;

  const Conv3x3Shape& shape() const { return shape_; }
  std::int64_t in_blocks() const { return shape_.in_channels / kBlock; }
  std::int64_t out_blocks() const { return shape_.out_channels / kBlock; }
  std::int64_t pixels() const { return shape_.height * shape_.width; }
  std::int64_t plane_floats() const { return pixels() * kBlock; }

  /// The packed sizes of a batch's inputs, outputs, output gradients and input gradients.
  virtual std::size_t in_floats() const = 0;
  virtual std::size_t out_floats() const = 0;
  virtual std::size_t output_gradient_floats() const = 0;
  virtual std::size_t input_gradient_floats() const = 0;
  virtual std::size_t weight_floats() const = 0;
  /// Scratch memory of input_gradient_plane(), and of multiply_weights().
  virtual std::size_t scratch_floats() const = 0;
  virtual std::size_t sum_floats() const = 0;

  /// Calls work(image, block, index of the plane) for all planes of a batch with so many blocks, in parallel.
  template <class Work>
  void for_each_plane(std::int64_t blocks, const Work& work) const {
    for_each_parallel(shape_.batch * blocks, [&](std::int64_t i) { work(i / blocks, i % blocks, i); });
  }

  /// Packs a plane [H,W,16]: image `n`, channel block `block`.
  virtual void input_plane(std::int64_t n, std::int64_t block, const float* plane, float* in) const = 0;
  /// Unpacks into `plane` and returns it, or a pointer to the plane inside `out`.
  virtual const float* output_plane(std::int64_t n, std::int64_t block, const float* out,
                                    float* plane) const = 0;
  virtual void output_gradient_plane(std::int64_t n, std::int64_t block, const float* plane,
                                     float* gradient) const = 0;
  /// May overwrite its plane of `input_gradient`.
  virtual void input_gradient_plane(std::int64_t n, std::int64_t block, float* input_gradient, float* scratch,
                                    float* plane) const = 0;

  /// weight [out,in,3,3] -> transformed.
  virtual void transform_weights(const float* weight, float* transformed) const = 0;
  /// in -> out.
  virtual void multiply(const float* in, const float* transformed, float* out) const = 0;
  /// gradient -> input_gradient.
  virtual void multiply_backward(const float* gradient, const float* transformed,
                                 float* input_gradient) const = 0;
  /// in, gradient -> dw [out,in,3,3].
  virtual void multiply_weights(const float* in, const float* gradient, float* sums, float* dw) const = 0;

 protected:
  explicit PlaneConv(const Conv3x3Shape& shape) : shape_(shape) {}

 private:
  Conv3x3Shape shape_;
};

}  // namespace torsor
