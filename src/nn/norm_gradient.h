// A guard against a wrong gradient of libtorch's instance norm.
#pragma once

#include <ATen/core/Tensor.h>

namespace torsor {

/// How the gradient of an instance norm's output reaches libtorch. On a CPU libtorch 2.13 computes a wrong
/// gradient of the norm of one image of several channels from one whose channels are last in memory; of two
/// images, or of a gradient in planes, it is right. planes: it is brought to planes, [N,C,H,W] in memory.
/// as_it_comes: for comparisons with trainings that were recorded without such a guard.
enum class NormGradient { planes, as_it_comes };

/// `normed` [N,C,H,W], the output of an instance norm, with that gradient. Costs nothing where the gradient
/// is in planes already.
at::Tensor with_norm_gradient(const at::Tensor& normed, NormGradient gradient);

}  // namespace torsor
