// Plain implementations of Conv3x3: the definition.
#include <vector>

#include "kernels/conv3x3.h"
#include "kernels/parallel.h"

namespace torsor {

namespace {

// The row or column that position `at` of the padded image is a copy of; -1 for a zero.
std::int64_t source(std::int64_t at, std::int64_t side, PaddingMode mode) {
  if (at >= 0 && at < side) return at;
  if (mode == PaddingMode::zeros) return -1;
  return at < 0 ? -at : 2 * side - 2 - at;
}

// Calls use(pixel of the output, tap, pixel of the input) for every product.
template <class Use>
void for_each_tap(const Conv3x3Shape& s, const Use& use) {
  for (std::int64_t y = 0; y < s.height; ++y)
    for (std::int64_t x = 0; x < s.width; ++x)
      for (std::int64_t tap = 0; tap < 9; ++tap) {
        const std::int64_t row = source(y + tap / 3 - 1, s.height, s.padding_mode);
        const std::int64_t column = source(x + tap % 3 - 1, s.width, s.padding_mode);
        if (row >= 0 && column >= 0) use(y * s.width + x, tap, row * s.width + column);
      }
}

}  // namespace

void conv3x3_plain(const Conv3x3Shape& s, const float* x, const float* weight, float* y) {
  const std::int64_t pixels = s.height * s.width;
  for_each_parallel(s.batch * s.out_channels, [&](std::int64_t plane) {
    const std::int64_t image = plane / s.out_channels, k = plane % s.out_channels;
    std::vector<double> sum(static_cast<std::size_t>(pixels), 0);
    for (std::int64_t c = 0; c < s.in_channels; ++c) {
      const float* from = x + (image * s.in_channels + c) * pixels;
      const float* taps = weight + (k * s.in_channels + c) * 9;
      for_each_tap(s, [&](std::int64_t out, std::int64_t tap, std::int64_t in) {
        sum[static_cast<std::size_t>(out)] += static_cast<double>(from[in]) * taps[tap];
      });
    }
    for (std::int64_t i = 0; i < pixels; ++i)
      y[plane * pixels + i] = static_cast<float>(sum[static_cast<std::size_t>(i)]);
  });
}

void conv3x3_input_gradient_plain(const Conv3x3Shape& s, const float* dy, const float* weight, float* dx) {
  const std::int64_t pixels = s.height * s.width;
  for_each_parallel(s.batch * s.in_channels, [&](std::int64_t plane) {
    const std::int64_t image = plane / s.in_channels, c = plane % s.in_channels;
    std::vector<double> sum(static_cast<std::size_t>(pixels), 0);
    for (std::int64_t k = 0; k < s.out_channels; ++k) {
      const float* from = dy + (image * s.out_channels + k) * pixels;
      const float* taps = weight + (k * s.in_channels + c) * 9;
      for_each_tap(s, [&](std::int64_t out, std::int64_t tap, std::int64_t in) {
        sum[static_cast<std::size_t>(in)] += static_cast<double>(from[out]) * taps[tap];
      });
    }
    for (std::int64_t i = 0; i < pixels; ++i)
      dx[plane * pixels + i] = static_cast<float>(sum[static_cast<std::size_t>(i)]);
  });
}

void conv3x3_weight_gradient_plain(const Conv3x3Shape& s, const float* x, const float* dy, float* dw) {
  const std::int64_t pixels = s.height * s.width;
  for_each_parallel(s.out_channels * s.in_channels, [&](std::int64_t pair) {
    const std::int64_t k = pair / s.in_channels, c = pair % s.in_channels;
    std::vector<double> sum(9, 0);
    for (std::int64_t image = 0; image < s.batch; ++image) {
      const float* from = x + (image * s.in_channels + c) * pixels;
      const float* gradient = dy + (image * s.out_channels + k) * pixels;
      for_each_tap(s, [&](std::int64_t out, std::int64_t tap, std::int64_t in) {
        sum[static_cast<std::size_t>(tap)] += static_cast<double>(from[in]) * gradient[out];
      });
    }
    for (std::int64_t tap = 0; tap < 9; ++tap)
      dw[pair * 9 + tap] = static_cast<float>(sum[static_cast<std::size_t>(tap)]);
  });
}

}  // namespace torsor
