// What a map of images does, seen in a plane: arrows from inputs to their translations.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "report/chart.h"

namespace torsor {

/// Coordinates in the plane of the first two principal components of the inputs and the real images of the
/// target together, each as {x, y}.
struct PlaneMap {
  std::vector<std::vector<double>> inputs, outputs, targets;
  double share = 0;  // of their variance that the plane shows
};

/// inputs, outputs: [n,...]; targets: [m,...], of equally many elements each, n + m of 3 or more. Of two
/// elements and fewer the plane is that of the numbers themselves (share 1). Computed in float64. Throws
/// Error for other shapes.
PlaneMap plane_map(const at::Tensor& inputs, const at::Tensor& outputs, const at::Tensor& targets);

/// Points of both domains, and an arrow from each of the first `arrows` inputs to its translation.
LineChart plane_chart(const PlaneMap& map, const std::string& title, std::size_t arrows = 60);

/// What the picture shows, for its caption.
std::string plane_caption(const PlaneMap& map);

}  // namespace torsor
