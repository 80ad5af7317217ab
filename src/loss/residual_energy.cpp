#include "loss/residual_energy.h"

#include <torch/types.h>

#include "core/error.h"

namespace torsor {

namespace {

// K times the sum of a value of each of the K blocks.
template <class Value>
at::Tensor sum_over_blocks(const std::vector<at::Tensor>& residuals, Value value) {
  if (residuals.empty()) fail("the energy of residual blocks needs residuals; there are none");
  at::Tensor sum = value(residuals.front());
  for (std::size_t k = 1; k < residuals.size(); ++k) sum = sum + value(residuals[k]);
  return sum * static_cast<double>(residuals.size());
}

}  // namespace

at::Tensor residual_energy(const std::vector<at::Tensor>& residuals) {
  return sum_over_blocks(residuals, [](const at::Tensor& r) { return r.square().mean(); });
}

at::Tensor residual_energy_per_sample(const std::vector<at::Tensor>& residuals) {
  return sum_over_blocks(residuals, [](const at::Tensor& r) { return r.square().flatten(1).mean(1); });
}

}  // namespace torsor
