#include "audit/image_distances.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace torsor {

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
