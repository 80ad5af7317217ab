// Translations as they leave the program: rounded, and with the noise that a viewer does not see.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/rng.h"

namespace torsor {

/// Images [N,C,H,W] with black at `black` and white at 1, rounded to 256 levels from black to white, with
/// normal noise of one level. Samples beyond white, which percentile_95 has, keep their level.
at::Tensor delivered(const at::Tensor& images, double black, Rng& noise);

/// Standard normal numbers like `images`, from one draw of `rng`.
at::Tensor normal_like(const at::Tensor& images, Rng& rng);

}  // namespace torsor
