// DirectConv with bfloat16 operands: packing of weights, and their gradient, a GEMM that reduces over pixels.
#include <algorithm>
#include <cstring>

#include "kernels/direct_conv.h"
#include "kernels/parallel.h"
#include "kernels/transposed_image.h"

namespace torsor {

namespace {

constexpr std::int64_t kStepsOfBand = 8;  // read once per tap, so that they stay cached

// The input, VNNI-packed over pixels, [blocks][rows][phases][2][pairs][16][2]: phase p holds columns p,
// p + stride, ...; pairs begin at even pixels, and once more at odd ones, so that each tap's pairs are
// aligned. Zeros follow a row's last pixel.
struct VnniImage {
  std::int64_t rows, phases, steps;
  std::int64_t kind_values() const { return steps * kStepValues; }
  std::int64_t row_values() const { return phases * 2 * kind_values(); }
  std::int64_t block_values() const { return rows * row_values(); }
  std::int64_t offset(std::int64_t tap_row, std::int64_t tap_column) const {
    const std::int64_t phase = tap_column % phases, shift = tap_column / phases;
    return tap_row * row_values() + (phase * 2 + shift % 2) * kind_values() + shift / 2 * kWideBlock;
  }
};

void vnni_pack_image(const Bf16Stages& stages, const PaddedTensor& t, const float* image, const VnniImage& p,
                     std::uint16_t* out) {
  for_each_parallel(t.blocks() * p.rows, [&](std::int64_t i) {
    const std::int64_t block = i / p.rows, y = i % p.rows;
    const float* lines = image + block * t.plane_floats() + y * t.row_floats();
    std::uint16_t* kind = out + 2 * block * p.block_values() + y * p.row_values();
    for (std::int64_t phase = 0; phase < p.phases; ++phase)
      for (std::int64_t parity = 0; parity < 2; ++parity, kind += p.kind_values()) {
        const std::int64_t first = phase + parity * p.phases;
        const std::int64_t pixels =
            std::max<std::int64_t>(0, (t.padded_width() - first + p.phases - 1) / p.phases);
        vnni_pack_row(stages, pixels, p.phases * kBlock, lines + first * kBlock, p.steps, kind,
                      p.block_values());
      }
  });
}

}  // namespace

// VNNI-packed [results / 32][sources / 32][tap][2][16 pairs][16][2]. Weights are rounded one channel at a
// time of the side with the larger stride: a contiguous run, with all taps of the other side.
void DirectConv::pack_bf16(const Grid& grid, std::int64_t results, std::int64_t sources,
                           std::int64_t result_step, std::int64_t source_step, const float* weight,
                           float* packed) const {
  const auto taps = static_cast<std::int64_t>(grid.taps.size());
  const std::int64_t blocks = sources / kWideBlock;
  const bool results_apart = result_step > source_step;
  const std::int64_t runs = results_apart ? kBlock : kWideBlock, of_run = results_apart ? kWideBlock : kBlock,
                     between = results_apart ? result_step : source_step,
                     square = results_apart ? source_step : result_step;
  for_each_parallel(results / kBlock * blocks, [&](std::int64_t i) {
    thread_local Bf16Buffer scratch;
    std::uint16_t* rounded = scratch.at_least(static_cast<std::size_t>(of_run * square));
    const std::int64_t result = i / blocks, source = i % blocks;
    const float* from = weight + result * kBlock * result_step + source * kWideBlock * source_step;
    auto* to = reinterpret_cast<std::uint16_t*>(packed) +
               ((result / 2 * blocks + source) * taps * 2 + result % 2) * kStepValues;
    for (std::int64_t run = 0; run < runs; ++run) {
      bf16_->round(of_run * square, from + run * between, rounded);
      for (std::int64_t j = 0; j < of_run; ++j) {
        const std::int64_t lane = results_apart ? run : j, c = results_apart ? j : run;
        std::uint16_t* place = to + (c / 2 * kBlock + lane) * 2 + c % 2;
        for (std::int64_t t = 0; t < taps; ++t)
          place[t * 2 * kStepValues] = rounded[j * square + grid.taps[static_cast<std::size_t>(t)]];
      }
    }
  });
}

void DirectConv::bf16_weight_gradient(const float* padded_x, const float* padded_dy, float* dw) const {
  const std::int64_t k = shape_.kernel, s = shape_.stride, taps = k * k;
  const TransposedImage transposed{out_.height, out_.width};
  const std::int64_t last_shift = (k - 1) / s, columns = (in_.padded_width() + s - 1) / s;
  const VnniImage vnni{in_.padded_height(), s,
                       steps_of(std::max(columns, transposed.lane_values() + last_shift))};
  std::vector<std::int64_t> offsets;
  for (std::int64_t t = 0; t < taps; ++t) offsets.push_back(vnni.offset(t / k, t % k));
  const std::int64_t unit_sums = taps * kTapSums;
  const WeightGradientScratch memory = weight_gradient_scratch(2 * out_.blocks() * transposed.block_values(),
                                                               2 * in_.blocks() * vnni.block_values(),
                                                               in_.blocks() * out_.blocks() * unit_sums);
  std::uint16_t *a = memory.transposed, *b = memory.vnni;
  float* sums = memory.sums;
  const auto sums_of = [&](std::int64_t in, std::int64_t out) {
    return sums + (in * out_.blocks() + out) * unit_sums;
  };
  // A band of one input block is multiplied with all output blocks, or with a part of them where that would
  // leave threads idle.
  const std::int64_t parts = std::clamp<std::int64_t>(2 * max_threads() / in_.blocks(), 1, out_.blocks());
  const std::int64_t band = std::max<std::int64_t>(1, kStepsOfBand / transposed.steps());
  for (std::int64_t n = 0; n < shape_.batch; ++n) {
    transpose_image(*bf16_, out_,
                    padded_dy + n * out_.blocks() * out_.plane_floats() + out_.interior_offset(), transposed,
                    a);
    vnni_pack_image(*bf16_, in_, padded_x + n * in_.blocks() * in_.plane_floats(), vnni, b);
    for_each_parallel(in_.blocks() * parts, [&](std::int64_t i) {
      const std::int64_t in = i / parts, first = i % parts * out_.blocks() / parts,
                         last = (i % parts + 1) * out_.blocks() / parts;
      if (n == 0)
        for (std::int64_t out = first; out < last; ++out)
          std::memset(sums_of(in, out), 0, static_cast<std::size_t>(unit_sums) * sizeof(float));
      PixelProducts p = transposed.products();
      p.b_block = vnni.block_values();
      p.b_row = s * vnni.row_values();
      p.taps = taps;
      p.offsets = offsets.data();
      for (std::int64_t y = 0; y < out_.height; y += band) {
        p.rows = std::min(band, out_.height - y);
        for (std::int64_t out = first; out < last; ++out)
          bf16_->products(p, a + 2 * out * p.a_block + y * p.a_row, b + 2 * in * p.b_block + y * p.b_row,
                          sums_of(in, out));
      }
    });
  }
  for_each_parallel(shape_.out_channels, [&](std::int64_t out) {
    for (std::int64_t c = 0; c < shape_.in_channels; ++c) {
      const std::int64_t tile = 2 * (c / kBlock % 2) + out / kBlock % 2;
      const float* sum =
          sums_of(c / kWideBlock, out / kWideBlock) + (tile * kBlock + out % kBlock) * kBlock + c % kBlock;
      for (std::int64_t t = 0; t < taps; ++t)
        dw[(out * shape_.in_channels + c) * taps + t] = sum[t * kTapSums];
    }
  });
}

}  // namespace torsor
