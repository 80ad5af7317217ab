#include "image/lab.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "image/colour_transform.h"

namespace torsor::formats {

namespace {

// L*, a*, b*.
template <class T, class Signed>
std::array<float, 3> stored_lab(const T* pixel, LabCoding coding) {
  constexpr float kStep = sizeof(T) == 1 ? 1 : 256;  // stored steps of one a* or b*
  const bool offset = coding == LabCoding::is_offset;
  // ICC's 16 bits have L* = 100 at 0xFF00.
  const float white = sizeof(T) == 1 ? 255 : offset ? 65280 : 65535;
  const auto chroma = [&](T stored) {
    return offset ? stored / kStep - 128 : static_cast<Signed>(stored) / kStep;
  };
  return {pixel[0] / white * 100, chroma(pixel[1]), chroma(pixel[2])};
}

template <class T, class Signed>
void convert(Image& image, T* samples, LabCoding coding) {
  constexpr float kMost = std::numeric_limits<T>::max();
  std::vector<std::array<float, 3>> row(static_cast<std::size_t>(image.width));
  for (std::int64_t y = 0; y < image.height; ++y) {
    T* pixel = samples + y * image.width * image.channels;
    for (std::size_t x = 0; x < row.size(); ++x)
      row[x] = stored_lab<T, Signed>(pixel + x * static_cast<std::size_t>(image.channels), coding);
    lab_to_srgb_transform().apply(row.data(), row.data(), image.width);
    for (std::size_t x = 0; x < row.size(); ++x, pixel += image.channels)
      for (std::size_t c = 0; c < 3; ++c)
        pixel[c] = static_cast<T>(std::lround(kMost * std::clamp(row[x][c], 0.0F, 1.0F)));
  }
}

}  // namespace

void lab_to_srgb(Image& image, LabCoding coding) {
  if (image.type == PixelType::u8)
    convert<std::uint8_t, std::int8_t>(image, image.u8(), coding);
  else
    convert<std::uint16_t, std::int16_t>(image, image.u16(), coding);
}

}  // namespace torsor::formats
