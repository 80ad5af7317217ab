#include "kernels/residual_trunk.h"

#include <cstring>

#include "kernels/bf16_conv3x3.h"
#include "kernels/winograd.h"

namespace torsor {

namespace {

std::unique_ptr<const PlaneConv> convolution_of(const Conv3x3Shape& shape, Isa isa, Operands operands) {
  if (operands == Operands::bf16) return std::make_unique<Bf16Conv3x3>(shape, isa);
  return std::make_unique<Winograd3x3>(shape, isa);
}

}  // namespace

ResidualTrunk::ResidualTrunk(const TrunkShape& shape, Isa isa, Operands operands)
    : shape_(shape), conv_(convolution_of(shape.convolution(), isa, operands)), norms_(&norm_stages(isa)) {}

std::size_t ResidualTrunk::image_floats() const {
  return static_cast<std::size_t>(shape_.batch * conv_->in_blocks() * conv_->plane_floats());
}

std::size_t ResidualTrunk::scale_floats() const {
  return static_cast<std::size_t>(shape_.batch * shape_.channels);
}

ChannelNorm ResidualTrunk::scaled(const NormParameters& parameters, std::int64_t block, const float* scale) {
  return {nullptr, scale, parameters.gain + block * kBlock, parameters.shift + block * kBlock};
}

void ResidualTrunk::forward(const float* x, const std::vector<const float*>& transformed,
                            const std::vector<NormParameters>& parameters, const Record* record, float* y) {
  float *in = in_.at_least(conv_->in_floats()), *out = out_.at_least(conv_->out_floats());
  const std::int64_t plane_floats = conv_->plane_floats(), pixels = conv_->pixels();
  conv_->for_each_plane(conv_->in_blocks(), [&](std::int64_t n, std::int64_t block, std::int64_t plane) {
    conv_->input_plane(n, block, x + plane * plane_floats, in);
  });
  for (std::int64_t i = 0; i < 2 * shape_.blocks; ++i) {
    const auto conv = static_cast<std::size_t>(i), of = conv / 2;
    const bool ends_block = i % 2 == 1, is_last = i + 1 == 2 * shape_.blocks;
    const float* skip = of == 0 ? x : record != nullptr ? record->inputs[of - 1] : y;
    float* sum = !ends_block || is_last || record == nullptr ? y : record->inputs[of];
    conv_->multiply(in, transformed[conv], out);
    conv_->for_each_plane(conv_->in_blocks(), [&](std::int64_t n, std::int64_t block, std::int64_t plane) {
      thread_local FloatBuffer scratch;
      float* work = scratch.at_least(static_cast<std::size_t>(plane_floats + kBlock));
      float* scale = work + plane_floats;
      const std::int64_t at = plane * plane_floats;
      const float* result = conv_->output_plane(n, block, out, work);
      if (record != nullptr) scale = record->scales[conv] + plane * kBlock;
      float* normalised = record != nullptr ? record->normalised[conv] + at : work;
      norms_->normalise(pixels, result, normalised, scale);
      const float* residual = normalised;
      if (!parameters.empty()) {
        norms_->activate(pixels, normalised, scaled(parameters[conv], block, nullptr), ends_block ? 1 : 0,
                         work);
        residual = work;
      } else if (!ends_block) {
        norms_->relu(pixels, normalised, work);
      }
      if (ends_block) norms_->add(pixels, residual, skip + at, sum + at);
      if (!is_last) conv_->input_plane(n, block, ends_block ? sum + at : work, in);
    });
  }
}

void ResidualTrunk::backward(const float* x, const Record& record,
                             const std::vector<const float*>& transformed,
                             const std::vector<NormParameters>& parameters, const float* dy,
                             const std::vector<const float*>& of_residuals, float* dx,
                             const std::vector<float*>& dw, const std::vector<float*>& sums) {
  float *in = in_.at_least(conv_->in_floats()), *out = out_.at_least(conv_->output_gradient_floats());
  float* input_gradient = input_gradient_.at_least(conv_->input_gradient_floats());  // packed
  const std::int64_t plane_floats = conv_->plane_floats(), pixels = conv_->pixels();
  std::memcpy(dx, dy, image_floats() * sizeof(float));  // dx holds the gradient of the block's sum
  for (std::int64_t i = 2 * shape_.blocks - 1; i >= 0; --i) {
    const auto conv = static_cast<std::size_t>(i), of = conv / 2;
    const bool ends_block = i % 2 == 1, is_last = i + 1 == 2 * shape_.blocks;
    const float* residual = ends_block && !of_residuals.empty() ? of_residuals[of] : nullptr;
    const float* block_input = of == 0 ? x : record.inputs[of - 1];
    conv_->for_each_plane(conv_->in_blocks(), [&](std::int64_t n, std::int64_t block, std::int64_t plane) {
      thread_local FloatBuffer scratch;
      float* work = scratch.at_least(static_cast<std::size_t>(plane_floats) + conv_->scratch_floats());
      float* folded = work + plane_floats;
      const std::int64_t at = plane * plane_floats;
      const float *normalised = record.normalised[conv] + at, *scale = record.scales[conv] + plane * kBlock;
      const auto norm_gradient = [&](const float* gradient, float slope) {
        if (!parameters.empty())
          return norms_->affine_gradient(pixels, gradient, normalised, scaled(parameters[conv], block, scale),
                                         slope, work, sums[conv] + plane * 2 * kBlock);
        if (slope == 0) norms_->relu_gradient(pixels, gradient, normalised, 0, work);
        norms_->normalise_gradient(pixels, slope == 0 ? work : gradient, normalised, scale, work);
      };
      if (!is_last) conv_->input_gradient_plane(n, block, input_gradient, folded, work);
      if (ends_block) {  // the input gradient of the next block's first convolution is added
        if (!is_last) norms_->add(pixels, dx + at, work, dx + at);
        const float* gradient = dx + at;
        if (residual != nullptr) {
          norms_->add(pixels, gradient, residual + at, work);
          gradient = work;
        }
        norm_gradient(gradient, 1);
      } else {
        norm_gradient(work, 0);
      }
      conv_->output_gradient_plane(n, block, work, out);
      if (dw[conv] == nullptr) return;
      if (ends_block) {  // its input was the block's middle after the ReLU
        const float* middle = record.normalised[conv - 1] + at;
        if (parameters.empty())
          norms_->relu(pixels, middle, work);
        else
          norms_->activate(pixels, middle, scaled(parameters[conv - 1], block, nullptr), 0, work);
        conv_->input_plane(n, block, work, in);
      } else {
        conv_->input_plane(n, block, block_input + at, in);
      }
    });
    conv_->multiply_backward(out, transformed[conv], input_gradient);
    if (dw[conv] != nullptr)
      conv_->multiply_weights(in, out, weights_.at_least(conv_->sum_floats()), dw[conv]);
  }
  conv_->for_each_plane(conv_->in_blocks(), [&](std::int64_t n, std::int64_t block, std::int64_t plane) {
    thread_local FloatBuffer scratch;
    float* work = scratch.at_least(static_cast<std::size_t>(plane_floats) + conv_->scratch_floats());
    const std::int64_t at = plane * plane_floats;
    conv_->input_gradient_plane(n, block, input_gradient, work + plane_floats, work);
    norms_->add(pixels, dx + at, work, dx + at);
  });
}

}  // namespace torsor
