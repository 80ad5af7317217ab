// Convolutions of bfloat16 with few channels on one side. A line of memory holds eight pixels of four
// channels, so that one product takes in all that a row of the kernel asks of a few channels; where they are
// the results, one product gives what all columns of the kernel add to them.
#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/direct_conv.h"
#include "kernels/parallel.h"
#include "kernels/turned_image.h"

namespace torsor {

namespace {

constexpr std::int64_t kBandRows = 4;   // of results that columns are summed for at once
constexpr std::int64_t kMostParts = 8;  // of a weight gradient, each with sums of its own

}  // namespace

DirectConv::FewLayout DirectConv::few_layout() const {
  const std::int64_t square = shape_.kernel * shape_.kernel, in = shape_.in_channels * square;
  if (few_ == Few::sources) return {shape_.out_channels, shape_.in_channels, in, square};
  return {shape_.in_channels, shape_.out_channels, square, in};
}

// An offset for each row of the kernel, that of its leftmost pixel; taps from there to the right.
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

// [many / 32][row][2][16 pairs][16][2]. Few sources: pairs of (column, channel), lanes of results; few
// results: pairs of sources, lanes of (column, channel).
void DirectConv::pack_few(const Grid& grid, Few few, const float* weight, float* packed) const {
  const FewLayout layout = few_layout();
  const auto rows = static_cast<std::int64_t>(grid.offsets.size());
  for_each_parallel(layout.many / kWideBlock, [&](std::int64_t block) {
    auto* to = reinterpret_cast<std::uint16_t*>(packed) + block * rows * 2 * kStepValues;
    std::memset(to, 0, static_cast<std::size_t>(rows * 2 * kStepValues) * sizeof *to);
    const auto put = [&](std::int64_t row, std::int64_t inner, std::int64_t lane, float value) {
      to[(row * 2 + lane / kBlock) * kStepValues + (inner / 2 * kBlock + lane % kBlock) * 2 + inner % 2] =
          to_bf16(value);
    };
    for (std::int64_t row = 0; row < rows; ++row)
      for (std::int64_t m = 0; m < kWideBlock; ++m)
        for (std::int64_t j = 0; j < grid.columns; ++j)
          for (std::int64_t c = 0; c < layout.few; ++c) {
            const std::int64_t tap = grid.taps[static_cast<std::size_t>(row * grid.columns + j)];
            const std::int64_t of_few = j * kMostFew + c;
            const float value =
                weight[(block * kWideBlock + m) * layout.many_step + c * layout.few_step + tap];
            few == Few::sources ? put(row, of_few, m, value) : put(row, m, of_few, value);
          }
  });
}

void DirectConv::compute_few(const Grid& grid, const Frame& source, const float* x, const float* packed,
                             const float* start, const Image& image) const {
  if (grid.rows == 0 || grid.pixels == 0) return;
  static constexpr std::array<float, 2 * kBlock> kZeros{};
  std::array<float, kMostFew> first_value{};
  if (start != nullptr) std::copy_n(start, image.channels, first_value.begin());
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
    float* sums = buffer.at_least(static_cast<std::size_t>(2 * p.out_stride + grid.pixels * kMostFew));
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
        for (std::int64_t j = 0; j < grid.pixels; ++j) to[j * grid.out_step] = results[j * kMostFew + c];
      }
    }
  });
}

void DirectConv::frame_planar(const Frame& f, Border border, const float* planar, float* framed) const {
  if (few_ == Few::none) return torsor::frame_planar(f, border, planar, framed);
  for_each_parallel(f.batch * f.height, [&](std::int64_t i) {
    thread_local Bf16Buffer buffer;
    std::uint16_t* row = buffer.at_least(static_cast<std::size_t>(f.width));
    const std::int64_t n = i / f.height, y = i % f.height;
    auto* to =
        reinterpret_cast<std::uint16_t*>(framed + n * f.plane_floats() + f.inside() + y * f.row_floats());
    std::memset(to, 0, static_cast<std::size_t>(f.width * kMostFew) * sizeof *to);
    for (std::int64_t c = 0; c < f.channels; ++c) {
      bf16_->round(f.width, planar + ((n * f.channels + c) * f.height + y) * f.width, row);
      for (std::int64_t x = 0; x < f.width; ++x) to[x * kMostFew + c] = row[x];
    }
  });
  for (std::int64_t n = 0; n < f.batch; ++n) fill_border(f, border, framed + n * f.plane_floats());
  float* end = framed + f.batch * f.plane_floats();
  std::fill(end, framed + f.floats(), 0.0F);
}

