#include "transport/block_energy.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"

namespace torsor {

namespace {

bool of_one_shape(const std::vector<at::Tensor>& tensors) {
  return std::all_of(tensors.begin(), tensors.end(),
                     [&](const at::Tensor& t) { return t.sizes().equals(tensors.front().sizes()); });
}

at::Tensor length_of_rows(const at::Tensor& rows) { return rows.flatten(1).square().sum(1).sqrt(); }

}  // namespace

at::Tensor BlockEnergy::energy() const { return blocks.sum(1); }

std::vector<double> BlockEnergy::shares() const {
  const at::Tensor means = blocks.mean(0), total = means.sum();
  const auto count = means.numel();
  const at::Tensor shares = total.item<double>() > 0
                                ? means / total
                                : at::full({count}, 1.0 / static_cast<double>(count), at::kDouble);
  return {shares.data_ptr<double>(), shares.data_ptr<double>() + count};
}

BlockEnergy block_energy(const std::vector<at::Tensor>& residuals) {
  if (residuals.empty()) fail("the energy of residual blocks needs residuals; there are none");
  const at::NoGradGuard no_grad;
  const auto count = static_cast<double>(residuals.size());
  std::vector<at::Tensor> energies;
  for (const at::Tensor& r : residuals)
    energies.push_back(count * r.to(at::kCPU, at::kDouble).flatten(1).square().mean(1));
  BlockEnergy out{at::stack(energies, 1), {}};
  if (!of_one_shape(residuals)) return out;
  at::Tensor sum, length;
  for (const at::Tensor& r : residuals) {
    const at::Tensor step = r.to(at::kCPU, at::kDouble);
    sum = sum.defined() ? sum + step : step;
    length = length.defined() ? length + length_of_rows(step) : length_of_rows(step);
  }
  // Rounding may leave a little more than 1.
  out.straightness = at::where(length > 0, length_of_rows(sum) / length, at::ones_like(length)).clamp_max(1);
  return out;
}

BlockEnergy joined(const std::vector<BlockEnergy>& batches) {
  std::vector<at::Tensor> blocks, straightness;
  for (const BlockEnergy& batch : batches) {
    blocks.push_back(batch.blocks);
    if (batch.straightness.defined()) straightness.push_back(batch.straightness);
  }
  return {at::cat(blocks), straightness.empty() ? at::Tensor() : at::cat(straightness)};
}

}  // namespace torsor
