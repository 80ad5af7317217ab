// Plain implementations: every product, summed in float64.
#include <algorithm>
#include <vector>

#include "kernels/fused_blur.h"
#include "kernels/plain_sums.h"

namespace torsor {

namespace {

// What a pixel beyond the edge stands for.
std::int64_t inside(BlurDirection direction, std::int64_t i, std::int64_t n) {
  if (direction == BlurDirection::up) return std::clamp<std::int64_t>(i, 0, n - 1);
  return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
}

// Calls work(result, pixel, tap) along one side of n pixels.
template <class Work>
void for_each_term(BlurDirection direction, std::int64_t n, const Work& work) {
  if (direction == BlurDirection::down) {
    for (std::int64_t result = 0; 2 * result < n; ++result)
      for (std::int64_t tap = 0; tap < 3; ++tap)
        work(result, inside(direction, 2 * result + tap - 1, n), tap);
    return;
  }
  for (std::int64_t pixel = -1; pixel <= n; ++pixel)
    for (std::int64_t tap = 0; tap < 4; ++tap)
      if (const std::int64_t result = 2 * pixel + tap - 1; result >= 0 && result < 2 * n)
        work(result, inside(direction, pixel, n), tap);
}

// Calls work(output index, input index, tap index) for every product.
template <class Work>
void for_each_product(const BlurShape& s, const Work& work) {
  const std::int64_t pixels = s.height * s.width, out_pixels = s.out_height() * s.out_width();
  for (std::int64_t plane = 0; plane < s.batch * s.channels; ++plane)
    for_each_term(s.direction, s.height, [&](std::int64_t out_y, std::int64_t y, std::int64_t row_tap) {
      for_each_term(s.direction, s.width, [&](std::int64_t out_x, std::int64_t x, std::int64_t tap) {
        work(plane * out_pixels + out_y * s.out_width() + out_x, plane * pixels + y * s.width + x,
             (plane % s.channels * s.side() + row_tap) * s.side() + tap);
      });
    });
}

}  // namespace

void blur_plain(const BlurShape& s, const float* x, const float* taps, float* y) {
  std::vector<double> sums = zeros(s.batch * s.channels * s.out_height() * s.out_width());
  for_each_product(s, [&](std::int64_t to, std::int64_t from, std::int64_t tap) {
    sums[static_cast<std::size_t>(to)] += static_cast<double>(x[from]) * taps[tap];
  });
  store(sums, y);
}

void blur_gradient_plain(const BlurShape& s, const float* dy, const float* taps, float* dx) {
  std::vector<double> sums = zeros(s.batch * s.channels * s.height * s.width);
  for_each_product(s, [&](std::int64_t from, std::int64_t to, std::int64_t tap) {
    sums[static_cast<std::size_t>(to)] += static_cast<double>(dy[from]) * taps[tap];
  });
  store(sums, dx);
}

}  // namespace torsor
