// The chunks of a PNG that libpng is told to pass over. Internal to this layer.
#pragma once

#include <string>
#include <string_view>

#include "image/formats.h"

namespace torsor::formats {

/// The ICC profile in iCCP, unpacked; "" where there is none, or it is not valid.
std::string png_profile(std::string_view file);

/// Notes what the picture loses because such chunks are not read: a gamma, further frames.
void note_png_chunks(const Source& source);

}  // namespace torsor::formats
