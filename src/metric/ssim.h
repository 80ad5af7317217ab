// Structural similarity of a pair of images.
#pragma once

#include "metric/image_pair.h"

namespace torsor {

/// uniform: 7x7 means, covariances times 49/48 (the default of scikit-image). gaussian: 11 taps, sigma 1.5,
/// covariances E[xy] - E[x]E[y] (Wang, Bovik, Sheikh and Simoncelli, "Image Quality Assessment: From Error
/// Visibility to Structural Similarity", IEEE Transactions on Image Processing 13, 2004, whose images are not
/// first made smaller here).
enum class SsimWindow { uniform, gaussian };

/// The mean of SSIM over positions where the window fits, C1 = (0.01 range)^2 and C2 = (0.03 range)^2, each
/// channel on its own and then their mean. With a mask: over those positions whose centre lies in it; the
/// window around a centre may reach out. Throws Error naming the pair when the window does not fit, or
/// nowhere in the mask.
double ssim(const ImagePair& pair, SsimWindow window);

/// Multi-scale SSIM (Wang, Simoncelli and Bovik, Asilomar 2003): five scales, weights 0.0448 0.2856 0.3001
/// 0.2363 0.1333, gaussian windows of `taps` taps (odd, sigma 1.5). For each channel the product of max(mean
/// contrast and structure, 0)^weight over scales 1 to 4 and max(mean SSIM, 0)^weight at scale 5; then the
/// mean of the channels. From scale to scale means of 2x2 pixels, a zero added on both sides of an odd side,
/// and counted, as pytorch-msssim does. A mask is reduced likewise: a pixel is inside where half of it or
/// more is. Throws Error naming the pair when a side is not longer than 16 (taps - 1), 160 pixels for 11
/// taps, or a scale has no position in the mask.
double multi_scale_ssim(const ImagePair& pair, std::int64_t taps = 11);

}  // namespace torsor
