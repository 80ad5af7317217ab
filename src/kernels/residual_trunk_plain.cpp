// Plain implementations of ResidualTrunk, not fused.
#include <algorithm>
#include <cmath>

#include "kernels/conv3x3.h"
#include "kernels/residual_trunk.h"

namespace torsor {

namespace {

using Images = std::vector<float>;  // [batch, channels, height, width]

struct Normalised {
  Images values;
  std::vector<double> scale;  // of each plane
};

Normalised normalise(const TrunkShape& s, const Images& x) {
  const std::int64_t planes = s.batch * s.channels, pixels = s.height * s.width;
  Normalised out{x, {}};
  for (std::int64_t p = 0; p < planes; ++p) {
    float* const plane = out.values.data() + p * pixels;
    double mean = 0, variance = 0;
    for (std::int64_t i = 0; i < pixels; ++i) mean += plane[i] / static_cast<double>(pixels);
    for (std::int64_t i = 0; i < pixels; ++i)
      variance += (plane[i] - mean) * (plane[i] - mean) / static_cast<double>(pixels);
    out.scale.push_back(1 / std::sqrt(variance + kNormEpsilon));
    for (std::int64_t i = 0; i < pixels; ++i)
      plane[i] = static_cast<float>((plane[i] - mean) * out.scale.back());
  }
  return out;
}

// In place: the gradient of the output -> that of the input.
void normalise_gradient(const TrunkShape& s, const Normalised& y, Images& gradient) {
  const std::int64_t planes = s.batch * s.channels, pixels = s.height * s.width;
  for (std::int64_t p = 0; p < planes; ++p) {
    float* const d = gradient.data() + p * pixels;
    const float* const values = y.values.data() + p * pixels;
    double mean = 0, along = 0;
    for (std::int64_t i = 0; i < pixels; ++i) {
      mean += d[i] / static_cast<double>(pixels);
      along += static_cast<double>(d[i]) * values[i] / static_cast<double>(pixels);
    }
    for (std::int64_t i = 0; i < pixels; ++i)
      d[i] = static_cast<float>(y.scale[static_cast<std::size_t>(p)] * (d[i] - mean - values[i] * along));
  }
}

Images rectified(const Images& x) {
  Images out = x;
  for (float& v : out) v = std::max(v, 0.0F);
  return out;
}

struct Block {
  Images input, middle;  // middle: after the ReLU, the second convolution's input
  Normalised first, second;
};

std::vector<Block> forward(const TrunkShape& s, const float* x, const std::vector<const float*>& weights,
                           float* y) {
  std::vector<Block> blocks;
  Images sum(x, x + s.batch * s.channels * s.height * s.width), convolved(sum.size());
  for (std::int64_t b = 0; b < s.blocks; ++b) {
    Block block;
    block.input = sum;
    conv3x3_plain(s.convolution(), sum.data(), weights[static_cast<std::size_t>(2 * b)], convolved.data());
    block.first = normalise(s, convolved);
    block.middle = rectified(block.first.values);
    conv3x3_plain(s.convolution(), block.middle.data(), weights[static_cast<std::size_t>(2 * b + 1)],
                  convolved.data());
    block.second = normalise(s, convolved);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += block.second.values[i];
    blocks.push_back(std::move(block));
  }
  std::copy(sum.begin(), sum.end(), y);
  return blocks;
}

}  // namespace

void residual_trunk_plain(const TrunkShape& s, const float* x, const std::vector<const float*>& weights,
                          float* y, float* residuals) {
  for (const Block& block : forward(s, x, weights, y))
    if (residuals != nullptr)
      residuals = std::copy(block.second.values.begin(), block.second.values.end(), residuals);
}

void residual_trunk_gradient_plain(const TrunkShape& s, const float* x,
                                   const std::vector<const float*>& weights, const float* dy,
                                   const float* of_residuals, float* dx, const std::vector<float*>& dw) {
  const Conv3x3Shape conv = s.convolution();
  const std::int64_t floats = s.batch * s.channels * s.height * s.width;
  Images y(static_cast<std::size_t>(floats));
  const std::vector<Block> blocks = forward(s, x, weights, y.data());
  Images sum(dy, dy + floats),
      input_gradient(sum.size());  // the gradient of the block's sum; that of a convolution's input
  for (std::int64_t b = s.blocks - 1; b >= 0; --b) {
    const Block& block = blocks[static_cast<std::size_t>(b)];
    const auto first = static_cast<std::size_t>(2 * b), second = first + 1;
    Images gradient = sum;
    if (of_residuals != nullptr)
      for (std::size_t i = 0; i < gradient.size(); ++i)
        gradient[i] += of_residuals[b * floats + static_cast<std::int64_t>(i)];
    normalise_gradient(s, block.second, gradient);
    conv3x3_weight_gradient_plain(conv, block.middle.data(), gradient.data(), dw[second]);
    conv3x3_input_gradient_plain(conv, gradient.data(), weights[second], input_gradient.data());
    for (std::size_t i = 0; i < input_gradient.size(); ++i)
      if (block.first.values[i] <= 0) input_gradient[i] = 0;
    normalise_gradient(s, block.first, input_gradient);
    conv3x3_weight_gradient_plain(conv, block.input.data(), input_gradient.data(), dw[first]);
    conv3x3_input_gradient_plain(conv, input_gradient.data(), weights[first], gradient.data());
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += gradient[i];
  }
  std::copy(sum.begin(), sum.end(), dx);
}

}  // namespace torsor
