// Which images of two sets belong together, by their names.
#pragma once

#include "data/image_set.h"

namespace torsor {

/// Keeps of two sets the images that have a partner in the other, both in the order of A, so that image i of
/// one belongs to image i of the other. Partners have the same pair_name(): in folders the name below the
/// folder, its sub-folders included and the extension left out; `limit` > 0 keeps the first that many pairs.
/// Images without a partner: refuse throws Error that names the first of each set and says that skip_bad
/// continues; skip leaves them out with a warning for each set. Throws Error also when no image has a
/// partner, and for two images of one name in a set.
void keep_partners(ImageSet& a, ImageSet& b, std::int64_t limit, BadFiles policy, LogSink& log);

}  // namespace torsor
