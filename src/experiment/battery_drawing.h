// What the images of the battery's tasks are drawn of.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/rng.h"

namespace torsor {

/// A colour of chroma 0.7 about grey in [-1,1], [3]; hue in radians, 0 red, 2 pi / 3 green.
at::Tensor battery_colour(double hue);

/// The rotation of hues by `angle` about the grey axis, or the reflection that keeps red: [3,3].
at::Tensor hue_rotation(double angle);
at::Tensor hue_reflection();

/// One channel to another by a matrix [C,C]: [N,C,H,W] to the same.
at::Tensor mixed_channels(const at::Tensor& images, const at::Tensor& matrix);

enum class Lighting { from_above, from_left };

/// Discs at random places, of these hues, on a grey ground: [hues,3,side,side].
at::Tensor discs(const std::vector<double>& hues, Lighting lighting, std::int64_t side, Rng& rng);

/// Outlines of three shapes that no turn or flip makes of each other: [3,side,side] of 0 and 1.
at::Tensor shape_masks(std::int64_t side);

/// Grey images that show one shape each, at this strength in (0,1] over the ground: [n,1,side,side].
at::Tensor shapes(const std::vector<std::int64_t>& classes, const std::vector<double>& strengths,
                  std::int64_t side);

/// What such images show: class [N] int64 and strength [N] float32, by correlation with the outlines.
struct SeenShapes {
  at::Tensor classes, strengths;
};
SeenShapes seen_shapes(const at::Tensor& images);

/// Smooth random fields of mean zero, symmetric in distribution: [n,1,side,side].
at::Tensor random_fields(std::int64_t n, std::int64_t side, Rng& rng);

/// Waves along x with random phase over a ground with a random height: [n,1,side,side].
at::Tensor periodic_waves(std::int64_t n, std::int64_t side, Rng& rng);

/// Phantom slices (data/phantom.h) from -1 to 0.5, with a white spot in this share of them.
at::Tensor phantoms(std::int64_t n, double spots, std::int64_t side, Rng& rng);

/// Diagonal stripes of -1 and 1, smoothed: [1,1,side,side].
at::Tensor diagonal_stripes(std::int64_t side);

}  // namespace torsor
