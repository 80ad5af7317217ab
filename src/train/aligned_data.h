// The images of a training run on pairs.
#pragma once

#include "train/image_intake.h"

namespace torsor {

/// Opens pairs, of a set of images that show them side by side where the data source has one, else of two
/// sets that pair by name. Throws Error for images without a partner and pairs whose sizes do not go
/// together, UsageError or Error, as the source does, for what has no pairs.
OpenedImages open_aligned(const ImageIntake& intake);

/// Pairs of two folders, under the training's transform, with the sets that they are of.
struct PairedFolders {
  std::shared_ptr<const Dataset> images;
  std::shared_ptr<const ImageSet> a, b;
};

/// Pairs by name beside the training's images, when the domains' scales are decided. At most `most` of them.
/// Throws Error as open_aligned() does, and for more.
PairedFolders open_pairs_beside(const ImageIntake& intake, const std::filesystem::path& a,
                                const std::filesystem::path& b, std::int64_t most);

}  // namespace torsor
