// Numbers about images on the scale from 0 to 1 that several alarms use.
#pragma once

#include <vector>

#include "alarm/evidence.h"

namespace torsor {

/// [C,H,W] -> [H,W], the mean of the channels.
at::Tensor luminance(const at::Tensor& image);

/// [C,H,W] -> [C,32,32], means of its parts, so that images of any size compare.
at::Tensor thumbnail(const at::Tensor& image);

/// Standard deviation over the pixels of a channel, root mean square over the channels; 0 for a flat image.
double contrast(const at::Tensor& image);

/// Pearson's correlation of two tensors of one shape; 0 where one of them is flat.
double correlation(const at::Tensor& x, const at::Tensor& y);

/// Root mean square difference of thumbnails, mean over all pairs of the images; 0 for fewer than two.
double mean_distance(const UnitImages& images);

/// The shares of all pixels' luminance in 64 equal bins of [0,1], mean over the images; what lies outside is
/// in the outer bins. [64] float64.
at::Tensor mean_histogram(const UnitImages& images);

/// The earth mover's distance of two such histograms, on the scale of the luminance.
double histogram_distance(const at::Tensor& one, const at::Tensor& other);

/// Throws std::logic_error for no values.
double median(std::vector<double> values);

}  // namespace torsor
