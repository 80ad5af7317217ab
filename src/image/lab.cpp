#include "image/lab.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace torsor::formats {

namespace {

// IEC 61966-2-1.
double srgb_coded(double linear) {
  const double x = std::clamp(linear, 0.0, 1.0);
  return x <= 0.0031308 ? 12.92 * x : 1.055 * std::pow(x, 1 / 2.4) - 0.055;
}

// From the cube root of a share of the white point.
double share_of_white(double root) {
  constexpr double kKnee = 6.0 / 29;
  return root > kKnee ? root * root * root : 3 * kKnee * kKnee * (root - 4.0 / 29);
}

struct Lab {
  double l, a, b;
};

template <class T, class Signed>
Lab stored_lab(const T* pixel, LabCoding coding) {
  constexpr double kStep = sizeof(T) == 1 ? 1 : 256;  // stored steps of one a* or b*
  const bool offset = coding == LabCoding::is_offset;
  // ICC's 16 bits have L* = 100 at 0xFF00.
  const double white = sizeof(T) == 1 ? 255 : offset ? 65280 : 65535;
  const auto chroma = [&](T stored) {
    return offset ? stored / kStep - 128 : static_cast<Signed>(stored) / kStep;
  };
  return {pixel[0] / white * 100, chroma(pixel[1]), chroma(pixel[2])};
}

template <class T, class Signed>
void convert(Image& image, T* pixel, LabCoding coding) {
  constexpr double kMost = std::numeric_limits<T>::max();
  for (std::int64_t p = 0; p < image.width * image.height; ++p, pixel += image.channels) {
    const Lab lab = stored_lab<T, Signed>(pixel, coding);
    const std::array<double, 3> rgb = srgb_of_lab(lab.l, lab.a, lab.b);
    for (std::size_t c = 0; c < rgb.size(); ++c) pixel[c] = static_cast<T>(std::lround(kMost * rgb[c]));
  }
}

}  // namespace

std::array<double, 3> srgb_of_lab(double l, double a, double b) {
  // D50 as ICC profiles have it, and from there to linear sRGB (Bradford's adaptation to D65 included).
  constexpr double kWhite[] = {0.9642, 1.0, 0.8249};
  constexpr double kToLinear[3][3] = {{3.1338561, -1.6168667, -0.4906146},
                                      {-0.9787684, 1.9161415, 0.0334540},
                                      {0.0719453, -0.2289914, 1.4052427}};
  const double y = (l + 16) / 116;
  const double xyz[] = {kWhite[0] * share_of_white(y + a / 500), kWhite[1] * share_of_white(y),
                        kWhite[2] * share_of_white(y - b / 200)};
  std::array<double, 3> rgb{};
  for (std::size_t i = 0; i < 3; ++i)
    rgb[i] = srgb_coded(kToLinear[i][0] * xyz[0] + kToLinear[i][1] * xyz[1] + kToLinear[i][2] * xyz[2]);
  return rgb;
}

void lab_to_srgb(Image& image, LabCoding coding) {
  if (image.type == PixelType::u8)
    convert<std::uint8_t, std::int8_t>(image, image.u8(), coding);
  else
    convert<std::uint16_t, std::int16_t>(image, image.u16(), coding);
}

}  // namespace torsor::formats
