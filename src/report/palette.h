// The colours of drawings.
#pragma once

#include <array>

#include "report/canvas.h"

namespace torsor::palette {

inline constexpr Colour kInk{0.11, 0.14, 0.19}, kSoft{0.36, 0.40, 0.46}, kGrid{0.90, 0.91, 0.93};
/// Okabe and Ito's, told apart by everybody (Color Universal Design, 2008).
inline constexpr std::array<Colour, 7> kSeries = {{{0, 0.447, 0.698},
                                                   {0.835, 0.369, 0},
                                                   {0, 0.620, 0.451},
                                                   {0.800, 0.475, 0.655},
                                                   {0.902, 0.624, 0},
                                                   {0.337, 0.706, 0.914},
                                                   {0.25, 0.25, 0.25}}};

}  // namespace torsor::palette
