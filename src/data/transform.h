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

/// u8 in, u8 out. Crop offsets are uniform over all positions, the flip has probability 1/2; both from `rng`,
/// in this order.
Image transform(const TransformOptions& options, const Image& image, Rng& rng, const std::string& name);

}  // namespace torsor
