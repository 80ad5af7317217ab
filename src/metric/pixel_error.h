// Errors pixel by pixel of a pair of images.
#pragma once

#include "metric/image_pair.h"

namespace torsor {

/// Over all pixels and channels, or those inside the mask; in the units of the samples.
double mean_absolute_error(const ImagePair& pair);
double root_mean_squared_error(const ImagePair& pair);

/// PSNR (psnr.h) with the pair's range as the peak; infinite for equal images.
double peak_signal_to_noise(const ImagePair& pair);

}  // namespace torsor
