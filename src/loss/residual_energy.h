// What a generator's residual blocks move: the cost of its path, as a loss.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace torsor {

/// K (mean r_1^2 + ... + mean r_K^2), means over all elements, of the residuals r_k [N,...] of K blocks
/// x_{k+1} = x_k + r_k: the integral of |v|^2 along a flow with steps of 1/K whose speed is v = K r_k
/// (Benamou and Brenier, Numerische Mathematik 84, 2000; S2-Q4, S2-Q6). A scalar, 0 or more, with gradients.
/// Throws Error where there is no residual.
at::Tensor residual_energy(const std::vector<at::Tensor>& residuals);

/// The same by sample: [N]; its mean is residual_energy() but for rounding.
at::Tensor residual_energy_per_sample(const std::vector<at::Tensor>& residuals);

}  // namespace torsor
