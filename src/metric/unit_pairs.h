// Means over pairs of rows, for any weights of the units that the rows belong to.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace torsor {

/// Groups beyond so many are joined to units, as sums over pairs of units are U x U numbers.
constexpr std::int64_t kMostUnits = 1000;

/// Sums over the pairs of rows of each two units, and how many pairs those are; both [U,U] float64.
struct UnitPairs {
  at::Tensor sums, counts;
};

/// The mean over pairs where units are drawn as often as `weights` [B,U] say -> [B]. Pairs of different units
/// count w_g w_h times, those inside a unit w_g times: copies of a unit are not paired with each other, since
/// no two images of a sample are the same one. NaN where no pair is left.
at::Tensor weighted_mean(const UnitPairs& pairs, const at::Tensor& weights);

/// Sums over rows i and j of unit units_x[i], units_y[j]. `kernel(begin, count)` gives rows begin ... of the
/// [N,M] matrix that is summed, float64, and may be changed afterwards; at most 2^22 numbers at a time.
at::Tensor unit_sums(const at::Tensor& units_x, const at::Tensor& units_y, std::int64_t units,
                     const std::function<at::Tensor(std::int64_t begin, std::int64_t count)>& kernel);

/// Calls `rows(begin, count)` for blocks of the rows of an [N,M] matrix, of at most 2^22 numbers each.
void for_row_blocks(std::int64_t n, std::int64_t m,
                    const std::function<void(std::int64_t begin, std::int64_t count)>& rows);

}  // namespace torsor
