// Winograd's 3x3 convolution in parts, of which the convolution and the residual trunk are composed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/plane_conv.h"
#include "kernels/winograd_products.h"
#include "kernels/winograd_stages.h"

namespace torsor {

/// Whether Winograd3x3 supports the shape: channels in multiples of 16, sides of at least 2.
bool is_supported(const Conv3x3Shape& shape);

/// Winograd's F(4x4, 3x3) (Lavin and Gray 2016) at the points 0, +-1/sqrt(2), +-sqrt(2) and infinity, with
/// half the error of the usual 0, +-1, +-2. 36 GEMMs [tiles, in] x [in, out] replace 144. Partial sums are
/// over 32 channels.
class Winograd3x3 final : public PlaneConv {
 public:
  /// Throws std::logic_error for Isa::plain and for an unsupported shape.
  Winograd3x3(const Conv3x3Shape& shape, Isa isa);

  std::size_t in_floats() const override { return tiling_.floats(shape().in_channels); }
  std::size_t out_floats() const override { return tiling_.floats(shape().out_channels); }
  std::size_t output_gradient_floats() const override { return out_floats(); }
  std::size_t input_gradient_floats() const override { return in_floats(); }
  std::size_t weight_floats() const override;
  /// Of one padded plane.
  std::size_t scratch_floats() const override { return fold_floats(tiling_.grid); }
  std::size_t sum_floats() const override { return weight_floats(); }

  void input_plane(std::int64_t n, std::int64_t block, const float* plane, float* in) const override;
  const float* output_plane(std::int64_t n, std::int64_t block, const float* out,
                            float* plane) const override;
  void output_gradient_plane(std::int64_t n, std::int64_t block, const float* plane,
                             float* gradient) const override;
  void input_gradient_plane(std::int64_t n, std::int64_t block, float* input_gradient, float* scratch,
                            float* plane) const override;

  void transform_weights(const float* weight, float* transformed) const override;
  void multiply(const float* in, const float* transformed, float* out) const override;
  void multiply_backward(const float* gradient, const float* transformed,
                         float* input_gradient) const override;
  void multiply_weights(const float* in, const float* gradient, float* sums, float* dw) const override;

 private:
  std::int64_t offset(std::int64_t n, std::int64_t block) const;
  template <class Matrix>
  void products(const float* rows, std::int64_t depth, std::int64_t width, const Matrix& matrix,
                float* out) const;

  const WinogradStages* stages_;
  const WinogradProducts* products_;
  WinogradTiling tiling_;
};

}  // namespace torsor
