#include "transport/plane_map.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"

namespace torsor {

namespace {

using at::Tensor;

Tensor flat(const Tensor& values) { return values.to(at::kCPU, at::kDouble).flatten(1); }  // [n,d]

std::vector<std::vector<double>> points_of(const Tensor& plane) {  // [n,2]
  std::vector<std::vector<double>> out;
  const auto at = plane.accessor<double, 2>();
  for (std::int64_t i = 0; i < plane.size(0); ++i) out.push_back({at[i][0], at[i][1]});
  return out;
}

struct Plane {
  Tensor centre, axes;  // [d], [d,2]
  double share = 1;
  Tensor of(const Tensor& values) const { return at::matmul(values - centre, axes).contiguous(); }
};

// The numbers themselves, a second one of 0 where there is one alone.
Plane plane_of_numbers(std::int64_t numbers) {
  return {at::zeros({numbers}, at::kDouble), at::eye(numbers, 2, at::kDouble), 1};
}

// By the Gram matrix, since there are fewer images than pixels.
Plane principal_plane(const Tensor& values) {
  const Tensor centre = values.mean(0), moved = values - centre;
  const auto [variances, vectors] = at::linalg_eigh(at::matmul(moved, moved.t()));  // ascending
  const std::int64_t n = variances.size(0);
  const Tensor largest = variances.narrow(0, n - 2, 2).flip(0).clamp_min(0);
  Tensor axes = at::matmul(moved.t(), vectors.narrow(1, n - 2, 2).flip(1));  // [d,2], as long as the spread
  axes = axes / axes.norm(2, 0, true).clamp_min(1e-300);
  // An eigenvector has no sign of its own: the larger side of its elements is the positive one.
  axes = axes * (axes.sum(0, true) < 0).to(at::kDouble).mul(-2).add(1);
  const double all = variances.clamp_min(0).sum().item<double>();
  return {centre, axes, all > 0 ? largest.sum().item<double>() / all : 1};
}

Series points_series(const std::string& label, const std::vector<std::vector<double>>& points) {
  Series out{label, {}, {}, Mark::points};
  for (const auto& point : points) {
    out.x.push_back(point[0]);
    out.y.push_back(point[1]);
  }
  return out;
}

}  // namespace

PlaneMap plane_map(const Tensor& inputs, const Tensor& outputs, const Tensor& targets) {
  const Tensor x = flat(inputs), made = flat(outputs), y = flat(targets);
  if (x.sizes() != made.sizes() || x.size(1) != y.size(1) || x.size(0) + y.size(0) < 3)
    fail(
        "a plane of {} inputs of {} numbers, {} outputs of {} and {} images of {}: expected equal ones, 3 or "
        "more",
        x.size(0), x.size(1), made.size(0), made.size(1), y.size(0), y.size(1));
  const Plane plane = x.size(1) <= 2 ? plane_of_numbers(x.size(1)) : principal_plane(at::cat({x, y}));
  return {points_of(plane.of(x)), points_of(plane.of(made)), points_of(plane.of(y)), plane.share};
}

LineChart plane_chart(const PlaneMap& map, const std::string& title, std::size_t arrows) {
  LineChart out;
  out.title = title;
  out.plot_height = 420;
  out.x.label = "first principal component";
  out.y.label = "second";
  const std::size_t shown = std::min(arrows, map.inputs.size());
  Series inputs =
      points_series("inputs", {map.inputs.begin(), map.inputs.begin() + static_cast<std::ptrdiff_t>(shown)});
  Series moved = inputs;
  moved.label = "to their translations";
  moved.mark = Mark::arrows;
  moved.colour = 1;
  for (std::size_t i = 0; i < shown; ++i) {
    moved.to_x.push_back(map.outputs[i][0]);
    moved.to_y.push_back(map.outputs[i][1]);
  }
  Series targets = points_series("real images of the target", map.targets);
  inputs.colour = 0;
  targets.colour = 2;
  out.series = {targets, inputs, moved};
  return out;
}

std::string plane_caption(const PlaneMap& map) {
  return fmt::format(
      "The plane of the first two principal components of the inputs and the real images of the target "
      "together; it "
      "shows {:.0f} % of their variance. Arrows that cross, or end away from the target's points, do so in "
      "this plane: "
      "in all dimensions they need not.",
      100 * map.share);
}

}  // namespace torsor
