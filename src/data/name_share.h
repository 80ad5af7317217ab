// A part of a set of images that is held out, always the same one.
#pragma once

#include <cstdint>
#include <vector>

#include "data/image_set.h"

namespace torsor {

/// Places in a set, in order.
struct NameShare {
  std::vector<std::int64_t> kept, held_out;
};

/// Holds out about `share` of the images, 0 to 1, by a hash of each one's name: no seed moves an image, nor
/// do others that come or go, and images of one name in two folders are on the same side. Throws UsageError
/// when none is held out or none is left.
NameShare share_by_name(const ImageSet& set, double share);

}  // namespace torsor
