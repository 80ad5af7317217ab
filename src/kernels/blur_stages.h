// A row of a depthwise blur, for each instruction set, on one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/isa.h"

namespace torsor {

/// Along one side: a pixel of the source, and the tap of the kernel that it is multiplied by.
struct BlurTerm {
  std::int64_t pixel, tap;
};

/// The terms of one result along one side; edges add some that inner pixels lack.
struct BlurTerms {
  std::array<BlurTerm, 4> terms;
  std::size_t count = 0;
};

struct BlurStages {
  /// out [columns,16] = the sum of taps[row tap][column tap] * source[row][column] over the terms of the row
  /// and of each column; source [H,source_width,16], taps [side,side,16].
  void (*row)(const BlurTerms& row, const std::vector<BlurTerms>& columns, const float* source,
              std::int64_t source_width, const float* taps, std::int64_t side, float* out);
};

/// Of avx2 or avx512. Throws std::logic_error for plain.
const BlurStages& blur_stages(Isa isa);

}  // namespace torsor
