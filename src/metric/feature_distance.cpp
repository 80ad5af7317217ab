#include "metric/feature_distance.h"

#include <ATen/ATen.h>
#include <fmt/ostream.h>

#include "core/error.h"

namespace torsor {

FeatureDistances feature_distances(const at::Tensor& x_any, const at::Tensor& y_any) {
  if (x_any.dim() != 2 || x_any.sizes() != y_any.sizes())
    fail("distances of features {} and {}: expected two of one shape, images x numbers",
         fmt::streamed(x_any.sizes()), fmt::streamed(y_any.sizes()));
  const at::Tensor x = x_any.to(at::kDouble), y = y_any.to(at::kDouble);
  const at::Tensor xx = x.square().sum(1), yy = y.square().sum(1), apart = (x - y).square().sum(1);  // [N]
  const at::Tensor mean_square = (xx + yy) / 2;
  const at::Tensor relative = at::where(mean_square > 0, (apart / mean_square).sqrt(), at::zeros_like(apart));
  const at::Tensor lengths = (xx * yy).sqrt();
  const at::Tensor alike = at::where(lengths > 0, (x * y).sum(1) / lengths, (apart == 0).to(at::kDouble));
  return {relative, (1 - alike).clamp(0, 2)};
}

}  // namespace torsor
