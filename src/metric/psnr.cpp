#include "metric/psnr.h"

#include <ATen/ATen.h>
#include <fmt/ostream.h>

#include <cmath>
#include <limits>

#include "core/error.h"

namespace torsor {

double psnr(const at::Tensor& x, const at::Tensor& y, double peak) {
  if (x.sizes() != y.sizes() || x.numel() == 0)
    fail("PSNR of {} and {}: the shapes must be equal and hold something", fmt::streamed(x.sizes()),
         fmt::streamed(y.sizes()));
  if (!(peak > 0)) fail("PSNR with a peak of {}: it must be more than 0", peak);
  const double error = (x.to(at::kDouble) - y.to(at::kDouble)).square().mean().item<double>();
  return error == 0 ? std::numeric_limits<double>::infinity() : 10 * std::log10(peak * peak / error);
}

double psnr_inside(const at::Tensor& x, const at::Tensor& y, double peak, const at::Tensor& mask) {
  if (mask.sizes() != x.sizes() || mask.scalar_type() != at::kBool)
    fail("PSNR inside a mask of {}: it must be of bools and shaped like the images, {}",
         fmt::streamed(mask.sizes()), fmt::streamed(x.sizes()));
  return psnr(x.masked_select(mask), y.masked_select(mask), peak);
}

}  // namespace torsor
