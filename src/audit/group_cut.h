// Images cut in two by groups, and two sets of features with the groups of both.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/rng.h"
#include "metric/metrics.h"

namespace torsor {

/// Places of images, each part in ascending order.
struct GroupCut {
  std::vector<std::int64_t> first, second;
};

/// Two parts of about as many images each; no group has images in both. The groups are dealt out in an order
/// that is drawn, each to the part that has fewer images. Throws std::logic_error for fewer than two groups.
GroupCut cut_by_groups(const std::vector<std::int64_t>& groups, Rng& rng);

std::int64_t count_groups(const std::vector<std::int64_t>& groups);

/// Row i of `real` [N,d] and of `fake` [M,d] is of that group; one number is one group in both.
FeatureSets grouped_sets(const at::Tensor& real, const std::vector<std::int64_t>& groups_real,
                         const at::Tensor& fake, const std::vector<std::int64_t>& groups_fake);

}  // namespace torsor
