#include "kernels/fused_conv.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "kernels/buffer.h"
#include "kernels/parallel.h"

namespace torsor {

namespace {

// Thread-local: the input and the output's gradient, padded, and the input's gradient.
struct FusedConvScratch {
  FloatBuffer source, result, gradient;
};

FusedConvScratch& fused_conv_scratch() {
  thread_local FusedConvScratch scratch;
  return scratch;
}

bool is_planar(const PaddedTensor& t) { return t.channels < kBlock; }

}  // namespace

std::int64_t FusedConvShape::in_channels() const {
  return direction == ConvDirection::forward ? conv.in_channels : conv.out_channels;
}

std::int64_t FusedConvShape::out_channels() const {
  return direction == ConvDirection::forward ? conv.out_channels : conv.in_channels;
}

bool is_supported(const FusedConvShape& s) {
  if (!is_supported(s.conv, s.operands)) return false;
  if (s.prologue.changes_values() && s.in_channels() < kBlock) return false;
  if (s.prologue.norm == Prologue::Norm::instance && s.conv.height * s.conv.width == 1) return false;
  return s.prologue.padding_mode == PaddingMode::zeros ||
         (s.direction == ConvDirection::forward && s.conv.stride == 1 &&
          std::min(s.conv.height, s.conv.width) > s.conv.padding);
}

FusedConv::FusedConv(const FusedConvShape& shape, Isa isa)
    : shape_(shape),
      conv_(shape.conv, isa, shape.operands),
      isa_(isa),
      norms_(&norm_stages(isa)),
      bf16_(shape.operands == Operands::bf16 ? bf16_stages(isa) : nullptr) {
  if (!is_supported(shape)) throw std::logic_error("FusedConv: unsupported shape");
}

const PaddedTensor& FusedConv::padded_source() const {
  return shape_.direction == ConvDirection::forward ? conv_.padded_input() : conv_.padded_output();
}

const PaddedTensor& FusedConv::padded_result() const {
  return shape_.direction == ConvDirection::forward ? conv_.padded_output() : conv_.padded_input();
}

PaddedTensor FusedConv::source() const {
  const PaddedTensor& t = padded_source();
  return {t.batch, shape_.in_channels(), t.height, t.width, t.padding};
}

// Packs a blocked image into a padded tensor, row by row: row(block of the batch, row, scratch row) returns
// the row to copy.
template <class Row>
void FusedConv::pad_blocked(const PaddedTensor& t, PaddingMode mode, const float* image, float* padded,
                            const Row& row) const {
  const std::int64_t row_floats = t.width * kBlock, image_floats = t.height * row_floats;
  if (bf16_ == nullptr)
    return for_each_parallel(t.batch * t.blocks(), [&](std::int64_t i) {
      float* plane = padded + i * t.plane_floats();
      for (std::int64_t y = 0; y < t.height; ++y) {
        float* to = plane + t.interior_offset() + y * t.row_floats();
        const float* from = row(i, image + i * image_floats + y * row_floats, to);
        if (from != to) std::copy_n(from, row_floats, to);
      }
      fill_padding(t, mode, plane);
    });
  for_each_parallel(t.batch * t.blocks(), [&](std::int64_t i) {  // two blocks share a plane of 32 channels
    thread_local FloatBuffer scratch;
    float *scratch_row = scratch.at_least(static_cast<std::size_t>(row_floats)),
          *plane = padded + i * t.plane_floats();
    for (std::int64_t block = 2 * i; block < 2 * i + 2; ++block)
      for (std::int64_t y = 0; y < t.height; ++y)
        bf16_->narrow(t.width, row(block, image + block * image_floats + y * row_floats, scratch_row),
                      plane + t.interior_offset() + y * t.row_floats() + block % 2 * kBlock / 2);
    fill_padding(t, mode, plane);
  });
}

void FusedConv::pack_weights(const float* weight, float* packed) const {
  shape_.direction == ConvDirection::forward ? conv_.pack_weights(weight, packed)
                                             : conv_.pack_weights_backward(weight, packed);
}

void FusedConv::pack_weights_backward(const float* weight, float* packed) const {
  shape_.direction == ConvDirection::forward ? conv_.pack_weights_backward(weight, packed)
                                             : conv_.pack_weights(weight, packed);
}

NormActivation FusedConv::norm() const {
  const PaddedTensor t = source();
  return {t.batch, t.channels, t.height * t.width, shape_.prologue.slope};
}

std::size_t FusedConv::moment_floats() const { return static_cast<std::size_t>(norm().moment_floats()); }

// Runs the prologue: norm, activation, padding.
void FusedConv::pack_input(const float* x, const NormParameters& parameters, const float* moments,
                           float* padded) const {
  const PaddedTensor t = source();
  if (is_planar(t)) return conv_.pad_planar(padded_source(), shape_.prologue.padding_mode, x, padded);
  static constexpr std::array<float, kBlock> kNoMean{};
  static constexpr std::array<float, kBlock> kNoFactor = [] {
    std::array<float, kBlock> ones{};
    for (float& one : ones) one = 1;
    return ones;
  }();
  const bool normed = shape_.prologue.norm == Prologue::Norm::instance;
  const NormActivation norm_activation = norm();
  pad_blocked(padded_source(), shape_.prologue.padding_mode, x, padded,
              [&](std::int64_t i, const float* from, float* scratch_row) {
                const ChannelNorm of_plane = normed ? norm_activation.of_plane(i, parameters, moments)
                                                    : ChannelNorm{kNoMean.data(), kNoFactor.data()};
                norms_->activate(t.width, from, of_plane, shape_.prologue.slope, scratch_row);
                return scratch_row;
              });
}

void FusedConv::pack_output_gradient(const float* dy, float* padded) const {
  const PaddedTensor& t = padded_result();
  if (is_planar(t)) return conv_.pad_planar(t, PaddingMode::zeros, dy, padded);
  pad_blocked(t, PaddingMode::zeros, dy, padded,
              [](std::int64_t, const float* from, float*) { return from; });
}

void FusedConv::forward(const float* x, const NormParameters& parameters, const float* packed,
                        const float* bias, float* moments, float* y) const {
  if (shape_.prologue.norm == Prologue::Norm::instance) norm().compute_moments(isa_, x, moments);
  float* padded = fused_conv_scratch().source.at_least(padded_source().floats());
  pack_input(x, parameters, moments, padded);
  if (shape_.direction == ConvDirection::forward)
    conv_.forward(padded, packed, bias, y);
  else
    conv_.input_gradient(padded, packed, Region::image, bias, y);
}

// Backward of the prologue: the gradient of the convolved image, with that of reflected padding, -> that of
// x.
void FusedConv::unpack_input_gradient(const float* x, const NormParameters& parameters, const float* moments,
                                      float* gradient, float* dx, float* sums) const {
  const PaddedTensor t = source();
  const NormActivation norm_activation = norm();
  const bool reflects = shape_.prologue.padding_mode == PaddingMode::reflect,
             normed = shape_.prologue.norm == Prologue::Norm::instance;
  const std::int64_t lanes = is_planar(t) ? 1 : kBlock, pixels = t.height * t.width;
  const std::int64_t planes = t.batch * (is_planar(t) ? t.channels : t.blocks());
  const std::int64_t whole = (reflects ? t.padded_height() * t.padded_width() : pixels) * lanes;
  for_each_parallel(planes, [&](std::int64_t i) {
    float* plane = gradient + i * whole;
    float* to = dx + i * pixels * lanes;
    if (reflects) reflection_pad_backward(t, lanes, plane, to);
    const float *from = reflects ? to : plane, *image = x + i * pixels * lanes;
    if (normed)
      norms_->activate_gradient(pixels, from, image, norm_activation.of_plane(i, parameters, moments),
                                shape_.prologue.slope, to, sums == nullptr ? nullptr : sums + i * 2 * kBlock);
    else if (shape_.prologue.slope != 1)
      norms_->relu_gradient(pixels, from, image, shape_.prologue.slope, to);
  });
}

void FusedConv::backward(const float* x, const NormParameters& parameters, const float* moments,
                         const float* packed_backward, const float* dy, float* dx, float* dw,
                         float* sums) const {
  FusedConvScratch& scratch = fused_conv_scratch();
  float* padded_dy = scratch.result.at_least(padded_result().floats());
  pack_output_gradient(dy, padded_dy);
  const bool forwards = shape_.direction == ConvDirection::forward;
  if (dw != nullptr) {
    float* padded_x = scratch.source.at_least(padded_source().floats());
    pack_input(x, parameters, moments, padded_x);
    conv_.weight_gradient(forwards ? padded_x : padded_dy, forwards ? padded_dy : padded_x, dw);
  }
  if (dx == nullptr) return;
  const bool reflects = shape_.prologue.padding_mode == PaddingMode::reflect;
  const bool changes = reflects || shape_.prologue.changes_values();
  float* gradient = changes ? scratch.gradient.at_least(source().floats()) : dx;
  if (forwards)
    conv_.input_gradient(padded_dy, packed_backward, reflects ? Region::with_padding : Region::image, nullptr,
                         gradient);
  else
    conv_.forward(padded_dy, packed_backward, nullptr, gradient);
  if (changes) unpack_input_gradient(x, parameters, moments, gradient, dx, sums);
}

}  // namespace torsor
