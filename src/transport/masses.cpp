#include "transport/masses.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace torsor {

namespace {

constexpr std::int64_t kWhole = std::int64_t{1} << 50;

bool all_alike(const std::vector<double>& masses) {
  return std::all_of(masses.begin(), masses.end(), [&](double mass) { return mass == masses.front(); });
}

// Whole numbers that sum to kWhole.
std::vector<std::int64_t> parts_of_whole(const std::vector<double>& masses) {
  std::vector<std::int64_t> out;
  std::vector<double> left;
  for (const double mass : masses) {
    const double exact = mass * static_cast<double>(kWhole);
    out.push_back(static_cast<std::int64_t>(std::floor(exact)));
    left.push_back(exact - std::floor(exact));
  }
  std::vector<std::size_t> order(masses.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t i, std::size_t k) { return left[i] > left[k]; });
  std::int64_t missing = kWhole - std::accumulate(out.begin(), out.end(), std::int64_t{0});
  // Rounding of the sum to 1 may leave more than one for each, or too many.
  for (std::size_t k = 0; missing != 0; k = (k + 1) % order.size()) {
    std::int64_t& part = out[order[k]];
    if (missing < 0 && part == 0) continue;
    part += missing > 0 ? 1 : -1;
    missing += missing > 0 ? -1 : 1;
  }
  return out;
}

}  // namespace

std::vector<double> checked_masses(const std::vector<double>& masses, std::int64_t count,
                                   const std::string& what) {
  if (masses.empty())
    return std::vector<double>(static_cast<std::size_t>(count), 1.0 / static_cast<double>(count));
  if (std::ssize(masses) != count)
    fail("optimal transport: {} masses for {} {}; there must be one for each", masses.size(), count, what);
  const double most = *std::max_element(masses.begin(), masses.end());
  for (const double mass : masses)
    if (!(mass >= 0) || !std::isfinite(mass))
      fail("optimal transport: the masses of the {} must be finite and not negative, one is {}", what, mass);
  if (most == 0) fail("optimal transport: all masses of the {} are 0", what);
  std::vector<double> out;
  for (const double mass : masses) out.push_back(mass / most);
  const double sum = std::accumulate(out.begin(), out.end(), 0.0);
  for (double& mass : out) mass /= sum;
  return out;
}

WholeMasses whole_masses(const std::vector<double>& rows, const std::vector<double>& columns) {
  if (all_alike(rows) && all_alike(columns)) {
    const std::int64_t n = std::ssize(rows), m = std::ssize(columns), shared = std::gcd(n, m);
    return {std::vector<std::int64_t>(rows.size(), m / shared),
            std::vector<std::int64_t>(columns.size(), n / shared)};
  }
  return {parts_of_whole(rows), parts_of_whole(columns)};
}

}  // namespace torsor
