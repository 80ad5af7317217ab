#include "data/image_distances.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace torsor {

namespace {

constexpr std::int64_t kPatchesPerSide = 8, kLeastPatch = 4;
constexpr std::int64_t kDistanceBatch = 32;  // images: bounds the memory of float64 differences

// The means over square patches of |x - y|: [N,h,w].
at::Tensor patch_means(const at::Tensor& difference) {  // [N,C,H,W]
  const std::int64_t shorter = std::min(difference.size(2), difference.size(3));
  const std::int64_t side = std::min(shorter, std::max(kLeastPatch, shorter / kPatchesPerSide));
  const std::int64_t stride = std::max<std::int64_t>(1, side / 2);
  return at::avg_pool2d(difference.mean(1, /*keepdim=*/true), side, stride).squeeze(1);
}

}  // namespace

ImageDistances image_distances(const at::Tensor& x, const at::Tensor& y) {
  const at::NoGradGuard no_grad;
  if (!x.sizes().equals(y.sizes()) || x.dim() != 4)
    throw std::logic_error("distances are of images of one shape [N,C,H,W]");
  std::vector<at::Tensor> whole, worst;
  for (std::int64_t begin = 0; begin < x.size(0); begin += kDistanceBatch) {
    const std::int64_t count = std::min(kDistanceBatch, x.size(0) - begin);
    const at::Tensor difference =
        (x.narrow(0, begin, count).to(at::kDouble) - y.narrow(0, begin, count).to(at::kDouble)).abs();
    whole.push_back(difference.mean({1, 2, 3}));
    worst.push_back(patch_means(difference).flatten(1).amax(1));
  }
  return {at::cat(whole), at::cat(worst)};
}

at::Tensor worst_patches(const at::Tensor& maps) {
  const at::NoGradGuard no_grad;
  return patch_means(maps.to(at::kDouble).unsqueeze(1)).flatten(1).amax(1);
}

}  // namespace torsor
