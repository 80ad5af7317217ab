// Plain implementations: every product, summed in float64.
#include <vector>

#include "kernels/direct_conv.h"
#include "kernels/plain_sums.h"

namespace torsor {

namespace {

// Calls work(output index, input index, weight index) for every product.
template <class Work>
void for_each_product(const DirectShape& s, const Work& work) {
  const std::int64_t out_height = s.out_height(), out_width = s.out_width();
  for (std::int64_t n = 0; n < s.batch; ++n)
    for (std::int64_t o = 0; o < s.out_channels; ++o)
      for (std::int64_t i = 0; i < s.in_channels; ++i)
        for (std::int64_t y = 0; y < out_height; ++y)
          for (std::int64_t x = 0; x < out_width; ++x)
            for (std::int64_t ky = 0; ky < s.kernel; ++ky)
              for (std::int64_t kx = 0; kx < s.kernel; ++kx) {
                const std::int64_t from_y = y * s.stride + ky - s.padding,
                                   from_x = x * s.stride + kx - s.padding;
                if (from_y < 0 || from_x < 0 || from_y >= s.height || from_x >= s.width) continue;
                work(((n * s.out_channels + o) * out_height + y) * out_width + x,
                     ((n * s.in_channels + i) * s.height + from_y) * s.width + from_x,
                     ((o * s.in_channels + i) * s.kernel + ky) * s.kernel + kx);
              }
}

}  // namespace

void conv_plain(const DirectShape& s, const float* x, const float* weight, const float* bias, float* y) {
  const std::int64_t pixels = s.out_height() * s.out_width();
  std::vector<double> sums = zeros(s.batch * s.out_channels * pixels);
  if (bias != nullptr)
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] = bias[static_cast<std::int64_t>(i) / pixels % s.out_channels];
  for_each_product(s, [&](std::int64_t to, std::int64_t from, std::int64_t w) {
    sums[static_cast<std::size_t>(to)] += static_cast<double>(x[from]) * weight[w];
  });
  store(sums, y);
}

void conv_input_gradient_plain(const DirectShape& s, const float* dy, const float* weight, float* dx) {
  std::vector<double> sums = zeros(s.batch * s.in_channels * s.height * s.width);
  for_each_product(s, [&](std::int64_t to, std::int64_t from, std::int64_t w) {
    sums[static_cast<std::size_t>(from)] += static_cast<double>(dy[to]) * weight[w];
  });
  store(sums, dx);
}

void conv_weight_gradient_plain(const DirectShape& s, const float* x, const float* dy, float* dw) {
  std::vector<double> sums = zeros(s.out_channels * s.in_channels * s.kernel * s.kernel);
  for_each_product(s, [&](std::int64_t to, std::int64_t from, std::int64_t w) {
    sums[static_cast<std::size_t>(w)] += static_cast<double>(dy[to]) * x[from];
  });
  store(sums, dw);
}

}  // namespace torsor
