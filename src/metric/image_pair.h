// Two images of one scene, as the metrics of pairs take them.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>

#include "image/image.h"

namespace torsor {

/// Made by image_pair(), or by hand from tensors.
struct ImagePair {
  at::Tensor real, fake;  // [C,H,W] float64, of one shape, as stored in the files: 0 to 255 for 8 bits
  double range = 255;     // black to white
  at::Tensor mask = {};   // [H,W] bool: what counts; undefined = everything
  std::string name = "the pair";  // in messages
};

/// In what channels pairs are compared. as_stored: as the files have them, alpha dropped, and a grey image
/// that stands against an RGB one replicated to three channels. grey: L = (19595 R + 38470 G + 7471 B +
/// 32768) >> 16, as PIL does.
enum class PairChannels { as_stored, grey };

struct PairImages {
  const Image& real;
  const Image& fake;
  const Image* mask = nullptr;  // one channel or more; a pixel counts where any colour channel is not 0
  std::string real_name = "the real image", fake_name = "the fake image", mask_name = "the mask";
};

/// Throws Error naming the files for other sizes than the pair's, channels that cannot be compared, other
/// pixel types, samples that are NaN or infinite, or a mask in which nothing counts.
ImagePair image_pair(const PairImages& images, double range, PairChannels channels = PairChannels::as_stored);

/// The range of samples of a type: what the user states, else 255 for 8 bits. Throws UsageError naming
/// `option` for other types, whose files do not say it, and for a stated range that is not positive.
double data_range(PixelType type, const std::optional<double>& stated, const std::string& option);

/// Throws Error naming the pair unless its tensors are as ImagePair says.
void check_pair(const ImagePair& pair);

}  // namespace torsor
