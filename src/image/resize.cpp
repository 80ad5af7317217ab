#include "image/resize.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "image/convert.h"

// The kernel is integer only, so that a wider instruction set changes its speed and not its result.
#if defined(__x86_64__) && defined(__GNUC__)
#define TORSOR_HAVE_AVX2 1
#endif

namespace torsor {

namespace {

constexpr int kWeightBits = 22;
constexpr std::int32_t kHalf = 1 << (kWeightBits - 1);
constexpr std::size_t kLanes = 32;  // outputs whose sums stay in registers

// For one axis: output o is the weighted sum of `count[o]` inputs from `first[o]` on.
struct Axis {
  std::vector<std::int64_t> first, count;
  std::vector<std::int32_t> weights;  // [out, longest]
  std::vector<double> exact;          // the same before they are rounded
  std::size_t longest = 0;
  const std::int32_t* weights_of(std::size_t output) const { return weights.data() + output * longest; }
  const double* exact_of(std::size_t output) const { return exact.data() + output * longest; }
};

// Keys' cubic convolution kernel with a = -0.5.
double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
  return 0.0;
}

// The triangle of linear interpolation.
double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

// A filter as PIL has it: its value, and how far from 0 it reaches where nothing is made smaller.
struct Kernel {
  double (*value)(double x);
  double support;
};

constexpr Kernel kCubic{cubic, 2.0}, kTriangle{triangle, 1.0};

Axis make_axis(std::int64_t in, std::int64_t out, const Kernel& kernel) {
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double filter_scale = std::max(scale, 1.0);  // below 1 the kernel is not widened: interpolation
  const double support = kernel.support * filter_scale;
  const double step = 1.0 / filter_scale;
  Axis axis;
  axis.longest = static_cast<std::size_t>(std::ceil(support)) * 2 + 1;
  axis.weights.resize(static_cast<std::size_t>(out) * axis.longest);
  axis.exact.resize(axis.weights.size());
  for (std::int64_t o = 0; o < out; ++o) {
    const double centre = (static_cast<double>(o) + 0.5) * scale;
    // Pillow's rounding.
    // NOLINTBEGIN(bugprone-incorrect-roundings)
    const std::int64_t first = std::max<std::int64_t>(0, static_cast<std::int64_t>(centre - support + 0.5));
    const std::int64_t last = std::min(in, static_cast<std::int64_t>(centre + support + 0.5));
    // NOLINTEND(bugprone-incorrect-roundings)
    const std::int64_t count = last - first;
    double sum = 0.0;
    double* exact = axis.exact.data() + static_cast<std::size_t>(o) * axis.longest;
    for (std::int64_t i = 0; i < count; ++i) {
      exact[i] = kernel.value((static_cast<double>(i + first) - centre + 0.5) * step);
      sum += exact[i];
    }
    std::int32_t* weights = axis.weights.data() + static_cast<std::size_t>(o) * axis.longest;
    for (std::int64_t i = 0; i < count; ++i) {
      exact[i] /= sum;
      weights[i] = static_cast<std::int32_t>(std::round(exact[i] * (1 << kWeightBits)));
    }
    axis.first.push_back(first);
    axis.count.push_back(count);
  }
  return axis;
}

// Floats are summed in double precision, and rounded to a float after each pass, as PIL's mode F.
Image resize_float_rows(const Image& image, std::int64_t height, const Kernel& kernel) {
  const Axis axis = make_axis(image.height, height, kernel);
  Image out = Image::blank(image.width, height, image.channels, PixelType::f32);
  const auto row = static_cast<std::size_t>(image.width * image.channels);
  std::vector<double> sums(row);
  for (std::size_t y = 0; y < static_cast<std::size_t>(height); ++y) {
    std::fill(sums.begin(), sums.end(), 0.0);
    for (std::int64_t i = 0; i < axis.count[y]; ++i) {
      const float* line = image.f32() + static_cast<std::size_t>(axis.first[y] + i) * row;
      const double weight = axis.exact_of(y)[i];
      for (std::size_t s = 0; s < row; ++s) sums[s] += weight * line[s];
    }
    std::copy(sums.begin(), sums.end(), out.f32() + y * row);
  }
  return out;
}

Image resize_float_columns(const Image& image, std::int64_t width, const Kernel& kernel) {
  const Axis axis = make_axis(image.width, width, kernel);
  Image out = Image::blank(width, image.height, image.channels, PixelType::f32);
  float* to = out.f32();
  for (std::int64_t y = 0; y < image.height; ++y) {
    const float* line = image.f32() + y * image.width * image.channels;
    for (std::size_t x = 0; x < static_cast<std::size_t>(width); ++x)
      for (std::int64_t c = 0; c < image.channels; ++c) {
        double sum = 0;
        for (std::int64_t i = 0; i < axis.count[x]; ++i)
          sum += axis.exact_of(x)[i] * line[(axis.first[x] + i) * image.channels + c];
        *to++ = static_cast<float>(sum);
      }
  }
  return out;
}

// The lines that one output line is summed from: `count` lines, `stride` bytes apart.
struct Lines {
  const std::uint8_t* data;
  std::size_t stride;
  const std::int32_t* weights;
  std::int64_t count;
};

// 32 bits hold the sums: the weights' absolute values add up to less than 1.6 * 2^22, times 255 is below
// 2^31.
template <std::size_t N>
[[gnu::always_inline]] inline void sum_lanes(const Lines& lines, std::size_t at, std::uint8_t* out) {
  std::int32_t sums[N];
  for (std::size_t j = 0; j < N; ++j) sums[j] = kHalf;
  const std::uint8_t* line = lines.data + at;
  for (std::int64_t i = 0; i < lines.count; ++i, line += lines.stride) {
    const std::int32_t weight = lines.weights[i];
    for (std::size_t j = 0; j < N; ++j) sums[j] += weight * line[j];
  }
  for (std::size_t j = 0; j < N; ++j)
    out[at + j] = static_cast<std::uint8_t>(std::clamp(sums[j] >> kWeightBits, 0, 255));
}

[[gnu::always_inline]] inline void sum_lines_any(const Lines& lines, std::size_t size, std::uint8_t* out) {
  if (size < kLanes) {
    for (std::size_t at = 0; at < size; ++at) sum_lanes<1>(lines, at, out);
    return;
  }
  for (std::size_t at = 0; at + kLanes <= size; at += kLanes) sum_lanes<kLanes>(lines, at, out);
  if (size % kLanes != 0)
    sum_lanes<kLanes>(lines, size - kLanes, out);  // overlaps, and writes the same again
}

using SumLines = void (*)(const Lines& lines, std::size_t size, std::uint8_t* out);

void sum_lines(const Lines& lines, std::size_t size, std::uint8_t* out) { sum_lines_any(lines, size, out); }

#ifdef TORSOR_HAVE_AVX2
[[gnu::target("avx2")]] void sum_lines_avx2(const Lines& lines, std::size_t size, std::uint8_t* out) {
  sum_lines_any(lines, size, out);
}
#endif

SumLines best_sum_lines() {
#ifdef TORSOR_HAVE_AVX2
  if (__builtin_cpu_supports("avx2")) return sum_lines_avx2;
#endif
  return sum_lines;
}

Image resize_rows(const Image& image, std::int64_t height, const Kernel& kernel) {
  if (image.type == PixelType::f32) return resize_float_rows(image, height, kernel);
  const Axis axis = make_axis(image.height, height, kernel);
  const SumLines sum = best_sum_lines();
  Image out = Image::blank(image.width, height, image.channels);
  const std::size_t row = static_cast<std::size_t>(image.width * image.channels);
  for (std::size_t y = 0; y < static_cast<std::size_t>(height); ++y)
    sum({image.u8() + static_cast<std::size_t>(axis.first[y]) * row, row, axis.weights_of(y), axis.count[y]},
        row, out.u8() + y * row);
  return out;
}

// [rows, samples] -> [samples, kLanes]: every column of samples becomes a line.
void to_columns(const std::uint8_t* in, std::size_t rows, std::size_t samples, std::uint8_t* out) {
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t s = 0; s < samples; ++s) out[s * kLanes + r] = in[r * samples + s];
}

