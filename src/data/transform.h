// Resize, crop, flip: the reference's preprocess modes (reference get_transform).
#pragma once

#include <string>

#include "core/options.h"
#include "core/rng.h"
#include "image/image.h"

namespace torsor {

struct TransformOptions {
  std::string preprocess = "resize_and_crop";
  std::int64_t load_size = 286;
  std::int64_t crop_size = 256;
  bool flip = true;
  std::string scaling = "white";
  std::string pages = "images";

  void describe(OptionSet& o);
  /// Throws UsageError when the crop cannot fit in the resized image.
  void validate() const;
};

/// The size after resizing, before cropping; `none` rounds both sides to multiples of 4, half to even.
struct Size {
  std::int64_t width = 0, height = 0;
  bool operator==(const Size&) const = default;
};
Size resized_size(const TransformOptions& options, Size original);

/// The size that comes out; 0x0 stands for "varies with the image".
Size output_size(const TransformOptions& options);

/// Throws Error naming `name` when the image is too small for the crop.
void check_fits(const TransformOptions& options, Size original, const std::string& name);

/// What is drawn at random of a transform: once for an image, or once for both of a pair.
struct CropAndFlip {
  std::int64_t left = 0, top = 0;  // of the crop, in the resized image
  bool mirrored = false;
};

/// Offsets uniform over all positions of a crop in an image that has `resized` after resizing, in which the
/// crop must fit; then the flip, with probability 1/2. What the options leave out is not drawn.
CropAndFlip draw_crop_and_flip(const TransformOptions& options, Size resized, Rng& rng);

/// u8 or f32 in, the same out. Throws Error naming `name` when the crop does not lie in the resized image.
Image transform(const TransformOptions& options, const Image& image, const CropAndFlip& drawn,
                const std::string& name);

/// The same; what is random is drawn from `rng`.
Image transform(const TransformOptions& options, const Image& image, Rng& rng, const std::string& name);

}  // namespace torsor
