#include "kernels/frame.h"

#include <algorithm>
#include <cstring>

#include "kernels/parallel.h"

namespace torsor {

void fill_border(const Frame& f, Border border, float* plane) {
  if (f.border == 0) return;
  const std::int64_t row = f.row_floats(), b = f.border;
  if (border == Border::zero) {
    const std::size_t above = static_cast<std::size_t>(b * row) * sizeof(float);
    const std::size_t beside = static_cast<std::size_t>(b * kBlock) * sizeof(float);
    std::memset(plane, 0, above);
    std::memset(plane + (b + f.height) * row, 0, above);
    for (std::int64_t y = b; y < b + f.height; ++y) {
      std::memset(plane + y * row, 0, beside);
      std::memset(plane + y * row + (b + f.width) * kBlock, 0, beside);
    }
    return;
  }
  const auto copy_pixel = [](float* to, const float* from) { std::memcpy(to, from, kBlock * sizeof(float)); };
  for (std::int64_t y = b; y < b + f.height; ++y) {
    float *left = plane + y * row + b * kBlock, *right = left + (f.width - 1) * kBlock;
    for (std::int64_t i = 1; i <= b; ++i) {
      copy_pixel(left - i * kBlock, left + i * kBlock);
      copy_pixel(right + i * kBlock, right - i * kBlock);
    }
  }
  float *top = plane + b * row, *bottom = top + (f.height - 1) * row;
  for (std::int64_t i = 1; i <= b; ++i) {
    std::memcpy(top - i * row, top + i * row, static_cast<std::size_t>(row) * sizeof(float));
    std::memcpy(bottom + i * row, bottom - i * row, static_cast<std::size_t>(row) * sizeof(float));
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
