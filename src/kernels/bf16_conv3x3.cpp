#include "kernels/bf16_conv3x3.h"

#include <algorithm>
#include <stdexcept>

#include "kernels/winograd.h"

namespace torsor {

bool is_supported_in_bf16(const Conv3x3Shape& s) {
  return is_supported(s) && s.in_channels % kWideBlock == 0 && s.out_channels % kWideBlock == 0;
}

Bf16Conv3x3::Bf16Conv3x3(const Conv3x3Shape& s, Isa isa)
    : PlaneConv(s),
      conv_({s.batch, s.in_channels, s.out_channels, s.height, s.width, 3, 1, 1}, isa, Operands::bf16),
      stages_(bf16_stages(isa)),
      input_gradient_{s.batch, s.in_channels, s.height, s.width, 1} {
  if (!is_supported_in_bf16(s)) throw std::logic_error("Bf16Conv3x3: unsupported shape");
}

std::size_t Bf16Conv3x3::out_floats() const {
  return static_cast<std::size_t>(shape().batch * out_blocks() * plane_floats());
}

// Two blocks of 16 channels share a plane of 32, each half of every line.
void Bf16Conv3x3::round_plane(const PaddedTensor& t, PaddingMode mode, std::int64_t n, std::int64_t block,
                              const float* plane, float* padded) const {
  constexpr std::int64_t kHalf = kBlock / 2;
  const LaneRange half{block % 2 * kHalf, kHalf};
  float* lines = padded + (n * t.blocks() + block / 2) * t.plane_floats();
  for (std::int64_t y = 0; y < t.height; ++y)
    stages_->narrow(t.width, plane + y * t.width * kBlock,
                    lines + t.interior_offset() + y * t.row_floats() + half.first);
  fill_padding(t, mode, lines, half);
}

void Bf16Conv3x3::input_plane(std::int64_t n, std::int64_t block, const float* plane, float* in) const {
  round_plane(conv_.padded_input(), shape().padding_mode, n, block, plane, in);
}

const float* Bf16Conv3x3::output_plane(std::int64_t n, std::int64_t block, const float* out, float*) const {
  return out + (n * out_blocks() + block) * plane_floats();
}

void Bf16Conv3x3::output_gradient_plane(std::int64_t n, std::int64_t block, const float* plane,
                                        float* gradient) const {
  round_plane(conv_.padded_output(), PaddingMode::zeros, n, block, plane, gradient);
}

void Bf16Conv3x3::input_gradient_plane(std::int64_t n, std::int64_t block, float* input_gradient, float*,
                                       float* plane) const {
  float* own = input_gradient + (n * in_blocks() + block) * input_gradient_.plane_floats();
  if (shape().padding_mode == PaddingMode::reflect)
    return reflection_pad_backward(input_gradient_, kBlock, own, plane);
  for (std::int64_t y = 0; y < input_gradient_.height; ++y)
    std::copy_n(own + input_gradient_.interior_offset() + y * input_gradient_.row_floats(),
                input_gradient_.width * kBlock, plane + y * input_gradient_.width * kBlock);
}

void Bf16Conv3x3::transform_weights(const float* weight, float* transformed) const {
  conv_.pack_weights(weight, transformed);
  conv_.pack_weights_backward(weight, transformed + conv_.weight_floats());
}

void Bf16Conv3x3::multiply(const float* in, const float* transformed, float* out) const {
  conv_.forward(in, transformed, nullptr, out);
}

void Bf16Conv3x3::multiply_backward(const float* gradient, const float* transformed,
                                    float* input_gradient) const {
  conv_.input_gradient(gradient, transformed + conv_.weight_floats(), Region::with_padding, nullptr,
                       input_gradient);
}

void Bf16Conv3x3::multiply_weights(const float* in, const float* gradient, float*, float* dw) const {
  conv_.weight_gradient(in, gradient, dw);
}

}  // namespace torsor
