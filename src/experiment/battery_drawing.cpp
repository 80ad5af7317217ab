#include "experiment/battery_drawing.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "data/phantom.h"
#include "data/tensor_image.h"

namespace torsor {

namespace {

constexpr double kChroma = 0.7;
constexpr double kGround = -0.8;  // of shapes
constexpr double kSpotRadius = 0.07, kSpot = 1.0, kBrightestTissue = 0.5;

// Pixel centres in [0,1]: along x [side], along y [side,1].
at::Tensor along_x(std::int64_t side) {
  return (at::arange(side, at::kFloat) + 0.5) / static_cast<double>(side);
}
at::Tensor along_y(std::int64_t side) { return along_x(side).unsqueeze(1); }

// 1 inside of a disc, 0 outside, with a soft edge of a pixel: [side,side].
at::Tensor disc(double x, double y, double radius, std::int64_t side) {
  const at::Tensor distance = ((along_x(side) - x).square() + (along_y(side) - y).square()).sqrt();
  return at::clamp((radius - distance) * static_cast<double>(side) + 0.5, 0, 1);
}

at::Tensor box(double left, double top, double right, double bottom, std::int64_t side) {
  const at::Tensor x = along_x(side), y = along_y(side);
  return (at::logical_and(x >= left, x < right).to(at::kFloat) *
          at::logical_and(y >= top, y < bottom).to(at::kFloat));
}

at::Tensor hue_axes() {  // [2,3], orthonormal and orthogonal to grey; the first is red
  return at::tensor({2 / std::sqrt(6.0), -1 / std::sqrt(6.0), -1 / std::sqrt(6.0), 0.0, 1 / std::sqrt(2.0),
                     -1 / std::sqrt(2.0)},
                    at::kFloat)
      .view({2, 3});
}

}  // namespace

at::Tensor battery_colour(double hue) {
  const at::Tensor axes = hue_axes();
  return kChroma * (std::cos(hue) * axes[0] + std::sin(hue) * axes[1]);
}

at::Tensor hue_rotation(double angle) {
  const at::Tensor u = hue_axes()[0], v = hue_axes()[1], grey = at::full({3}, 1 / std::sqrt(3.0));
  return at::outer(grey, grey) + std::cos(angle) * (at::outer(u, u) + at::outer(v, v)) +
         std::sin(angle) * (at::outer(v, u) - at::outer(u, v));
}

at::Tensor hue_reflection() {
  const at::Tensor u = hue_axes()[0], v = hue_axes()[1], grey = at::full({3}, 1 / std::sqrt(3.0));
  return at::outer(grey, grey) + at::outer(u, u) - at::outer(v, v);
}

at::Tensor mixed_channels(const at::Tensor& images, const at::Tensor& matrix) {
  return at::einsum("ij,njhw->nihw", {matrix.to(images.scalar_type()), images});
}

at::Tensor discs(const std::vector<double>& hues, Lighting lighting, std::int64_t side, Rng& rng) {
  std::vector<at::Tensor> out;
  for (const double hue : hues) {
    const double level = rng.uniform(-0.4, 0.2), slope = rng.uniform(0.2, 0.5);
    const at::Tensor along = lighting == Lighting::from_above ? along_y(side).expand({side, side})
                                                              : along_x(side).expand({side, side});
    const at::Tensor ground = (level + slope * (0.5 - along)).expand({3, side, side});
    const double x = rng.uniform(0.3, 0.7), y = rng.uniform(0.3, 0.7);
    const at::Tensor inside = disc(x, y, rng.uniform(0.16, 0.24), side);
    out.push_back(ground * (1 - inside) + battery_colour(hue).view({3, 1, 1}) * inside);
  }
  return at::stack(out);
}

at::Tensor shape_masks(std::int64_t side) {
  const at::Tensor ring = disc(0.5, 0.5, 0.34, side) - disc(0.5, 0.5, 0.2, side);
  const at::Tensor cross = at::maximum(box(0.42, 0.12, 0.58, 0.88, side), box(0.12, 0.42, 0.88, 0.58, side));
  const at::Tensor corner = at::maximum(box(0.15, 0.15, 0.35, 0.85, side), box(0.15, 0.68, 0.85, 0.85, side));
  return at::stack({ring, cross, corner});
}

at::Tensor shapes(const std::vector<std::int64_t>& classes, const std::vector<double>& strengths,
                  std::int64_t side) {
  const at::Tensor masks = shape_masks(side);
  std::vector<at::Tensor> out;
  for (std::size_t i = 0; i < classes.size(); ++i)
    out.push_back(kGround + 1.8 * strengths[i] * masks[classes[i]].unsqueeze(0));
  return at::stack(out);
}

SeenShapes seen_shapes(const at::Tensor& images) {
  const std::int64_t side = images.size(3);
  const at::Tensor masks = shape_masks(side).flatten(1);                       // [3,P]
  const at::Tensor centred = masks - masks.mean(1, /*keepdim=*/true);          // [3,P]
  const at::Tensor rows = (images.to(at::kFloat).flatten(1) - kGround) / 1.8;  // [N,P]
  const at::Tensor alike = at::matmul(rows, (centred / centred.norm(2, 1, true)).t());
  const at::Tensor classes = alike.argmax(1);
  const at::Tensor chosen = masks.index_select(0, classes);
  return {classes, (rows * chosen).sum(1) / chosen.square().sum(1)};
}

at::Tensor random_fields(std::int64_t n, std::int64_t side, Rng& rng) {
  const at::Tensor x = 2 * std::numbers::pi * along_x(side), y = 2 * std::numbers::pi * along_y(side);
  std::vector<at::Tensor> out;
  for (std::int64_t i = 0; i < n; ++i) {
    at::Tensor sum = at::zeros({side, side});
    for (int kx = 0; kx < 3; ++kx)
      for (int ky = 0; ky < 3; ++ky)
        sum += 0.15 * (rng.normal() * at::cos(kx * x + ky * y) + rng.normal() * at::sin(kx * x - ky * y));
    out.push_back(at::tanh(sum).unsqueeze(0));
  }
  return at::stack(out);
}

at::Tensor periodic_waves(std::int64_t n, std::int64_t side, Rng& rng) {
  std::vector<at::Tensor> out;
  for (std::int64_t i = 0; i < n; ++i) {
    const double phase = rng.uniform(0, 2 * std::numbers::pi), height = rng.uniform(0.3, 0.7);
    const at::Tensor wave = at::sin(2 * std::numbers::pi * along_x(side) + phase).expand({side, side});
    out.push_back((0.7 * wave * (along_y(side) < height).to(at::kFloat) - 0.1).unsqueeze(0));
  }
  return at::stack(out);
}

at::Tensor phantoms(std::int64_t n, double spots, std::int64_t side, Rng& rng) {
  const auto seed = static_cast<std::uint64_t>(rng.index(std::int64_t{1} << 40));
  std::vector<at::Tensor> out;
  for (std::int64_t i = 0; i < n; ++i) {
    const Image slice = render_phantom(Domain::a, phantom_truth(Domain::a, Split::train, seed, i), side);
    at::Tensor values = (to_tensor(slice, {}) + 1) * ((kBrightestTissue + 1) / 2) - 1;  // [1,side,side]
    const double x = rng.uniform(0.35, 0.65), y = rng.uniform(0.35, 0.65);
    if (rng.coin(spots)) {
      const at::Tensor inside = disc(x, y, kSpotRadius, side);
      values = values * (1 - inside) + kSpot * inside;
    }
    out.push_back(values);
  }
  return at::stack(out);
}

at::Tensor diagonal_stripes(std::int64_t side) {
  return at::sin(2 * std::numbers::pi * 4 * (along_x(side) + along_y(side))).view({1, 1, side, side});
}

}  // namespace torsor
