#include "metric/two_sample.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "core/shuffle.h"

namespace torsor {

// With weights s = 1/n on x and -1/m on y the statistic is -s^T D s, D the distances.
TwoSampleResult energy_test(const at::Tensor& x, const at::Tensor& y, std::int64_t permutations, Rng& rng) {
  if (x.dim() != 2 || y.dim() != 2 || x.size(1) != y.size(1) || x.size(0) == 0 || y.size(0) == 0)
    fail("the energy test needs two samples [n,d] and [m,d] with rows in each");
  const at::Tensor all = at::cat({x, y}).to(at::kDouble);
  const at::Tensor distances = at::cdist(all, all);  // [n+m,n+m]
  const std::int64_t n = x.size(0), m = y.size(0);
  at::Tensor weights = at::empty({permutations + 1, n + m}, at::kDouble);
  weights.narrow(1, 0, n).fill_(1.0 / static_cast<double>(n));
  weights.narrow(1, n, m).fill_(-1.0 / static_cast<double>(m));
  for (std::int64_t k = 1; k <= permutations; ++k) shuffle(weights[k].data_ptr<double>(), n + m, rng);
  const at::Tensor statistics = -(at::matmul(weights, distances) * weights).sum(1);
  const double own = statistics[0].item<double>();
  // Equal splits give equal statistics up to rounding.
  const auto as_large = (statistics >= own - 1e-12).sum().item<std::int64_t>();
  return {own, static_cast<double>(as_large) / static_cast<double>(permutations + 1)};
}

}  // namespace torsor
