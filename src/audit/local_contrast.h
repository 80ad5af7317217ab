// Compact bright and dark spots in images, where nobody has drawn them.
#pragma once

#include <ATen/core/Tensor.h>

namespace torsor {

/// The strongest spots of N images, float64 [N] each, both positive where there is one.
struct LocalContrast {
  at::Tensor bright;  // the largest (mean of a square patch) - (mean of its surround)
  at::Tensor dark;    // the largest of the negative
};

/// unit [N,C,H,W] in 0 ... 1, grey by the mean of the channels. Patches are a sixteenth, an eighth and a
/// quarter of the shorter side wide (at least 2 pixels), at every position; the surround is the square three
/// times as wide around the patch, less the patch. Borders are continued with their last pixels.
LocalContrast local_contrast(const at::Tensor& unit);

}  // namespace torsor
