// The orientation that cameras note in EXIF instead of turning the pixels. Internal to this layer.
#pragma once

#include <string_view>

#include "image/image.h"

namespace torsor {

/// The orientation (1..8) in an EXIF block, which is a TIFF structure with or without the "Exif\0\0" prefix.
/// 1 (upright) when the block holds none or is malformed: EXIF is a side note that must not cost the picture.
int exif_orientation(std::string_view exif);

/// The EXIF block inside a file of the format, empty when there is none.
std::string_view find_jpeg_exif(std::string_view file);  // APP1
std::string_view find_png_exif(std::string_view file);   // eXIf
std::string_view find_webp_exif(std::string_view file);  // EXIF

/// Whether this orientation exchanges width and height.
constexpr bool swaps_sides(int orientation) { return orientation >= 5; }

/// The upright picture: `stored` turned and mirrored as EXIF 2.32 (4.6.4, tag 0x0112) defines 1..8.
Image apply_orientation(Image stored, int orientation);

}  // namespace torsor
