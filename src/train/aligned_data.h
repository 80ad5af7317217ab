// The images of a training run on pairs.
#pragma once

#include <filesystem>

#include "train/image_intake.h"

namespace torsor {

/// Opens pairs: a folder's images that show them side by side (--data DIR with trainAB or train; testAB,
/// test, valAB or val, the first that is there, for samples), two folders whose files pair by name (--data
/// DIR with trainA and trainB, testA and testB for samples; or --a and --b), or generated images with their
/// right translations. Throws Error for images without a partner, pairs whose sizes do not go together and a
/// DIR with several of these layouts, UsageError for what has no pairs.
OpenedImages open_aligned(const ImageIntake& intake);

/// The folder of side-by-side training images in DIR; "" for none. Throws Error where there are two.
std::filesystem::path side_by_side_folder(const std::filesystem::path& data);

}  // namespace torsor
