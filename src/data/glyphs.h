// Ten classes of glyphs, drawn with random affine changes: what torsor has where nobody gives it handwritten
// digits.
#pragma once

#include <cstdint>
#include <memory>

#include "data/drawn.h"

namespace torsor {

/// One glyph. Lengths are fractions of the image side, angles radians.
struct GlyphTruth {
  std::int64_t label = 0;  // 0 to 9
  double angle = 0, shear = 0;
  double scale_x = 1, scale_y = 1;
  double shift_x = 0, shift_y = 0;
  double width = 0.09;  // of the stroke
};

inline constexpr std::int64_t kGlyphClasses = 10;

/// Glyph `index` of a domain and split; all ten classes are equally frequent, and A and B are drawn from one
/// distribution independently.
GlyphTruth glyph_truth(Domain domain, Split split, std::uint64_t seed, std::int64_t index);

/// White on black, antialiased, grey u8, size x size. Throws UsageError below 16 pixels or for a label that
/// is none.
Image render_glyph(const GlyphTruth& truth, std::int64_t size);

std::unique_ptr<LabelledSource> make_glyph_source(Domain domain, Split split, std::uint64_t seed,
                                                  std::int64_t count, std::int64_t size);

}  // namespace torsor