// The few channels' image in pairs, whose two blocks are columns 0 to 3 and 4 to 7, meets the many channels'
// turned one. Where results are few it is the output's gradient, in its frame of zeros, that is moved about:
// the kernel backwards.
void DirectConv::few_weight_gradient(const float* framed_x, const float* framed_dy, float* dw) const {
  const bool forwards = few_ == Few::sources;
  const Frame &few = forwards ? in_ : out_, &many = forwards ? out_ : in_;
  const float *few_images = forwards ? framed_x : framed_dy,
              *many_images = forwards ? framed_dy + many.inside() : framed_x;
  const std::int64_t k = shape_.kernel, s = shape_.stride;
  const TurnedImage turned =
      forwards ? TurnedImage{many.height, many.width} : TurnedImage{many.full_height(), many.full_width()};
  const std::int64_t pair_block = few.full_height() * turned.row_values();
  const std::int64_t parts = std::min(kMostParts, turned.rows), block_sums = k * kTapSums,
                     part_sums = many.blocks() * block_sums;
  const ProductMemory memory =
      product_memory(2 * many.blocks() * turned.block_values(), 2 * pair_block, parts * part_sums);
  std::uint16_t *a = memory.turned, *b = memory.paired;
  float* sums = memory.sums;
  std::memset(sums, 0, static_cast<std::size_t>(parts * part_sums) * sizeof(float));
  std::vector<std::int64_t> offsets;
  for (std::int64_t y = 0; y < k; ++y) offsets.push_back(y * turned.row_values());
  for (std::int64_t n = 0; n < shape_.batch; ++n) {
    turn_image(*bf16_, many, many_images + n * many.blocks() * many.plane_floats(), turned, a);
    for_each_parallel(few.full_height(), [&](std::int64_t y) {
      pair_up(*bf16_, turned.pixels, s * few.pixel,
              few_images + n * few.plane_floats() + y * few.row_floats(), turned.steps(),
              b + y * turned.row_values(), pair_block);
    });
    for_each_parallel(many.blocks() * parts, [&](std::int64_t i) {
      const std::int64_t block = i / parts, part = i % parts;
      const std::int64_t first = part * turned.rows / parts, last = (part + 1) * turned.rows / parts;
      PixelProducts p = turned.products();
      p.rows = last - first;
      p.b_block = pair_block;
      p.b_row = s * turned.row_values();
      p.taps = k;
      p.offsets = offsets.data();
      bf16_->products(p, a + 2 * block * p.a_block + first * p.a_row, b + first * p.b_row,
                      sums + part * part_sums + block * block_sums);
    });
  }
  const FewLayout layout = few_layout();
  for_each_parallel(layout.many, [&](std::int64_t m) {
    for (std::int64_t y = 0; y < k; ++y)
      for (std::int64_t x = 0; x < k; ++x)
        for (std::int64_t c = 0; c < layout.few; ++c) {
          const std::int64_t tile = 2 * (x / 4) + m / kBlock % 2, column = x % 4 * kMostFew + c;
          const float* from = sums + m / kWideBlock * block_sums + y * kTapSums +
                              (tile * kBlock + m % kBlock) * kBlock + column;
          float total = 0;
          for (std::int64_t part = 0; part < parts; ++part) total += from[part * part_sums];
          const std::int64_t tap = forwards ? y * k + x : (k - 1 - y) * k + k - 1 - x;
          dw[m * layout.many_step + c * layout.few_step + tap] = total;
        }
  });
}

}  // namespace torsor
