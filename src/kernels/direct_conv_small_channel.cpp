// Small-channel convolution with bfloat16 operands: up to four channels on one side, channels-last. A cache
// line holds eight pixels of four channels, so that one product covers a kernel row of a small source; with a
// small result side one product yields the partial sums of all kernel columns.
#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/direct_conv.h"
#include "kernels/parallel.h"
#include "kernels/transposed_image.h"

namespace torsor {

namespace {

constexpr std::int64_t kBandRows = 4;  // of results whose columns are summed at once
constexpr std::int64_t kMaxParts = 8;  // of a weight gradient, each with its own accumulators

}  // namespace

DirectConv::SmallChannelLayout DirectConv::small_channel_layout() const {
  const std::int64_t square = shape_.kernel * shape_.kernel, in = shape_.in_channels * square;
  if (small_side_ == SmallSide::source) return {shape_.out_channels, shape_.in_channels, in, square};
  return {shape_.in_channels, shape_.out_channels, square, in};
}

// An offset for each kernel row, that of its leftmost pixel; taps go from left to right.
DirectConv::Grid DirectConv::rows_of_taps(const Grid& grid) const {
  Grid rows = grid;
  rows.offsets.clear();
  const std::size_t count = grid.taps.size();
  for (std::size_t i = 0, last = 0; i < count; i = last) {
    while (last < count && grid.taps[last] / shape_.kernel == grid.taps[i] / shape_.kernel) ++last;
    const bool to_the_left = last - i > 1 && grid.offsets[i + 1] < grid.offsets[i];
    rows.offsets.push_back(to_the_left ? grid.offsets[last - 1] : grid.offsets[i]);
    if (to_the_left)
      std::reverse(rows.taps.begin() + static_cast<std::ptrdiff_t>(i),
                   rows.taps.begin() + static_cast<std::ptrdiff_t>(last));
    rows.columns = static_cast<std::int64_t>(last - i);
  }
  return rows;
}

// VNNI-packed [wide / 32][row][2][16 pairs][16][2]. Small source: pairs of (column, channel), lanes of
// results; small result: pairs of sources, lanes of (column, channel).
void DirectConv::pack_small_channel(const Grid& grid, SmallSide small, const float* weight,
                                    float* packed) const {
  const SmallChannelLayout layout = small_channel_layout();
  const auto rows = static_cast<std::int64_t>(grid.offsets.size());
  for_each_parallel(layout.wide / kWideBlock, [&](std::int64_t block) {
    auto* to = reinterpret_cast<std::uint16_t*>(packed) + block * rows * 2 * kStepValues;
    std::memset(to, 0, static_cast<std::size_t>(rows * 2 * kStepValues) * sizeof *to);
    const auto put = [&](std::int64_t row, std::int64_t inner, std::int64_t lane, float value) {
      to[(row * 2 + lane / kBlock) * kStepValues + (inner / 2 * kBlock + lane % kBlock) * 2 + inner % 2] =
          to_bf16(value);
    };
    for (std::int64_t row = 0; row < rows; ++row)
      for (std::int64_t m = 0; m < kWideBlock; ++m)
        for (std::int64_t j = 0; j < grid.columns; ++j)
          for (std::int64_t c = 0; c < layout.small; ++c) {
            const std::int64_t tap = grid.taps[static_cast<std::size_t>(row * grid.columns + j)];
            const std::int64_t of_small = j * kMaxSmallChannels + c;
            const float value =
                weight[(block * kWideBlock + m) * layout.wide_stride + c * layout.small_stride + tap];
            small == SmallSide::source ? put(row, of_small, m, value) : put(row, m, of_small, value);
          }
  });
}

void DirectConv::compute_small_channel(const Grid& grid, const PaddedTensor& source, const float* x,
                                       const float* packed, const float* bias, const Image& image) const {
  if (grid.rows == 0 || grid.pixels == 0) return;
  static constexpr std::array<float, 2 * kBlock> kZeros{};
  std::array<float, kMaxSmallChannels> first_value{};
  if (bias != nullptr) std::copy_n(bias, image.channels, first_value.begin());
  TapRow p;
  p.pixels = grid.pixels + grid.columns - 1;
  p.blocks = source.blocks();
  p.block_stride = source.plane_floats();
  p.taps = static_cast<std::int64_t>(grid.offsets.size());
  p.offsets = grid.offsets.data();
  p.out_blocks = 2;
  p.out_stride = kBandRows * p.pixels * kBlock;
  const std::int64_t bands = (grid.rows + kBandRows - 1) / kBandRows;
  for_each_parallel(source.batch * bands, [&](std::int64_t i) {
    thread_local FloatBuffer buffer;
    float* sums =
        buffer.at_least(static_cast<std::size_t>(2 * p.out_stride + grid.pixels * kMaxSmallChannels));
    float* results = sums + 2 * p.out_stride;
    const std::int64_t n = i / bands, first = i % bands * kBandRows,
                       last = std::min(first + kBandRows, grid.rows);
    bf16_->rows(p, {last - first, grid.row_step, p.pixels * kBlock},
                x + n * p.blocks * p.block_stride + grid.first + first * grid.row_step, packed, kZeros.data(),
                sums);
    for (std::int64_t row = first; row < last; ++row) {
      bf16_->add_columns({grid.pixels, grid.columns, p.out_stride}, sums + (row - first) * p.pixels * kBlock,
                         first_value.data(), results);
      for (std::int64_t c = 0; c < image.channels; ++c) {
        float* to =
            image.data + (n * image.channels + c) * image.pixels + grid.out_first + row * grid.out_row_step;
        for (std::int64_t j = 0; j < grid.pixels; ++j)
          to[j * grid.out_step] = results[j * kMaxSmallChannels + c];
      }
    }
  });
}

void DirectConv::pad_planar(const PaddedTensor& t, PaddingMode mode, const float* planar,
                            float* padded) const {
  if (small_side_ == SmallSide::none) return torsor::pad_planar(t, mode, planar, padded);
  for_each_parallel(t.batch * t.height, [&](std::int64_t i) {
    thread_local Bf16Buffer buffer;
    std::uint16_t* row = buffer.at_least(static_cast<std::size_t>(t.width));
    const std::int64_t n = i / t.height, y = i % t.height;
    auto* to = reinterpret_cast<std::uint16_t*>(padded + n * t.plane_floats() + t.interior_offset() +
                                                y * t.row_floats());
    std::memset(to, 0, static_cast<std::size_t>(t.width * kMaxSmallChannels) * sizeof *to);
    for (std::int64_t c = 0; c < t.channels; ++c) {
      bf16_->round(t.width, planar + ((n * t.channels + c) * t.height + y) * t.width, row);
      for (std::int64_t x = 0; x < t.width; ++x) to[x * kMaxSmallChannels + c] = row[x];
    }
  });
  for (std::int64_t n = 0; n < t.batch; ++n) fill_padding(t, mode, padded + n * t.plane_floats());
  float* end = padded + t.batch * t.plane_floats();
  std::fill(end, padded + t.floats(), 0.0F);
}

// A GEMM of the wide side, transposed, and the small side, VNNI-packed over pixels, whose two blocks are
// columns 0 to 3 and 4 to 7. With a small result side the zero-padded output gradient is shifted instead: the
// kernel is reversed.
void DirectConv::small_channel_weight_gradient(const float* padded_x, const float* padded_dy,
                                               float* dw) const {
  const bool forwards = small_side_ == SmallSide::source;
  const PaddedTensor &small = forwards ? in_ : out_, &wide = forwards ? out_ : in_;
  const float *small_images = forwards ? padded_x : padded_dy,
              *wide_images = forwards ? padded_dy + wide.interior_offset() : padded_x;
  const std::int64_t k = shape_.kernel, s = shape_.stride;
  const TransposedImage transposed = forwards ? TransposedImage{wide.height, wide.width}
                                              : TransposedImage{wide.padded_height(), wide.padded_width()};
  const std::int64_t vnni_block = small.padded_height() * transposed.row_values();
  const std::int64_t parts = std::min(kMaxParts, transposed.rows), block_sums = k * kTapSums,
                     part_sums = wide.blocks() * block_sums;
  const WeightGradientScratch memory = weight_gradient_scratch(2 * wide.blocks() * transposed.block_values(),
                                                               2 * vnni_block, parts * part_sums);
  std::uint16_t *a = memory.transposed, *b = memory.vnni;
  float* sums = memory.sums;
  std::memset(sums, 0, static_cast<std::size_t>(parts * part_sums) * sizeof(float));
  std::vector<std::int64_t> offsets;
  for (std::int64_t y = 0; y < k; ++y) offsets.push_back(y * transposed.row_values());
  for (std::int64_t n = 0; n < shape_.batch; ++n) {
    transpose_image(*bf16_, wide, wide_images + n * wide.blocks() * wide.plane_floats(), transposed, a);
    for_each_parallel(small.padded_height(), [&](std::int64_t y) {
      vnni_pack_row(*bf16_, transposed.pixels, s * small.pixel_stride,
                    small_images + n * small.plane_floats() + y * small.row_floats(), transposed.steps(),
                    b + y * transposed.row_values(), vnni_block);
    });
    for_each_parallel(wide.blocks() * parts, [&](std::int64_t i) {
      const std::int64_t block = i / parts, part = i % parts;
      const std::int64_t first = part * transposed.rows / parts, last = (part + 1) * transposed.rows / parts;
      PixelProducts p = transposed.products();
      p.rows = last - first;
      p.b_block = vnni_block;
      p.b_row = s * transposed.row_values();
      p.taps = k;
      p.offsets = offsets.data();
      bf16_->products(p, a + 2 * block * p.a_block + first * p.a_row, b + first * p.b_row,
                      sums + part * part_sums + block * block_sums);
    });
  }
  const SmallChannelLayout layout = small_channel_layout();
  for_each_parallel(layout.wide, [&](std::int64_t m) {
    for (std::int64_t y = 0; y < k; ++y)
      for (std::int64_t x = 0; x < k; ++x)
        for (std::int64_t c = 0; c < layout.small; ++c) {
          const std::int64_t tile = 2 * (x / 4) + m / kBlock % 2, column = x % 4 * kMaxSmallChannels + c;
          const float* from = sums + m / kWideBlock * block_sums + y * kTapSums +
                              (tile * kBlock + m % kBlock) * kBlock + column;
          float total = 0;
          for (std::int64_t part = 0; part < parts; ++part) total += from[part * part_sums];
          const std::int64_t tap = forwards ? y * k + x : (k - 1 - y) * k + k - 1 - x;
          dw[m * layout.wide_stride + c * layout.small_stride + tap] = total;
        }
  });
}

}  // namespace torsor
