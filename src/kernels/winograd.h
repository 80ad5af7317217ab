// Winograd's 3x3 convolution taken apart: what a convolution alone and the residual trunk both put together.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/parallel.h"
#include "kernels/winograd_products.h"
#include "kernels/winograd_stages.h"

namespace torsor {

/// A convolution of stride 1 that keeps the size. Images are [batch, channels / 16, height, width, 16]: see
/// to_blocked().
struct Conv3x3Shape {
  std::int64_t batch = 1, in_channels = 16, out_channels = 16, height = 0, width = 0;
  Border border = Border::reflect;
  bool operator==(const Conv3x3Shape&) const = default;
};

/// Whether the kernel takes it: channels in multiples of 16, sides of at least 2.
bool is_taken(const Conv3x3Shape& shape);

/// Winograd's F(4x4, 3x3) (Lavin and Gray 2016) at the points 0, +-1/sqrt(2), +-sqrt(2) and infinity, which
/// err half as much as the usual 0, +-1, +-2. 36 products of matrices [tiles, in] x [in, out] stand for 144.
/// Sums over channels are taken 32 at a time. It owns no memory: callers bring the transformed images. The
/// plane functions run on one thread, the others on all; the bits are the same for any number of them.
class Winograd3x3 {
 public:
  /// Throws std::logic_error for Isa::plain and for a shape that is not taken.
  Winograd3x3(const Conv3x3Shape& shape, Isa isa);

  const Conv3x3Shape& shape() const { return shape_; }
  std::int64_t in_blocks() const { return shape_.in_channels / kBlock; }
  std::int64_t out_blocks() const { return shape_.out_channels / kBlock; }
  std::int64_t pixels() const { return shape_.height * shape_.width; }
  std::int64_t plane_floats() const { return pixels() * kBlock; }
  /// Of a batch transformed.
  std::size_t in_floats() const { return tiling_.floats(shape_.in_channels); }
  std::size_t out_floats() const { return tiling_.floats(shape_.out_channels); }
  std::size_t weight_floats() const;
  /// Of one plane with what lies around it.
  std::size_t scratch_floats() const { return fold_floats(tiling_.grid); }

  /// work(image, block, number of the plane) for all planes of a batch with so many blocks, in parallel.
  template <class Work>
  void for_each_plane(std::int64_t blocks, const Work& work) const {
    for_each_parallel(shape_.batch * blocks, [&](std::int64_t i) { work(i / blocks, i % blocks, i); });
  }

  /// Planes [H,W,16]: image `n`, block `block` of its channels.
  void input_plane(std::int64_t n, std::int64_t block, const float* plane, float* in) const;
  void output_plane(std::int64_t n, std::int64_t block, const float* out, float* plane) const;
  void output_gradient_plane(std::int64_t n, std::int64_t block, const float* plane, float* out) const;
  void input_gradient_plane(std::int64_t n, std::int64_t block, const float* in, float* scratch,
                            float* plane) const;

  /// weight [out,in,3,3] -> transformed.
  void transform_weights(const float* weight, float* transformed) const;
  /// in -> out.
  void multiply(const float* in, const float* transformed, float* out) const;
  /// out -> in.
  void multiply_back(const float* out, const float* transformed, float* in) const;
  /// in, out -> dw [out,in,3,3]; `sums` is scratch of weight_floats().
  void multiply_weights(const float* in, const float* out, float* sums, float* dw) const;

 private:
  std::int64_t offset(std::int64_t n, std::int64_t block) const;
  template <class Matrix>
  void products(const float* rows, std::int64_t depth, std::int64_t width, const Matrix& matrix,
                float* out) const;

  Conv3x3Shape shape_;
  const WinogradStages* stages_;
  const WinogradProducts* products_;
  WinogradTiling tiling_;
};

}  // namespace torsor
