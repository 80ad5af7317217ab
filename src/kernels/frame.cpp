#include "kernels/frame.h"

#include <algorithm>
#include <cstring>

#include "kernels/parallel.h"

namespace torsor {

namespace {

// This part of pixels [0, count) of `to`: that of `from`, or zeros.
void set_pixels(std::int64_t pixel, LinePart part, std::int64_t count, float* to, const float* from) {
  const auto set = [&](std::int64_t at, std::int64_t floats) {
    const auto bytes = static_cast<std::size_t>(floats) * sizeof(float);
    from != nullptr ? std::memcpy(to + at, from + at, bytes) : std::memset(to + at, 0, bytes);
  };
  if (part.count == pixel) return set(0, count * pixel);
  for (std::int64_t i = 0; i < count; ++i) set(i * pixel + part.first, part.count);
}

}  // namespace

void fill_border(const Frame& f, Border border, float* plane) { fill_border(f, border, plane, {0, f.pixel}); }

void fill_border(const Frame& f, Border border, float* plane, LinePart part) {
  const std::int64_t row = f.row_floats(), b = f.border;
  const bool mirrors = border == Border::reflect;
  const auto set = [&](std::int64_t count, float* to, const float* mirrored) {
    set_pixels(f.pixel, part, count, to, mirrors ? mirrored : nullptr);
  };
  for (std::int64_t y = b; y < b + f.height; ++y) {
    float *left = plane + y * row + b * f.pixel, *right = left + (f.width - 1) * f.pixel;
    for (std::int64_t i = 1; i <= b; ++i) {
      set(1, left - i * f.pixel, left + i * f.pixel);
      set(1, right + i * f.pixel, right - i * f.pixel);
    }
  }
  float *top = plane + b * row, *bottom = top + (f.height - 1) * row;
  for (std::int64_t i = 1; i <= b; ++i) {
    set(f.full_width(), top - i * row, top + i * row);
    set(f.full_width(), bottom + i * row, bottom - i * row);
  }
}

void fold_border(const Frame& f, std::int64_t lanes, float* plane, float* out) {
  const std::int64_t row = f.full_width() * lanes, b = f.border;
  const auto add = [](float* to, const float* from, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) to[i] += from[i];
  };
  float *top = plane + b * row, *bottom = top + (f.height - 1) * row;
  for (std::int64_t i = 1; i <= b; ++i) {
    add(top + i * row, top - i * row, row);
    add(bottom - i * row, bottom + i * row, row);
  }
  for (std::int64_t y = 0; y < f.height; ++y) {
    float *left = top + y * row + b * lanes, *right = left + (f.width - 1) * lanes;
    for (std::int64_t i = 1; i <= b; ++i) {
      add(left + i * lanes, left - i * lanes, lanes);
      add(right - i * lanes, right + i * lanes, lanes);
    }
    std::memcpy(out + y * f.width * lanes, left, static_cast<std::size_t>(f.width * lanes) * sizeof(float));
  }
}

void frame_planar(const Frame& f, Border border, const float* planar, float* framed) {
  const std::int64_t pixels = f.height * f.width;
  for_each_parallel(f.batch, [&](std::int64_t n) {
    float* plane = framed + n * f.plane_floats();
    for (std::int64_t y = 0; y < f.height; ++y) {
      float* to = plane + f.inside() + y * f.row_floats();
      const float* from = planar + n * f.channels * pixels + y * f.width;
      for (std::int64_t x = 0; x < f.width; ++x)
        for (std::int64_t c = 0; c < f.channels; ++c) to[x * kBlock + c] = from[c * pixels + x];
    }
    fill_border(f, border, plane);
  });
}

}  // namespace torsor
