#include "kernels/transposed_image.h"

#include <cstring>

#include "kernels/parallel.h"

namespace torsor {

PixelProducts TransposedImage::products() const {
  PixelProducts p;
  p.steps = steps();
  p.a_block = block_values();
  p.a_row = row_values();
  p.a_lane = lane_values();
  return p;
}

WeightGradientScratch weight_gradient_scratch(std::int64_t transposed, std::int64_t vnni, std::int64_t sums) {
  thread_local Bf16Buffer of_transposed, of_vnni;
  thread_local FloatBuffer of_sums;
  return {of_transposed.at_least(static_cast<std::size_t>(transposed)),
          of_vnni.at_least(static_cast<std::size_t>(vnni)), of_sums.at_least(static_cast<std::size_t>(sums))};
}

void vnni_pack_row(const Bf16Stages& stages, std::int64_t pixels, std::int64_t step, const float* lines,
                   std::int64_t steps, std::uint16_t* out, std::int64_t block_stride) {
  stages.vnni_pack(pixels, step, lines, out, block_stride);
  const std::int64_t done = (pixels + 1) / 2 * kWideBlock, rest = steps * kStepValues - done;
  for (std::int64_t half = 0; half < 2; ++half)
    std::memset(out + half * block_stride + done, 0, static_cast<std::size_t>(rest) * sizeof *out);
}

void transpose_image(const Bf16Stages& stages, const PaddedTensor& t, const float* first,
                     const TransposedImage& image, std::uint16_t* out) {
  for_each_parallel(t.blocks() * image.rows, [&](std::int64_t i) {
    thread_local Bf16Buffer scratch;
    std::uint16_t* pairs = scratch.at_least(static_cast<std::size_t>(2 * image.row_values()));
    const std::int64_t block = i / image.rows, y = i % image.rows;
    vnni_pack_row(stages, image.pixels, kBlock, first + block * t.plane_floats() + y * t.row_floats(),
                  image.steps(), pairs, image.row_values());
    std::uint16_t* row = out + 2 * block * image.block_values() + y * image.row_values();
    for (std::int64_t half = 0; half < 2; ++half)
      for (std::int64_t step = 0; step < image.steps(); ++step)
        stages.transpose_vnni(pairs + half * image.row_values() + step * kStepValues,
                              row + half * image.block_values() + step * kStepPixels, image.lane_values());
  });
}

}  // namespace torsor
