#include "theory/planar_sets.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>
#include <stdexcept>

namespace torsor {

namespace {

struct Point {
  double x = 0, y = 0;
};

Point moon(Rng& rng) {
  const double angle = rng.uniform(0, std::numbers::pi);
  const double x = std::cos(angle) + 0.08 * rng.normal(), y = std::sin(angle) + 0.08 * rng.normal();
  // The second half circle hangs from the middle of the first.
  const bool upper = rng.uniform() < 0.5;
  return {1.2 * (upper ? x - 0.5 : 0.5 - x), 2 * (upper ? y - 0.25 : 0.25 - y)};
}

Point ring(Rng& rng) {
  const double angle = rng.uniform(0, 2 * std::numbers::pi), radius = 1.4 + 0.1 * rng.normal();
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

Point checker(Rng& rng) {
  const std::int64_t column = rng.index(4), row = 2 * rng.index(2) + column % 2;
  return {0.8 * (static_cast<double>(column) - 2 + rng.uniform()),
          0.8 * (static_cast<double>(row) - 2 + rng.uniform())};
}

Point normal(Rng& rng) {
  const double x = rng.normal();
  return {x, rng.normal()};
}

struct PlanarSet {
  std::string name;
  Point (*draw)(Rng&);
};
const std::vector<PlanarSet>& planar_sets() {
  static const std::vector<PlanarSet> sets = {
      {"moons", moon}, {"ring", ring}, {"checkerboard", checker}, {"normal", normal}};
  return sets;
}

}  // namespace

const std::vector<std::string>& planar_set_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const PlanarSet& set : planar_sets()) out.push_back(set.name);
    return out;
  }();
  return names;
}

at::Tensor planar_points(const std::string& set, std::int64_t count, Rng& rng) {
  for (const PlanarSet& one : planar_sets()) {
    if (one.name != set) continue;
    at::Tensor out = at::empty({count, 2}, at::kDouble);
    auto* values = out.data_ptr<double>();
    for (std::int64_t i = 0; i < count; ++i) {
      const Point p = one.draw(rng);
      values[2 * i] = p.x;
      values[2 * i + 1] = p.y;
    }
    return out;
  }
  throw std::logic_error("no planar set " + set);
}

}  // namespace torsor
