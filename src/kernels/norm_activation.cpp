#include "kernels/norm_activation.h"

#include "kernels/parallel.h"

namespace torsor {

void NormActivation::find_moments(Isa isa, const float* x, float* moments) const {
  const NormStages& stages = norm_stages(isa);
  for_each_parallel(planes(), [&](std::int64_t i) {
    stages.moments(pixels, x + i * pixels * kBlock, moments + i * kBlock, moments + (planes() + i) * kBlock);
  });
}

void NormActivation::forward(Isa isa, const float* x, const float* moments, float* y) const {
  const NormStages& stages = norm_stages(isa);
  for_each_parallel(planes(), [&](std::int64_t i) {
    stages.activate(pixels, x + i * pixels * kBlock, moments + i * kBlock, moments + (planes() + i) * kBlock,
                    slope, y + i * pixels * kBlock);
  });
}

void NormActivation::backward(Isa isa, const float* x, const float* moments, const float* dy,
                              float* dx) const {
  const NormStages& stages = norm_stages(isa);
  for_each_parallel(planes(), [&](std::int64_t i) {
    const std::int64_t at = i * pixels * kBlock;
    stages.activate_gradient(pixels, dy + at, x + at, moments + i * kBlock, moments + (planes() + i) * kBlock,
                             slope, dx + at);
  });
}

}  // namespace torsor
