// The blocked layout of the kernels, oneDNN's nChw16c: 16 channels of a pixel are contiguous.
#pragma once

#include <cstdint>

namespace torsor {

/// [batch, channels, pixels] -> [batch, channels / 16, pixels, 16]; channels in multiples of 16.
void to_blocked(std::int64_t batch, std::int64_t channels, std::int64_t pixels, const float* planar,
                float* blocked);

/// The inverse.
void from_blocked(std::int64_t batch, std::int64_t channels, std::int64_t pixels, const float* blocked,
                  float* planar);

}  // namespace torsor
