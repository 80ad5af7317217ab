// The orientation that cameras note in EXIF instead of turning the pixels. Internal to this layer.
#pragma once

#include <cstdint>
#include <string_view>

#include "image/image.h"

namespace torsor {

/// The orientation (1..8) in an EXIF block, which is a TIFF structure with or without the "Exif\0\0" prefix.
/// 1 (upright) when the block holds none or is malformed: EXIF is a side note that must not cost the picture.
int exif_orientation(std::string_view exif);

/// Another number in the first directory of such a block; 0 when it is not there.
std::uint32_t exif_number(std::string_view exif, std::uint16_t tag);

/// What an EXIF block begins with where its place does not say what it is.
inline constexpr std::string_view kExifPrefix("Exif\0\0", 6);

/// The EXIF block inside a file of the format, empty when there is none.
std::string_view find_png_exif(std::string_view file);   // eXIf
std::string_view find_webp_exif(std::string_view file);  // EXIF

/// Whether this orientation exchanges width and height.
constexpr bool swaps_sides(int orientation) { return orientation >= 5; }

/// The upright picture: `stored` turned and mirrored as EXIF 2.32 (4.6.4, tag 0x0112) defines 1..8.
Image apply_orientation(Image stored, int orientation);

}  // namespace torsor
