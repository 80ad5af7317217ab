// A few numbers that tell what an image is like: brightness, colour, texture at several scales, layout.
#pragma once

#include <string>
#include <vector>

#include "image/image.h"

namespace torsor {

/// Longest side of the picture that the features are taken from; larger images are averaged down to it.
inline constexpr std::int64_t kFeatureSide = 128;

struct ImageFeature {
  std::string name;
  double floor;  // differences between images below this say nothing
};

/// What image_features() returns, in its order.
const std::vector<ImageFeature>& image_feature_list();

/// Features of a u8 image with 1 or 3 channels (grey counts as three equal ones), in the order of the list.
/// Samples are taken in [0, 1]; Y = (R + G + B) / 3, P = R - G, Q = (R + G) / 2 - B:
///  - mean and standard deviation of Y, P and Q;
///  - at 1, 1/2, 1/4 and 1/8 of the size: detail_s = log(rms(H) + 1/255) with H = Y minus the mean of its 3x3
///    neighbourhood, and skew_s = mean(H |H|) / (mean(H^2) + 1/255^2), but no skew_8;
///  - lean_s = (mean |dx| - mean |dy|) / (mean |dx| + mean |dy| + 2/255) of Y at 1 and 1/4;
///  - flat: the part of neighbouring samples of Y that differ by less than 2.5/255;
///  - colour_edges = log of the mean |dx|, |dy| of P and Q, plus 1/255;
///  - top: mean Y of the upper half less that of the lower; centre: mean Y of the inner half less that of
///  all.
/// All of them are bounded and continuous, so that a damaged or odd image gives numbers too.
std::vector<double> image_features(const Image& image);

}  // namespace torsor
