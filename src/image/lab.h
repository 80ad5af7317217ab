// CIE L*a*b* of TIFFs as sRGB. Internal to this layer.
#pragma once

#include "image/image.h"

namespace torsor::formats {

/// How a* and b* are stored: as signed numbers (CIELAB), or with an offset (ICCLAB).
enum class LabCoding { is_signed, is_offset };

/// Replaces the first three channels of a u8 or u16 image, as TIFF 6.0, section 23, and its supplement 1
/// store Lab under D50, by sRGB of the same depth: as a profile's colours are converted (ColourTransform),
/// clipped channel by channel.
void lab_to_srgb(Image& image, LabCoding coding);

}  // namespace torsor::formats
