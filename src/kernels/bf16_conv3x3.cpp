#include "kernels/bf16_conv3x3.h"

#include <algorithm>
#include <stdexcept>

#include "kernels/winograd.h"

namespace torsor {

bool is_taken_in_bf16(const Conv3x3Shape& s) {
  return is_taken(s) && s.in_channels % kWideBlock == 0 && s.out_channels % kWideBlock == 0;
}

Bf16Conv3x3::Bf16Conv3x3(const Conv3x3Shape& s, Isa isa)
    : PlaneConv(s),
      conv_({s.batch, s.in_channels, s.out_channels, s.height, s.width, 3, 1, 1}, isa, Operands::bf16),
      stages_(bf16_stages(isa)),
      back_{s.batch, s.in_channels, s.height, s.width, 1} {
  if (!is_taken_in_bf16(s)) throw std::logic_error("Bf16Conv3x3: a shape that it does not take");
}

std::size_t Bf16Conv3x3::out_floats() const {
  return static_cast<std::size_t>(shape().batch * out_blocks() * plane_floats());
}

// Two blocks share a plane of lines, each half of them.
void Bf16Conv3x3::round_plane(const Frame& f, Border border, std::int64_t n, std::int64_t block,
                              const float* plane, float* framed) const {
  constexpr std::int64_t kHalf = kBlock / 2;
  const LinePart half{block % 2 * kHalf, kHalf};
  float* lines = framed + (n * f.blocks() + block / 2) * f.plane_floats();
  for (std::int64_t y = 0; y < f.height; ++y)
    stages_->narrow(f.width, plane + y * f.width * kBlock,
                    lines + f.inside() + y * f.row_floats() + half.first);
  fill_border(f, border, lines, half);
}

void Bf16Conv3x3::input_plane(std::int64_t n, std::int64_t block, const float* plane, float* in) const {
  round_plane(conv_.in_frame(), shape().border, n, block, plane, in);
}

const float* Bf16Conv3x3::output_plane(std::int64_t n, std::int64_t block, const float* out, float*) const {
  return out + (n * out_blocks() + block) * plane_floats();
}

void Bf16Conv3x3::output_gradient_plane(std::int64_t n, std::int64_t block, const float* plane,
                                        float* gradient) const {
  round_plane(conv_.out_frame(), Border::zero, n, block, plane, gradient);
}

void Bf16Conv3x3::input_gradient_plane(std::int64_t n, std::int64_t block, float* back, float*,
                                       float* plane) const {
  float* own = back + (n * in_blocks() + block) * back_.plane_floats();
  if (shape().border == Border::reflect) return fold_border(back_, kBlock, own, plane);
  for (std::int64_t y = 0; y < back_.height; ++y)
    std::copy_n(own + back_.inside() + y * back_.row_floats(), back_.width * kBlock,
                plane + y * back_.width * kBlock);
}

void Bf16Conv3x3::transform_weights(const float* weight, float* transformed) const {
  conv_.pack(weight, transformed);
  conv_.pack_back(weight, transformed + conv_.weight_floats());
}

void Bf16Conv3x3::multiply(const float* in, const float* transformed, float* out) const {
  conv_.forward(in, transformed, nullptr, out);
}

void Bf16Conv3x3::multiply_back(const float* gradient, const float* transformed, float* back) const {
  conv_.input_gradient(gradient, transformed + conv_.weight_floats(), Region::with_border, nullptr, back);
}

void Bf16Conv3x3::multiply_weights(const float* in, const float* gradient, float*, float* dw) const {
  conv_.weight_gradient(in, gradient, dw);
}

}  // namespace torsor
