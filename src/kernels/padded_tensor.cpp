#include "kernels/padded_tensor.h"

#include <algorithm>
#include <cstring>

#include "kernels/parallel.h"

namespace torsor {

namespace {

// Sets a lane range of pixels [0, count) of `to` to that of `from`, or to zeros.
void set_pixels(std::int64_t pixel_stride, LaneRange lanes, std::int64_t count, float* to,
                const float* from) {
  const auto set = [&](std::int64_t at, std::int64_t floats) {
    const auto bytes = static_cast<std::size_t>(floats) * sizeof(float);
    from != nullptr ? std::memcpy(to + at, from + at, bytes) : std::memset(to + at, 0, bytes);
  };
  if (lanes.count == pixel_stride) return set(0, count * pixel_stride);
  for (std::int64_t i = 0; i < count; ++i) set(i * pixel_stride + lanes.first, lanes.count);
}

}  // namespace

void fill_padding(const PaddedTensor& t, PaddingMode mode, float* plane) {
  fill_padding(t, mode, plane, {0, t.pixel_stride});
}

void fill_padding(const PaddedTensor& t, PaddingMode mode, float* plane, LaneRange lanes) {
  const std::int64_t row = t.row_floats(), pad = t.padding;
  const bool reflects = mode == PaddingMode::reflect;
  const auto set = [&](std::int64_t count, float* to, const float* reflected) {
    set_pixels(t.pixel_stride, lanes, count, to, reflects ? reflected : nullptr);
  };
  for (std::int64_t y = pad; y < pad + t.height; ++y) {
    float *left = plane + y * row + pad * t.pixel_stride, *right = left + (t.width - 1) * t.pixel_stride;
    for (std::int64_t i = 1; i <= pad; ++i) {
      set(1, left - i * t.pixel_stride, left + i * t.pixel_stride);
      set(1, right + i * t.pixel_stride, right - i * t.pixel_stride);
    }
  }
  float *top = plane + pad * row, *bottom = top + (t.height - 1) * row;
  for (std::int64_t i = 1; i <= pad; ++i) {
    set(t.padded_width(), top - i * row, top + i * row);
    set(t.padded_width(), bottom + i * row, bottom - i * row);
  }
}

void reflection_pad_backward(const PaddedTensor& t, std::int64_t lanes, float* plane, float* out) {
  const std::int64_t row = t.padded_width() * lanes, pad = t.padding;
  const auto add = [](float* to, const float* from, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) to[i] += from[i];
  };
  float *top = plane + pad * row, *bottom = top + (t.height - 1) * row;
  for (std::int64_t i = 1; i <= pad; ++i) {
    add(top + i * row, top - i * row, row);
    add(bottom - i * row, bottom + i * row, row);
  }
  for (std::int64_t y = 0; y < t.height; ++y) {
    float *left = top + y * row + pad * lanes, *right = left + (t.width - 1) * lanes;
    for (std::int64_t i = 1; i <= pad; ++i) {
      add(left + i * lanes, left - i * lanes, lanes);
      add(right - i * lanes, right + i * lanes, lanes);
    }
    std::memcpy(out + y * t.width * lanes, left, static_cast<std::size_t>(t.width * lanes) * sizeof(float));
  }
}

void pad_planar(const PaddedTensor& t, PaddingMode mode, const float* planar, float* padded) {
  const std::int64_t pixels = t.height * t.width;
  for_each_parallel(t.batch, [&](std::int64_t n) {
    float* plane = padded + n * t.plane_floats();
    for (std::int64_t y = 0; y < t.height; ++y) {
      float* to = plane + t.interior_offset() + y * t.row_floats();
      const float* from = planar + n * t.channels * pixels + y * t.width;
      for (std::int64_t x = 0; x < t.width; ++x)
        for (std::int64_t c = 0; c < t.channels; ++c) to[x * kBlock + c] = from[c * pixels + x];
    }
    fill_padding(t, mode, plane);
  });
}

}  // namespace torsor
