#include "audit/delivered.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

namespace torsor {

namespace {

constexpr double kLevels = 255;

}  // namespace

at::Tensor normal_like(const at::Tensor& images, Rng& rng) {
  // libtorch's generator fills a tensor much faster than drawing number by number; on the CPU its bits follow
  // from the seed.
  const at::Generator generator =
      at::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(rng.index(std::int64_t{1} << 53)));
  return at::empty(images.sizes(), at::kFloat).normal_(0, 1, generator);
}

at::Tensor delivered(const at::Tensor& images, double black, Rng& noise) {
  const double level = (1 - black) / kLevels;
  const at::Tensor rounded = ((images - black) / level).round().clamp_min(0) * level + black;
  return rounded + level * normal_like(images, noise);
}

}  // namespace torsor
