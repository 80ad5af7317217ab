// The chunks of a PNG that libpng is told to pass over. Internal to this layer.
#pragma once

#include "image/formats.h"

namespace torsor::formats {

/// Notes what the picture loses because such chunks are not read: a colour profile, a gamma, further frames.
void note_png_chunks(const Source& source);

}  // namespace torsor::formats
