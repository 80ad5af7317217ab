// 3x3 convolution of stride 1 with bfloat16 operands.
#pragma once

#include "kernels/direct_conv.h"
#include "kernels/plane_conv.h"

namespace torsor {

/// Whether Bf16Conv3x3 supports the shape: channels in multiples of 32, sides of at least 2.
bool is_supported_in_bf16(const Conv3x3Shape& shape);

/// Images are rounded to bfloat16 as they are packed; accumulation is in fp32.
class Bf16Conv3x3 final : public PlaneConv {
 public:
  /// Throws std::logic_error for an unsupported shape, and as DirectConv does.
  Bf16Conv3x3(const Conv3x3Shape& shape, Isa isa);

  std::size_t in_floats() const override { return conv_.padded_input().floats(); }
  std::size_t out_floats() const override;
  std::size_t output_gradient_floats() const override { return conv_.padded_output().floats(); }
  std::size_t input_gradient_floats() const override { return input_gradient_.floats(); }
  std::size_t weight_floats() const override { return 2 * conv_.weight_floats(); }
  std::size_t scratch_floats() const override { return 0; }
  std::size_t sum_floats() const override { return 0; }

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
  void round_plane(const PaddedTensor& tensor, PaddingMode mode, std::int64_t n, std::int64_t block,
                   const float* plane, float* padded) const;

  DirectConv conv_;
  const Bf16Stages* stages_;
  PaddedTensor input_gradient_;  // fp32, with the gradient of the padding
};

}  // namespace torsor
