#include "transport/pair_costs.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"

namespace torsor {

namespace {

// |x|^2 + |y|^2 - 2 x.y loses as many digits as the cost is smaller than the norms; below this share of them
// it is computed from the differences.
constexpr double kCancelled = 1e-6;

at::Tensor rows_from(const at::Tensor& images, std::int64_t begin, std::int64_t count,
                     const at::Tensor& centre) {
  return images.narrow(0, begin, count).to(at::kDouble) - centre;
}

// Sums over coordinates of x [p,d] and y [q,d].
at::Tensor squared_sums(const at::Tensor& x, const at::Tensor& y) {
  const at::Tensor norms = x.square().sum(1).unsqueeze(1) + y.square().sum(1).unsqueeze(0);
  at::Tensor out = norms - 2 * at::matmul(x, y.t());
  const at::Tensor cancelled = out <= kCancelled * norms;
  const at::Tensor places = cancelled.nonzero();  // [count,2]
  const auto place = places.accessor<std::int64_t, 2>();
  auto value = out.accessor<double, 2>();
  for (std::int64_t k = 0; k < places.size(0); ++k) {
    const std::int64_t i = place[k][0], j = place[k][1];
    value[i][j] = (x[i] - y[j]).square().sum().item<double>();
  }
  return out;
}

at::Tensor block_of_costs(const at::Tensor& x, const at::Tensor& y, const CostOptions& options) {
  if (options.cost == "squared") return squared_sums(x, y);
  if (options.cost == "absolute") return at::cdist(x, y, 1);
  std::vector<at::Tensor> rows;
  for (std::int64_t i = 0; i < x.size(0); ++i)
    rows.push_back((y - x[i]).abs_().pow_(options.cost_power).sum(1));
  return at::stack(rows);
}

}  // namespace

std::vector<std::string> cost_names() { return {"squared", "absolute", "power"}; }

void CostOptions::describe(OptionSet& o) {
  o.add("cost", cost,
        "what moving an image costs: the mean over its numbers of |x - y|^2, of |x - y|, or of |x - y|^POWER")
      .choices(cost_names())
      .common();
  o.add("cost_power", cost_power, "POWER of --cost power: above 1, where the cost is strictly convex")
      .range(1, 16)
      .above(1);
}

std::string CostOptions::text() const {
  if (cost == "squared") return "the mean of (x - y)^2 over all numbers of an image";
  if (cost == "absolute") return "the mean of |x - y| over all numbers of an image";
  return fmt::format("the mean of |x - y|^{:g} over all numbers of an image", cost_power);
}

at::Tensor pair_costs(const at::Tensor& x, const at::Tensor& y, const CostOptions& options,
                      std::int64_t block_numbers) {
  const at::NoGradGuard no_grad;
  const at::Tensor from = x.flatten(1), to = y.flatten(1);
  const std::int64_t n = from.size(0), m = to.size(0), d = from.size(1);
  if (to.size(1) != d) fail("costs compare images of one shape; these have {} and {} numbers", d, to.size(1));
  if (d == 0) fail("costs compare images; these have no pixels");
  const std::int64_t block = std::max<std::int64_t>(1, block_numbers / d);
  // Costs do not change when all points move; norms, which rounding is relative to, are least at the mean.
  const at::Tensor centre = from.narrow(0, 0, std::min(n, block)).to(at::kDouble).mean(0);
  at::Tensor out = at::empty({n, m}, at::kDouble);
  for (std::int64_t i = 0; i < n; i += block) {
    const at::Tensor some = rows_from(from, i, std::min(block, n - i), centre);
    for (std::int64_t j = 0; j < m; j += block) {
      const at::Tensor others = rows_from(to, j, std::min(block, m - j), centre);
      out.narrow(0, i, some.size(0))
          .narrow(1, j, others.size(0))
          .copy_(block_of_costs(some, others, options));
    }
  }
  return out / static_cast<double>(d);
}

}  // namespace torsor
