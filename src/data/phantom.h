// Two contrasts of one made-up brain slice (S0-D1): what torsor has where nobody gives it T1 and FLAIR
// images. The distribution is exactly invariant under the flip left to right, and no single image is.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/drawn.h"

namespace torsor {

/// An ellipse in the brain's own coordinates: x and y from -1 to 1 across its outline, y downwards.
struct PhantomPart {
  double x = 0, y = 0, half_width = 0, half_height = 0, angle = 0;
};

/// One slice. Lengths are fractions of the image side, or of the brain's half axes where a part says so;
/// angles radians.
struct PhantomTruth {
  double center_x = 0.5, center_y = 0.5, half_width = 0.36, half_height = 0.42, angle = 0;
  double cortex = 0.2;                  // mean thickness, of the half axes
  double folds = 0.05, fold_phase = 0;  // how far the cortex reaches in, and where
  std::vector<PhantomPart> ventricles;  // two; the one that is drawn on the left is the wider
  std::vector<PhantomPart> nuclei;      // two
  std::vector<PhantomPart> lesions;     // one to four, before the flip more of them on the left
  double gain = 1;                      // of all samples
  bool flipped = false;                 // by a fair coin, after all else
};

/// The truth of an image. Training images of A and B are drawn independently; test image `index` is the same
/// slice in both, so that the right translation is known.
PhantomTruth phantom_truth(Domain domain, Split split, std::uint64_t seed, std::int64_t index);

/// Grey u8, size x size: A shows it as T1 does (white matter bright, lesions grey), B as FLAIR does (grey
/// matter brighter than white, fluid dark, lesions white). A truth that is flipped gives the mirror image, to
/// the bit. Throws UsageError below 16 pixels.
Image render_phantom(Domain domain, const PhantomTruth& truth, std::int64_t size);

/// FLAIR images of A's slices, as make_generated_partners() says.
std::unique_ptr<ImageSource> make_phantom_partners(Split split, std::uint64_t seed, std::int64_t count,
                                                   std::int64_t size);

std::unique_ptr<ImageSource> make_phantom_source(Domain domain, Split split, std::uint64_t seed,
                                                 std::int64_t count, std::int64_t size);

}  // namespace torsor
