// Straight lines along the border of an image, as failed training leaves them (S1-E3).
#pragma once

#include <ATen/core/Tensor.h>

namespace torsor {

/// How much a straight line along one of its sides stands out in an image [C,H,W], 0 black and 1 white. The
/// mean luminance of each row and of each column is taken; the score is the largest jump between neighbours
/// within the outer 16th of any side, relative to the root mean square of the jumps further inside (plus
/// 0.01). Pictures have up to about 3, also with texture, since a mean along the whole side leaves straight
/// lines alone. 0 for an image with a side below 16.
double border_line_score(const at::Tensor& image);

}  // namespace torsor
