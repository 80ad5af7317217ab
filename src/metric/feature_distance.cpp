#include "metric/feature_distance.h"

#include <ATen/ATen.h>
#include <fmt/ostream.h>

#include "core/error.h"

namespace torsor {

at::Tensor feature_distances(const at::Tensor& real, const at::Tensor& fake) {
  if (real.dim() != 2 || real.sizes() != fake.sizes())
    fail("the features of pairs are [N,d] twice, not {} and {}", fmt::streamed(real.sizes()),
         fmt::streamed(fake.sizes()));
  return (real.to(at::kDouble) - fake.to(at::kDouble)).square().sum(1).sqrt();
}

}  // namespace torsor