void to_rows(const std::uint8_t* in, std::size_t rows, std::size_t samples, std::uint8_t* out) {
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t s = 0; s < samples; ++s) out[r * samples + s] = in[s * kLanes + r];
}

// Turns bands of kLanes rows on their side, where the columns are lines and the same kernel sums them.
Image resize_columns(const Image& image, std::int64_t width, const Kernel& kernel) {
  if (image.type == PixelType::f32) return resize_float_columns(image, width, kernel);
  const Axis axis = make_axis(image.width, width, kernel);
  const SumLines sum = best_sum_lines();
  Image out = Image::blank(width, image.height, image.channels);
  const std::size_t samples_in = static_cast<std::size_t>(image.width * image.channels);
  const std::size_t samples_out = static_cast<std::size_t>(width * image.channels);
  const std::size_t line = static_cast<std::size_t>(image.channels) * kLanes;
  std::vector<std::uint8_t> band_in(samples_in * kLanes), band_out(samples_out * kLanes);
  const std::size_t height = static_cast<std::size_t>(image.height);
  for (std::size_t y = 0; y < height; y += kLanes) {
    const std::size_t rows = std::min(kLanes, height - y);
    to_columns(image.u8() + y * samples_in, rows, samples_in, band_in.data());
    for (std::size_t x = 0; x < static_cast<std::size_t>(width); ++x)
      sum({band_in.data() + static_cast<std::size_t>(axis.first[x]) * line, line, axis.weights_of(x),
           axis.count[x]},
          line, band_out.data() + x * line);
    to_rows(band_out.data(), rows, samples_out, out.u8() + y * samples_out);
  }
  return out;
}

