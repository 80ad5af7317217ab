// Whether a drawing kept within its bounds.
#pragma once

#include <algorithm>

#include "image/image.h"

namespace torsor::testing {

/// Whether nothing is drawn within three units of an edge: a text that reaches beyond one leaves ink there.
inline bool has_white_edge(const Image& image) {
  constexpr std::int64_t kEdge = 6;  // pixels, two a unit
  for (std::int64_t y = 0; y < image.height; ++y)
    for (std::int64_t x = 0; x < image.width; ++x) {
      const bool inside = x >= kEdge && x < image.width - kEdge && y >= kEdge && y < image.height - kEdge;
      const std::uint8_t* p = image.u8() + 3 * (y * image.width + x);
      if (!inside && std::min({p[0], p[1], p[2]}) < 250) return false;
    }
  return true;
}

}  // namespace torsor::testing
