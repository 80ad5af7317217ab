#include "metric/pixel_error.h"

#include <ATen/ATen.h>

#include "metric/psnr.h"

namespace torsor {

namespace {

// real - fake where it counts, flat.
at::Tensor errors(const ImagePair& pair) {
  check_pair(pair);
  const at::Tensor difference = pair.real - pair.fake;
  return pair.mask.defined() ? difference.masked_select(pair.mask) : difference;
}

}  // namespace

double mean_absolute_error(const ImagePair& pair) { return errors(pair).abs().mean().item<double>(); }

double root_mean_squared_error(const ImagePair& pair) {
  return errors(pair).square().mean().sqrt().item<double>();
}

double peak_signal_to_noise(const ImagePair& pair) {
  check_pair(pair);
  return pair.mask.defined() ? psnr_inside(pair.real, pair.fake, pair.range, pair.mask.expand_as(pair.real))
                             : psnr(pair.real, pair.fake, pair.range);
}

}  // namespace torsor
