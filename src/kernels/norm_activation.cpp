#include "kernels/norm_activation.h"

#include "kernels/parallel.h"

namespace torsor {

void NormActivation::compute_moments(Isa isa, const float* x, float* moments) const {
  const NormStages& stages = norm_stages(isa);
  for_each_parallel(planes(), [&](std::int64_t i) {
    stages.moments(pixels, x + i * pixels * kBlock, moments + i * kBlock, moments + (planes() + i) * kBlock);
  });
}

ChannelNorm NormActivation::of_plane(std::int64_t i, const NormParameters& parameters,
                                     const float* moments) const {
  const std::int64_t channel = i % (channels / kBlock) * kBlock;
  const auto part = [&](const float* values) { return values == nullptr ? nullptr : values + channel; };
  return {moments + i * kBlock, moments + (planes() + i) * kBlock, part(parameters.gain),
          part(parameters.shift)};
}

void NormActivation::forward(Isa isa, const float* x, const NormParameters& parameters, const float* moments,
                             float* y) const {
  const NormStages& stages = norm_stages(isa);
  for_each_parallel(planes(), [&](std::int64_t i) {
    stages.activate(pixels, x + i * pixels * kBlock, of_plane(i, parameters, moments), slope,
                    y + i * pixels * kBlock);
  });
}

void NormActivation::backward(Isa isa, const float* x, const NormParameters& parameters, const float* moments,
                              const float* dy, float* dx, float* sums) const {
  const NormStages& stages = norm_stages(isa);
  for_each_parallel(planes(), [&](std::int64_t i) {
    const std::int64_t at = i * pixels * kBlock;
    stages.activate_gradient(pixels, dy + at, x + at, of_plane(i, parameters, moments), slope, dx + at,
                             sums == nullptr ? nullptr : sums + i * 2 * kBlock);
  });
}

}  // namespace torsor
