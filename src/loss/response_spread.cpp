#include "loss/response_spread.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>

namespace torsor {

namespace {

using at::Tensor;

// Of a range of 2: far above float32's rounding, and small for a network's curvature.
constexpr double kNudge = 0.1;
constexpr std::int64_t kBlocksASide = 8;
// An answer of a hundredth of the question counts as hardly any.
constexpr double kNoAnswer = 0.01;

// Their slope is 0 where the difference is.
Tensor norm_by_image(const Tensor& difference, int order) {
  return at::linalg_vector_norm(difference.flatten(1), order, {1});
}

}  // namespace

Tensor nudged(const Tensor& images, Rng& rng) {
  const std::int64_t height = images.size(2), width = images.size(3);
  const std::int64_t side = std::max<std::int64_t>(1, std::min(height, width) / kBlocksASide);
  Tensor change = at::zeros(images.sizes(), at::TensorOptions(at::kFloat));
  for (std::int64_t n = 0; n < images.size(0); ++n) {
    const std::int64_t top = rng.index(height - side + 1), left = rng.index(width - side + 1);
    Tensor block = at::empty({images.size(1), side, side}, at::TensorOptions(at::kFloat));
    float* const values = block.mutable_data_ptr<float>();
    std::generate_n(values, block.numel(), [&] { return rng.coin() ? 1.0F : -1.0F; });
    change[n].narrow(1, top, side).narrow(2, left, side).copy_(block);
  }
  return images + change.to(images.options()) * kNudge;
}

Tensor response_spread(const Tensor& x, const Tensor& x_nudged, const Tensor& y, const Tensor& y_nudged) {
  const Tensor d = y_nudged - y;
  const double samples = static_cast<double>(d.numel() / d.size(0));
  const Tensor asked = norm_by_image(x_nudged - x, 2);
  return norm_by_image(d, 1) / (std::sqrt(samples) * (norm_by_image(d, 2) + kNoAnswer * asked));
}

}  // namespace torsor
