#include "audit/planted_changes.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "audit/symmetries.h"
#include "core/error.h"

namespace torsor {

namespace {

constexpr std::int64_t kHues[] = {5, 10, 15, 20, 30, 45, 60, 90};  // degrees
constexpr std::int64_t kPatches[] = {1, 2, 4, 8, 16};              // 32nds of the side
constexpr std::int64_t kPatchUnit = 32;
constexpr double kLesionRadii[] = {1.0 / 32, 1.0 / 16};  // of the side
constexpr double kContrasts[] = {0.1, 0.2, 0.4, 0.8};    // of the range from black to white
constexpr double kGains[] = {1.05, 1.1, 1.2, 1.4};

// Where in each image, as shares of the room that there is: [N,2] in [0,1).
at::Tensor drawn_places(std::int64_t count, Rng& rng) {
  at::Tensor out = at::empty({count, 2}, at::kDouble);
  for (std::int64_t i = 0; i < out.numel(); ++i) out.data_ptr<double>()[i] = rng.uniform();
  return out;
}

TensorMapping patch_copied(std::int64_t side, const at::Tensor& places) {
  return [side, places](const at::Tensor& x) {
    const at::Tensor other = at::roll(x, {std::max<std::int64_t>(1, x.size(0) / 2)}, {0});
    at::Tensor out = x.clone();
    for (std::int64_t i = 0; i < x.size(0); ++i) {
      const auto corner = [&](std::int64_t axis) {
        return static_cast<std::int64_t>(places[i][axis].item<double>() *
                                         static_cast<double>(x.size(2 + axis) - side + 1));
      };
      const auto square = [&](const at::Tensor& image) {
        return image.narrow(1, corner(0), side).narrow(2, corner(1), side);
      };
      square(out[i]).copy_(square(other[i]));
    }
    return out;
  };
}

// 1 inside the radius, falling to 0 over one more pixel: [N,1,H,W].
at::Tensor soft_discs(double radius, const at::Tensor& places, const at::Tensor& like) {
  const auto distance = [&](std::int64_t axis) {
    const std::int64_t side = like.size(2 + axis);
    const at::Tensor centre =
        radius + places.select(1, axis) * std::max(0.0, static_cast<double>(side) - 2 * radius);
    return (at::arange(side, at::kDouble).unsqueeze(0) + 0.5 - centre.unsqueeze(1)).square();
  };
  const at::Tensor apart = (distance(0).unsqueeze(2) + distance(1).unsqueeze(1)).sqrt();
  return (radius + 1 - apart).clamp(0, 1).unsqueeze(1).to(like.scalar_type());
}

TensorMapping spot_added(double radius, double contrast, const at::Tensor& places) {
  return [=](const at::Tensor& x) {
    return at::max(x, (x + contrast * soft_discs(radius, places, x)).clamp_max(1));
  };
}

TensorMapping brightened(double gain, double black) {
  return [=](const at::Tensor& x) { return at::max(x, ((x - black) * gain + black).clamp_max(1)); };
}

}  // namespace

std::vector<PlantedChange> planted_changes(const PlantedImages& images, Rng& rng) {
  std::vector<PlantedChange> out;
  if (images.channels == 3)
    for (const std::int64_t degrees : kHues)
      out.push_back({"hue", "a change of hue", "degrees", static_cast<double>(degrees),
                     hue_turned(static_cast<double>(degrees))});
  const at::Tensor places = drawn_places(images.count, rng);
  for (const std::int64_t share : kPatches) {
    const std::int64_t side = images.side * share / kPatchUnit;
    if (side < 1) continue;
    out.push_back({"patch", "a square taken from another image", "of the side",
                   static_cast<double>(side) / static_cast<double>(images.side), patch_copied(side, places)});
  }
  const double range = 1 - images.black;
  for (const double share : kLesionRadii) {
    const double radius = std::max(1.0, share * static_cast<double>(images.side));
    for (const double contrast : kContrasts)
      out.push_back({"lesion", fmt::format("a bright spot of radius {:.3g} pixels", radius),
                     "of the range from black to white", contrast,
                     spot_added(radius, contrast * range, places)});
  }
  for (const double gain : kGains)
    out.push_back({"gain", "a change of brightness", "times", gain, brightened(gain, images.black)});
  return out;
}

}  // namespace torsor
