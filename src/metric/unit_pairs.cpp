#include "metric/unit_pairs.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace torsor {

namespace {

// sum over g != h of w_g w_h a_gh + sum over g of w_g a_gg, [U,U] and [B,U] -> [B].
at::Tensor weighted_sum(const at::Tensor& matrix, const at::Tensor& weights) {
  const at::Tensor inside = matrix.diagonal();
  const at::Tensor between = matrix - at::diag(inside);
  return (at::matmul(weights, between) * weights).sum(1) + at::matmul(weights, inside);
}

}  // namespace

at::Tensor weighted_mean(const UnitPairs& pairs, const at::Tensor& weights) {
  return weighted_sum(pairs.sums, weights) / weighted_sum(pairs.counts, weights);
}

void for_row_blocks(std::int64_t n, std::int64_t m,
                    const std::function<void(std::int64_t begin, std::int64_t count)>& rows) {
  constexpr std::int64_t kNumbers = std::int64_t{1} << 22;
  const std::int64_t block = std::clamp<std::int64_t>(kNumbers / std::max<std::int64_t>(1, m), 1, 4096);
  for (std::int64_t begin = 0; begin < n; begin += block) rows(begin, std::min(block, n - begin));
}

at::Tensor unit_sums(const at::Tensor& units_x, const at::Tensor& units_y, std::int64_t units,
                     const std::function<at::Tensor(std::int64_t begin, std::int64_t count)>& kernel) {
  at::Tensor sums = at::zeros({units, units}, at::kDouble);
  for_row_blocks(units_x.numel(), units_y.numel(), [&](std::int64_t begin, std::int64_t count) {
    const at::Tensor by_column =
        at::zeros({count, units}, at::kDouble).index_add_(1, units_y, kernel(begin, count));
    sums.index_add_(0, units_x.narrow(0, begin, count), by_column);
  });
  return sums;
}

}  // namespace torsor