Image resize(const Image& image, std::int64_t width, std::int64_t height, const Kernel& kernel,
             PassOrder order) {
  if (width < 1 || height < 1)
    fail("cannot resize an image to {} x {}; both sides must be at least 1", width, height);
  if (image.type == PixelType::u16) fail("resizing takes 8-bit and float images; convert the image first");
  if (image.width == width && image.height == height) return image;
  if (image.width == width) return resize_rows(image, height, kernel);
  if (image.height == height) return resize_columns(image, width, kernel);
  const std::int64_t rows_less = image.height - height, columns_less = image.width - width;
  const bool rows_first = order == PassOrder::pillow_13 && rows_less > 0 && rows_less > 2 * columns_less;
  return rows_first ? resize_columns(resize_rows(image, height, kernel), width, kernel)
                    : resize_rows(resize_columns(image, width, kernel), height, kernel);
}

}  // namespace

Image resize_bicubic(const Image& image, std::int64_t width, std::int64_t height, PassOrder order) {
  return resize(image, width, height, kCubic, order);
}

Image resize_stored(const Image& image, std::int64_t width, std::int64_t height) {
  if (image.type != PixelType::u16) return resize_bicubic(image, width, height);
  if (image.width == width && image.height == height) return image;
  const Image wide = resize_bicubic(to_f32(image), width, height);
  Image out = Image::blank(width, height, image.channels, PixelType::u16).with_tags_of(image);
  std::transform(wide.f32(), wide.f32() + wide.samples(), out.u16(), [](float sample) {
    return static_cast<std::uint16_t>(std::lround(std::clamp(sample, 0.0F, 65535.0F)));
  });
  return out;
}

Image resize_bilinear(const Image& image, std::int64_t width, std::int64_t height, PassOrder order) {
  return resize(image, width, height, kTriangle, order);
}

}  // namespace torsor
