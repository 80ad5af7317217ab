#include "doctor/image_hash.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "image/convert.h"
#include "image/resize.h"

namespace torsor {

namespace {

constexpr std::int64_t kSide = 32, kFrequencies = 8;
constexpr double kLeastDifference = 2;  // of a coefficient, which rounded samples move by some 0.3

using Wave = std::array<double, kSide>;

// The rows of the orthonormal DCT-II of 32 samples that are needed.
const std::array<Wave, kFrequencies>& waves() {
  static const std::array<Wave, kFrequencies> table = [] {
    std::array<Wave, kFrequencies> out{};
    for (std::int64_t k = 0; k < kFrequencies; ++k)
      for (std::int64_t i = 0; i < kSide; ++i)
        out[k][i] = std::sqrt((k == 0 ? 1.0 : 2.0) / kSide) *
                    std::cos(std::numbers::pi * static_cast<double>(k * (2 * i + 1)) / (2 * kSide));
    return out;
  }();
  return table;
}

// Of other than colour images the first channel stands for all.
Image brightness_of(const Image& image) {
  if (image.channels == 1 || image.channels == 3) return with_channels(image, 1);
  Image out = Image::blank(image.width, image.height, 1);
  for (std::int64_t i = 0; i < out.samples(); ++i) out.u8()[i] = image.u8()[i * image.channels];
  return out;
}

// [8,8] of a 32x32 picture, row by row; the constant coefficient first.
std::array<double, kFrequencies * kFrequencies> low_frequencies(const Image& picture) {
  std::array<Wave, kFrequencies> rows{};  // [8,32]: transformed along each column
  for (std::int64_t k = 0; k < kFrequencies; ++k)
    for (std::int64_t y = 0; y < kSide; ++y)
      for (std::int64_t x = 0; x < kSide; ++x) rows[k][x] += waves()[k][y] * picture.u8()[y * kSide + x];
  std::array<double, kFrequencies * kFrequencies> out{};
  for (std::int64_t k = 0; k < kFrequencies; ++k)
    for (std::int64_t l = 0; l < kFrequencies; ++l)
      for (std::int64_t x = 0; x < kSide; ++x) out[k * kFrequencies + l] += rows[k][x] * waves()[l][x];
  return out;
}

std::uint64_t bits_of(const Image& picture) {
  const auto values = low_frequencies(picture);
  auto sorted = values;  // without the constant one 63 are left, whose median is one of them
  const auto middle = sorted.begin() + 1 + (static_cast<std::ptrdiff_t>(sorted.size()) - 1) / 2;
  std::nth_element(sorted.begin() + 1, middle, sorted.end());
  std::uint64_t bits = 0;
  for (std::size_t i = 1; i < values.size(); ++i)
    if (values[i] > *middle + kLeastDifference) bits |= std::uint64_t{1} << i;
  return bits;
}

}  // namespace

ImageHash hash_of(const Image& image) {
  const Image picture = resize_bilinear(brightness_of(image), kSide, kSide);
  const Image small = resize_bilinear(picture, ImageHash::kSmallSide, ImageHash::kSmallSide);
  ImageHash out;
  out.bits = bits_of(picture);
  std::copy_n(small.u8(), out.small.size(), out.small.begin());
  return out;
}

int differing_bits(std::uint64_t x, std::uint64_t y) { return std::popcount(x ^ y); }

double correlation(const ImageHash& x, const ImageHash& y) {
  std::int64_t sum_x = 0, sum_y = 0, xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.small.size(); ++i) {
    const std::int32_t a = x.small[i], b = y.small[i];
    sum_x += a;
    sum_y += b;
    xx += a * a;
    yy += b * b;
    xy += a * b;
  }
  const auto n = static_cast<std::int64_t>(x.small.size());
  const std::int64_t of_x = n * xx - sum_x * sum_x, of_y = n * yy - sum_y * sum_y;
  if (of_x == 0 || of_y == 0) return 0;
  return static_cast<double>(n * xy - sum_x * sum_y) /
         std::sqrt(static_cast<double>(of_x) * static_cast<double>(of_y));
}

}  // namespace torsor
