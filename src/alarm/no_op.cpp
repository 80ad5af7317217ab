#include <ATen/ATen.h>
#include <fmt/format.h>

#include "alarm/image_statistics.h"
#include "alarm/looks.h"

namespace torsor {

namespace {

// The image is looked at in 8 x 8 parts, so that a change of something small (glasses, a lesion) counts as
// one.
constexpr std::int64_t kParts = 8;
// Ten grey levels, in the part that changes most: a network that copies is off by a few at edges.
constexpr double kLeastChange = 0.04;

double largest_change(const at::Tensor& input, const at::Tensor& output) {
  const at::Tensor change = (input - output).abs().mean(0, /*keepdim=*/true).unsqueeze(0);  // [1,1,H,W]
  return at::adaptive_avg_pool2d(change, {kParts, kParts}).max().item<double>();
}

}  // namespace

std::optional<AlarmFinding> look_for_no_op(const Evidence& evidence) {
  std::vector<double> changes;
  for (std::size_t i = 0; i < evidence.inputs.size(); ++i) {
    if (evidence.inputs[i].sizes() != evidence.outputs[i].sizes()) return std::nullopt;  // other channels
    changes.push_back(largest_change(evidence.inputs[i], evidence.outputs[i]));
  }
  if (changes.empty()) return std::nullopt;
  const double change = median(changes);
  if (change >= kLeastChange) return std::nullopt;
  return AlarmFinding{
      fmt::format("translations equal their inputs: where they change most it is by {:.1f} of 255 grey "
                  "levels (below {:g})",
                  255 * change, 255 * kLeastChange),
      change, kLeastChange};
}

}  // namespace torsor
