// CIE L*a*b* of TIFFs as sRGB. Internal to this layer.
#pragma once

#include <array>

#include "image/image.h"

namespace torsor::formats {

/// How a* and b* are stored: as signed numbers (CIELAB), or with an offset (ICCLAB).
enum class LabCoding { is_signed, is_offset };

/// sRGB, 0 to 1, of a colour under D50, as a colour manager has it for sRGB's profile: relative colorimetric,
/// and what sRGB cannot show clipped channel by channel. L in 0..100.
std::array<double, 3> srgb_of_lab(double l, double a, double b);

/// Replaces the first three channels of a u8 or u16 image, as TIFF 6.0, section 23, and its supplement 1
/// store Lab, by sRGB of the same depth.
void lab_to_srgb(Image& image, LabCoding coding);

}  // namespace torsor::formats
