// 3x3 convolution of stride 1 with operands of bfloat16.
#pragma once

#include "kernels/direct_conv.h"
#include "kernels/plane_conv.h"

namespace torsor {

/// Whether Bf16Conv3x3 takes it: channels in multiples of 32, sides of at least 2.
bool is_taken_in_bf16(const Conv3x3Shape& shape);

/// Images are rounded when they are taken in; sums are floats.
class Bf16Conv3x3 final : public PlaneConv {
 public:
  /// Throws std::logic_error for a shape that is not taken, and as DirectConv does.
  Bf16Conv3x3(const Conv3x3Shape& shape, Isa isa);

  std::size_t in_floats() const override { return conv_.in_frame().floats(); }
  std::size_t out_floats() const override;
  std::size_t gradient_floats() const override { return conv_.out_frame().floats(); }
  std::size_t back_floats() const override { return back_.floats(); }
  std::size_t weight_floats() const override { return 2 * conv_.weight_floats(); }
  std::size_t scratch_floats() const override { return 0; }
  std::size_t sum_floats() const override { return 0; }

  void input_plane(std::int64_t n, std::int64_t block, const float* plane, float* in) const override;
  const float* output_plane(std::int64_t n, std::int64_t block, const float* out,
                            float* plane) const override;
  void output_gradient_plane(std::int64_t n, std::int64_t block, const float* plane,
                             float* gradient) const override;
  void input_gradient_plane(std::int64_t n, std::int64_t block, float* back, float* scratch,
                            float* plane) const override;

  void transform_weights(const float* weight, float* transformed) const override;
  void multiply(const float* in, const float* transformed, float* out) const override;
  void multiply_back(const float* gradient, const float* transformed, float* back) const override;
  void multiply_weights(const float* in, const float* gradient, float* sums, float* dw) const override;

 private:
  void round_plane(const Frame& frame, Border border, std::int64_t n, std::int64_t block, const float* plane,
                   float* framed) const;

  DirectConv conv_;
  const Bf16Stages* stages_;
  Frame back_;  // an image's gradient and that of its border, in floats
};

}  // namespace torsor
