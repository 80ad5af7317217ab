// The images of a training run on pairs.
#pragma once

#include "train/image_intake.h"

namespace torsor {

/// Opens pairs, of a set of images that show them side by side where the data source has one, else of two
/// sets that pair by name. Throws Error for images without a partner and pairs whose sizes do not go
/// together, UsageError or Error, as the source does, for what has no pairs.
OpenedImages open_aligned(const ImageIntake& intake);

}  // namespace torsor
