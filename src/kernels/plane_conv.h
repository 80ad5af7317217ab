// A 3x3 convolution taken apart, so that what stands before and behind it is done plane by plane.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/parallel.h"
#include "kernels/winograd_stages.h"

namespace torsor {

/// A convolution of stride 1 that keeps the size. Images are [batch, channels / 16, height, width, 16]: see
/// to_blocked().
struct Conv3x3Shape {
  std::int64_t batch = 1, in_channels = 16, out_channels = 16, height = 0, width = 0;
  Border border = Border::reflect;
  bool operator==(const Conv3x3Shape&) const = default;
};

/// Images are taken in, multiplied and taken out; on the way back gradients are. Callers bring the memory for
/// the forms in between, which are the convolution's own. The plane functions run on one thread, the others
/// on all; the bits are the same for any number of them.
class PlaneConv {
 public:
  virtual ~PlaneConv() = default;

  const Conv3x3Shape& shape() const { return shape_; }
  std::int64_t in_blocks() const { return shape_.in_channels / kBlock; }
  std::int64_t out_blocks() const { return shape_.out_channels / kBlock; }
  std::int64_t pixels() const { return shape_.height * shape_.width; }
  std::int64_t plane_floats() const { return pixels() * kBlock; }

  /// Of a batch: images, results, results' gradients and images' gradients in their forms.
  virtual std::size_t in_floats() const = 0;
  virtual std::size_t out_floats() const = 0;
  virtual std::size_t gradient_floats() const = 0;
  virtual std::size_t back_floats() const = 0;
  virtual std::size_t weight_floats() const = 0;
  /// What input_gradient_plane() and multiply_weights() want besides.
  virtual std::size_t scratch_floats() const = 0;
  virtual std::size_t sum_floats() const = 0;

  /// work(image, block, number of the plane) for all planes of a batch with so many blocks, in parallel.
  template <class Work>
  void for_each_plane(std::int64_t blocks, const Work& work) const {
    for_each_parallel(shape_.batch * blocks, [&](std::int64_t i) { work(i / blocks, i % blocks, i); });
  }

  /// Planes [H,W,16]: image `n`, block `block` of its channels.
  virtual void input_plane(std::int64_t n, std::int64_t block, const float* plane, float* in) const = 0;
  /// Where the plane lies: in `plane`, or where it was.
  virtual const float* output_plane(std::int64_t n, std::int64_t block, const float* out,
                                    float* plane) const = 0;
  virtual void output_gradient_plane(std::int64_t n, std::int64_t block, const float* plane,
                                     float* gradient) const = 0;
  /// May write over its part of `back`.
  virtual void input_gradient_plane(std::int64_t n, std::int64_t block, float* back, float* scratch,
                                    float* plane) const = 0;

  /// weight [out,in,3,3] -> transformed.
  virtual void transform_weights(const float* weight, float* transformed) const = 0;
  /// in -> out.
  virtual void multiply(const float* in, const float* transformed, float* out) const = 0;
  /// gradient -> back.
  virtual void multiply_back(const float* gradient, const float* transformed, float* back) const = 0;
  /// in, gradient -> dw [out,in,3,3].
  virtual void multiply_weights(const float* in, const float* gradient, float* sums, float* dw) const = 0;

 protected:
  explicit PlaneConv(const Conv3x3Shape& shape) : shape_(shape) {}

 private:
  Conv3x3Shape shape_;
};

}  // namespace torsor
