#include "kernels/turned_image.h"

#include <cstring>

#include "kernels/parallel.h"

namespace torsor {

PixelProducts TurnedImage::products() const {
  PixelProducts p;
  p.steps = steps();
  p.a_block = block_values();
  p.a_row = row_values();
  p.a_lane = lane_values();
  return p;
}

ProductMemory product_memory(std::int64_t turned, std::int64_t paired, std::int64_t sums) {
  thread_local Bf16Buffer of_turned, of_paired;
  thread_local FloatBuffer of_sums;
  return {of_turned.at_least(static_cast<std::size_t>(turned)),
          of_paired.at_least(static_cast<std::size_t>(paired)),
          of_sums.at_least(static_cast<std::size_t>(sums))};
}

void pair_up(const Bf16Stages& stages, std::int64_t pixels, std::int64_t step, const float* lines,
             std::int64_t steps, std::uint16_t* out, std::int64_t block_stride) {
  stages.pair_pixels(pixels, step, lines, out, block_stride);
  const std::int64_t done = (pixels + 1) / 2 * kWideBlock, rest = steps * kStepValues - done;
  for (std::int64_t half = 0; half < 2; ++half)
    std::memset(out + half * block_stride + done, 0, static_cast<std::size_t>(rest) * sizeof *out);
}

void turn_image(const Bf16Stages& stages, const Frame& f, const float* first, const TurnedImage& t,
                std::uint16_t* out) {
  for_each_parallel(f.blocks() * t.rows, [&](std::int64_t i) {
    thread_local Bf16Buffer scratch;
    std::uint16_t* pairs = scratch.at_least(static_cast<std::size_t>(2 * t.row_values()));
    const std::int64_t block = i / t.rows, y = i % t.rows;
    pair_up(stages, t.pixels, kBlock, first + block * f.plane_floats() + y * f.row_floats(), t.steps(), pairs,
            t.row_values());
    std::uint16_t* row = out + 2 * block * t.block_values() + y * t.row_values();
    for (std::int64_t half = 0; half < 2; ++half)
      for (std::int64_t step = 0; step < t.steps(); ++step)
        stages.turn_pairs(pairs + half * t.row_values() + step * kStepValues,
                          row + half * t.block_values() + step * kStepPixels, t.lane_values());
  });
}

}  // namespace torsor
