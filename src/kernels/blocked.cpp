#include "kernels/blocked.h"

#include <algorithm>

#include "kernels/parallel.h"
#include "kernels/winograd_stages.h"

namespace torsor {

namespace {

// Pixels whose 16 rows stay in the L1 cache while they are transposed.
constexpr std::int64_t kPiece = 64;

// move(planar offset, blocked offset) for every sample, in a cache-friendly order.
template <class Move>
void for_each_sample(std::int64_t batch, std::int64_t channels, std::int64_t pixels, const Move& move) {
  for_each_parallel(batch * channels / kBlock, [&](std::int64_t block) {
    const std::int64_t base = block * kBlock * pixels;
    for (std::int64_t first = 0; first < pixels; first += kPiece)
      for (std::int64_t c = 0; c < kBlock; ++c)
        for (std::int64_t i = first; i < std::min(first + kPiece, pixels); ++i)
          move(base + c * pixels + i, base + i * kBlock + c);
  });
}

}  // namespace

void to_blocked(std::int64_t batch, std::int64_t channels, std::int64_t pixels, const float* planar,
                float* blocked) {
  for_each_sample(batch, channels, pixels,
                  [&](std::int64_t from, std::int64_t to) { blocked[to] = planar[from]; });
}

void from_blocked(std::int64_t batch, std::int64_t channels, std::int64_t pixels, const float* blocked,
                  float* planar) {
  for_each_sample(batch, channels, pixels,
                  [&](std::int64_t to, std::int64_t from) { planar[to] = blocked[from]; });
}

}  // namespace torsor
