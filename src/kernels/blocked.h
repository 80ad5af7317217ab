// The layout that kernels work on: 16 channels of a pixel beside each other.
#pragma once

#include <cstdint>

namespace torsor {

/// [batch, channels, pixels] -> [batch, channels / 16, pixels, 16]; channels in multiples of 16.
void to_blocked(std::int64_t batch, std::int64_t channels, std::int64_t pixels, const float* planar,
                float* blocked);

/// The way back.
void from_blocked(std::int64_t batch, std::int64_t channels, std::int64_t pixels, const float* blocked,
                  float* planar);

}  // namespace torsor
