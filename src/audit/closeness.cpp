#include "audit/closeness.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "audit/group_cut.h"
#include "metric/kernel_distance.h"

namespace torsor {

namespace {

constexpr std::int64_t kBlurSquare = 4;

Estimate closeness_kid(const FeatureSets& sets, const MetricOptions& options) {
  return Estimate::of(kernel_metric(sets, options).at("kid"));
}

}  // namespace

Json Closeness::json() const { return {{"kid", kid.json()}, {"blurred", blurred.json()}}; }

Closeness Closeness::from(const Json& json) {
  return {Estimate::from(json.at("kid")), Estimate::from(json.at("blurred"))};
}

at::Tensor blurred_images(const at::Tensor& images) {
  const at::Tensor x = images.to(at::kFloat);
  const std::int64_t side = std::min({kBlurSquare, x.size(2), x.size(3)});
  // What does not fill a square at the right and at the bottom is a square of its own.
  const at::Tensor coarse = at::avg_pool2d(x, side, side, 0, /*ceil_mode=*/true);
  return at::upsample_bilinear2d(coarse, {x.size(2), x.size(3)}, /*align_corners=*/false);
}

Closeness closeness(const AuditMaterial& material, const AuditImages& images, const at::Tensor& made,
                    Rng& rng) {
  const GroupCut cut = cut_by_groups(images.groups, rng);
  const AuditImages from = images.at(cut.first), others = images.at(cut.second);
  const at::Tensor half = made.index_select(0, at::tensor(cut.first, at::kLong));
  const MetricOptions options = material.options().metric();
  const at::Tensor real = material.features(others.values, images.domain);
  const auto against_real = [&](const at::Tensor& values) {
    return closeness_kid(
        grouped_sets(real, others.groups, material.features(values, images.domain), from.groups), options);
  };
  return {against_real(half), against_real(blurred_images(from.values))};
}

}  // namespace torsor
