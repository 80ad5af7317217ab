#include "kernels/frame.h"

#include <algorithm>
#include <cstring>

#include "kernels/parallel.h"

namespace torsor {

namespace {

// Pixels [0, count) of `to`, those of `from` or zeros.
void set_pixels(LinePart part, std::int64_t count, float* to, const float* from) {
  const auto set = [&](float* there, const float* source, std::int64_t floats) {
    const auto bytes = static_cast<std::size_t>(floats) * sizeof(float);
    source != nullptr ? std::memcpy(there, source, bytes) : std::memset(there, 0, bytes);
  };
  if (part.count == kBlock) return set(to, from, count * kBlock);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t at = i * kBlock + part.first;
    set(to + at, from != nullptr ? from + at : nullptr, part.count);
  }
}

}  // namespace

void fill_border(const Frame& f, Border border, float* plane, LinePart part) {
  const std::int64_t row = f.row_floats(), b = f.border;
  const bool mirrors = border == Border::reflect;
  const auto mirror = [&](const float* from) { return mirrors ? from : nullptr; };
  for (std::int64_t y = b; y < b + f.height; ++y) {
    float *left = plane + y * row + b * kBlock, *right = left + (f.width - 1) * kBlock;
    for (std::int64_t i = 1; i <= b; ++i) {
      set_pixels(part, 1, left - i * kBlock, mirror(left + i * kBlock));
      set_pixels(part, 1, right + i * kBlock, mirror(right - i * kBlock));
    }
  }
  float *top = plane + b * row, *bottom = top + (f.height - 1) * row;
  for (std::int64_t i = 1; i <= b; ++i) {
    set_pixels(part, f.full_width(), top - i * row, mirror(top + i * row));
    set_pixels(part, f.full_width(), bottom + i * row, mirror(bottom - i * row));
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
