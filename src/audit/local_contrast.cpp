#include "audit/local_contrast.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <set>

namespace torsor {

namespace {

constexpr std::int64_t kContrastBatch = 8;  // images: bounds the memory of sums in float64
constexpr std::int64_t kLeastSpot = 2;      // pixels

std::set<std::int64_t> spot_sides(std::int64_t shorter) {
  std::set<std::int64_t> out;
  for (const std::int64_t part : {16, 8, 4})
    out.insert(std::min(shorter, std::max(kLeastSpot, shorter / part)));
  return out;
}

// Means over all squares of `side`, by sums over rectangles from the corner: [n,H,W] ->
// [n,H-side+1,W-side+1].
at::Tensor square_means(const at::Tensor& grey, std::int64_t side) {
  const at::Tensor sums = at::constant_pad_nd(grey.cumsum(1).cumsum(2), {1, 0, 1, 0}, 0);
  const std::int64_t h = grey.size(1) - side + 1, w = grey.size(2) - side + 1;
  const auto from = [&](std::int64_t y, std::int64_t x) { return sums.narrow(1, y, h).narrow(2, x, w); };
  return (from(side, side) - from(0, side) - from(side, 0) + from(0, 0)) / static_cast<double>(side * side);
}

// Patch less surround at every position: [n,H,W] -> [n,H-side+1,W-side+1].
at::Tensor contrast_map(const at::Tensor& grey, std::int64_t side) {
  const at::Tensor padded = at::replication_pad2d(grey.unsqueeze(1), {side, side, side, side}).squeeze(1);
  const at::Tensor patch = square_means(grey, side), whole = square_means(padded, 3 * side);
  return patch - (9 * whole - patch) / 8;
}

}  // namespace

LocalContrast local_contrast(const at::Tensor& unit) {
  std::vector<at::Tensor> bright, dark;
  const std::set<std::int64_t> sides = spot_sides(std::min(unit.size(2), unit.size(3)));
  for (const at::Tensor& batch : unit.split(kContrastBatch)) {
    const at::Tensor grey = batch.to(at::kDouble).mean(1);
    std::vector<at::Tensor> most, least;
    for (const std::int64_t side : sides) {
      const at::Tensor map = contrast_map(grey, side).flatten(1);
      most.push_back(map.amax(1));
      least.push_back(-map.amin(1));
    }
    bright.push_back(at::stack(most).amax(0));
    dark.push_back(at::stack(least).amax(0));
  }
  return {at::cat(bright), at::cat(dark)};
}

}  // namespace torsor
