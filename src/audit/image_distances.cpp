#include "audit/image_distances.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <stdexcept>

#include "core/error.h"

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

MeanDistances unrelated_distances(const at::Tensor& images, const std::vector<std::int64_t>& groups,
                                  std::int64_t partners, Rng& rng) {
  const std::int64_t n = images.size(0);
  std::vector<std::int64_t> from, to;
  for (std::int64_t i = 0; i < n; ++i) {
    std::vector<std::int64_t> others;
    for (std::int64_t k = 0; k < n; ++k)
      if (groups[static_cast<std::size_t>(k)] != groups[static_cast<std::size_t>(i)]) others.push_back(k);
    for (std::int64_t p = 0; p < partners && !others.empty(); ++p) {
      from.push_back(i);
      to.push_back(others[static_cast<std::size_t>(rng.index(std::ssize(others)))]);
    }
  }
  if (from.empty())
    fail(
        "all {} images are of one group (--groups), or there is one alone: no two of them are unrelated; an "
        "audit needs images of several patients, clips or originals",
        n);
  const ImageDistances all = image_distances(images.index_select(0, at::tensor(from, at::kLong)),
                                             images.index_select(0, at::tensor(to, at::kLong)));
  return {all.whole.mean().item<double>(), all.worst.mean().item<double>()};
}

}  // namespace torsor
