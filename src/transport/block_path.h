// What a generator's residual blocks do to an image, one after the other, made visible.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "nn/network.h"

namespace torsor {

/// [N,C,H,W] -> K+1 images [N,C',H,W]: what the layers behind a generator's K residual blocks make of the
/// state before the first block and after each of them; the last is the generator's output. Computed by
/// libtorch, without gradients. Of a flow the states themselves, after each of its K steps. Throws Error for
/// a generator that is not a list of layers whose blocks follow one another, such as a U-Net.
std::vector<at::Tensor> decoded_after_blocks(Generator& generator, const at::Tensor& x);

}  // namespace torsor
