// 16-bit floats (IEEE 754 binary16). Internal to this layer.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace torsor::formats {

inline float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = std::uint32_t{half & 0x8000u} << 16;
  const std::uint32_t exponent = half >> 10 & 0x1F, mantissa = half & 0x3FF;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000u | mantissa << 13);
  const float magnitude = exponent == 0
                              ? std::ldexp(static_cast<float>(mantissa), -24)
                              : std::ldexp(static_cast<float>(mantissa | 0x400u), int(exponent) - 25);
  return sign != 0 ? -magnitude : magnitude;
}

}  // namespace torsor::formats
