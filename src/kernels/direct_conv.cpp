#include "kernels/direct_conv.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "kernels/buffer.h"
#include "kernels/parallel.h"

namespace torsor {

namespace {

constexpr std::int64_t kMaxKernel = 16;
constexpr std::int64_t kMaxColumns = 8;  // small-channel pixels that a cache line holds
// Products of a partial sum; a sum of partial sums has smaller rounding errors.
constexpr std::int64_t kMaxTerms = 288;
// Results of a channel that a thread computes while the weights are cached.
constexpr std::int64_t kBandPixels = 1024;
// Pixel blocks that all taps read before the next ones: 8 KiB, which stay in the L1 cache.
constexpr std::int64_t kRowBlocks = 128;
// A weight gradient is split into bands of so many bytes of images, each with its own accumulators.
constexpr std::int64_t kBandBytes = 512 * 1024, kMaxBands = 16, kMaxSums = std::int64_t{1} << 22;

bool is_small(std::int64_t channels) { return channels <= kMaxSmallChannels; }

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Rows [first, last) of part `i` of `parts`.
std::pair<std::int64_t, std::int64_t> part_of(std::int64_t rows, std::int64_t i, std::int64_t parts) {
  return {i * rows / parts, (i + 1) * rows / parts};
}

}  // namespace

bool is_supported(const DirectShape& s, Operands operands) {
  const auto fits = [operands](std::int64_t channels) {
    if (operands == Operands::bf16)
      return channels >= 1 && (is_small(channels) || channels % kWideBlock == 0);
    return channels >= 1 && (is_small(channels) || channels % kBlock == 0);
  };
  const bool any_small = is_small(s.in_channels) || is_small(s.out_channels);
  if (operands == Operands::bf16 && any_small && s.kernel > kMaxColumns) return false;
  const bool has_results = s.height + 2 * s.padding >= s.kernel && s.width + 2 * s.padding >= s.kernel;
  return s.batch >= 1 && s.height >= 1 && s.width >= 1 && fits(s.in_channels) && fits(s.out_channels) &&
         !(is_small(s.in_channels) && is_small(s.out_channels)) && (s.stride == 1 || s.stride == 2) &&
         !(is_small(s.out_channels) && s.stride != 1) && s.kernel >= 1 && s.kernel <= kMaxKernel &&
         s.padding >= 0 && s.padding < s.kernel && has_results;
}

DirectConv::DirectConv(const DirectShape& shape, Isa isa, Operands operands)
    : shape_(shape), operands_(operands) {
  if (!is_supported(shape, operands)) throw std::logic_error("DirectConv: unsupported shape");
  if (operands == Operands::fp32) stages_ = &direct_stages(isa);
  if (operands == Operands::bf16) bf16_ = bf16_stages(isa);
  if (operands == Operands::bf16 && bf16_ == nullptr)
    throw std::logic_error("DirectConv: no bfloat16 with " + isa_name(isa) + " here");
  in_ = {shape.batch, shape.in_channels, shape.height, shape.width, shape.padding};
  out_ = {shape.batch, shape.out_channels, shape.out_height(), shape.out_width(),
          ceil_div(shape.kernel - 1, shape.stride)};
  if (operands == Operands::fp32) return;
  in_ = is_small(shape.in_channels) ? in_.bf16_channels_last() : in_.bf16_blocked();
  out_ = is_small(shape.out_channels) ? out_.bf16_channels_last() : out_.bf16_blocked();
  if (is_small(shape.in_channels)) small_side_ = SmallSide::source;
  if (is_small(shape.out_channels)) small_side_ = SmallSide::result;
}

std::size_t DirectConv::weight_floats() const {
  std::int64_t backward = 0;
  for (const Grid& grid : backward_grids(Region::image)) backward += packed_floats(grid);
  return static_cast<std::size_t>(std::max(packed_floats(forward_grid()), backward));
}

std::int64_t DirectConv::packed_floats(const Grid& grid) const {
  const auto offsets = static_cast<std::int64_t>(grid.offsets.size());
  if (small_side_ != SmallSide::none) return offsets * small_channel_layout().wide * kBlock;
  return offsets * shape_.in_channels * shape_.out_channels / (operands_ == Operands::bf16 ? 2 : 1);
}

DirectConv::Grid DirectConv::forward_grid() const {
  const std::int64_t k = shape_.kernel, s = shape_.stride;
  Grid grid{out_.height, out_.width, 0, s * in_.row_floats(), s, 0, out_.width, 1, {}, {}, 1};
  for (std::int64_t y = 0; y < k; ++y)
    for (std::int64_t x = 0; x < k; ++x) {
      grid.taps.push_back(y * k + x);
      grid.offsets.push_back(y * in_.row_floats() + x * in_.pixel_stride);
    }
  return small_side_ == SmallSide::none ? grid : rows_of_taps(grid);
}

// dx[i] = sum over taps t with (i - t) divisible by the stride of dy[(i - t) / stride] * w[t], i counted from
// the beginning of the padding: a grid for each remainder.
std::vector<DirectConv::Grid> DirectConv::backward_grids(Region region) const {
  const std::int64_t k = shape_.kernel, s = shape_.stride;
  const std::int64_t skipped = region == Region::image ? shape_.padding : 0;
  const std::int64_t height = in_.padded_height() - 2 * skipped, width = in_.padded_width() - 2 * skipped;
  const auto first_of = [&](std::int64_t phase) { return ((phase - skipped) % s + s) % s; };
  std::vector<Grid> grids;
  for (std::int64_t py = 0; py < s; ++py)
    for (std::int64_t px = 0; px < s; ++px) {
      const std::int64_t y0 = first_of(py), x0 = first_of(px);
      const std::int64_t source_y = (y0 + skipped - py) / s + out_.padding,
                         source_x = (x0 + skipped - px) / s + out_.padding;
      Grid grid{ceil_div(std::max<std::int64_t>(height - y0, 0), s),
                ceil_div(std::max<std::int64_t>(width - x0, 0), s),
                source_y * out_.row_floats() + source_x * out_.pixel_stride,
                out_.row_floats(),
                1,
                y0 * width + x0,
                s * width,
                s,
                {},
                {},
                1};
      for (std::int64_t y = py; y < k; y += s)
        for (std::int64_t x = px; x < k; x += s) {
          grid.taps.push_back(y * k + x);
          grid.offsets.push_back(-((y - py) / s * out_.row_floats() + (x - px) / s * out_.pixel_stride));
        }
      grids.push_back(small_side_ == SmallSide::none ? std::move(grid) : rows_of_taps(grid));
    }
  return grids;
}

// [results / 16][sources / 16][tap][lanes][16]; with a small result side [sources / 16][tap][results][16].
void DirectConv::pack_taps(const Grid& grid, std::int64_t results, std::int64_t sources,
                           std::int64_t result_step, std::int64_t source_step, const float* weight,
                           float* packed) const {
  if (operands_ == Operands::bf16)
    return pack_bf16(grid, results, sources, result_step, source_step, weight, packed);
  const auto taps = static_cast<std::int64_t>(grid.taps.size());
  const bool small = is_small(results);
  const std::int64_t inner = small ? results : std::min(sources, kBlock),
                     outer_blocks = ceil_div(sources, kBlock);
  const std::int64_t lane_step = small ? source_step : result_step,
                     inner_step = small ? result_step : source_step;
  const std::int64_t result_blocks = small ? 1 : results / kBlock;
  for_each_parallel(result_blocks * outer_blocks, [&](std::int64_t i) {
    const std::int64_t result_block = i / outer_blocks, source_block = i % outer_blocks;
    const float* from = weight + result_block * kBlock * result_step + source_block * kBlock * source_step;
    float* to = packed + i * taps * inner * kBlock;
    for (std::int64_t k = 0; k < inner; ++k)
      for (std::int64_t t = 0; t < taps; ++t)
        for (std::int64_t lane = 0; lane < kBlock; ++lane)
          to[(t * inner + k) * kBlock + lane] =
              from[k * inner_step + lane * lane_step + grid.taps[static_cast<std::size_t>(t)]];
  });
}

void DirectConv::pack_weights(const float* weight, float* packed) const {
  const std::int64_t square = shape_.kernel * shape_.kernel;
  if (small_side_ != SmallSide::none) return pack_small_channel(forward_grid(), small_side_, weight, packed);
  pack_taps(forward_grid(), shape_.out_channels, shape_.in_channels, shape_.in_channels * square, square,
            weight, packed);
}

void DirectConv::pack_weights_backward(const float* weight, float* packed) const {
  const std::int64_t square = shape_.kernel * shape_.kernel;
  for (const Grid& grid : backward_grids(Region::image)) {
    if (small_side_ != SmallSide::none)
      pack_small_channel(grid, small_side_ == SmallSide::source ? SmallSide::result : SmallSide::source,
                         weight, packed);
    else
      pack_taps(grid, shape_.in_channels, shape_.out_channels, square, shape_.in_channels * square, weight,
                packed);
    packed += packed_floats(grid);
  }
}

void DirectConv::compute(const Grid& grid, const PaddedTensor& source, const float* x, const float* packed,
                         const float* bias, const Image& image) const {
  if (grid.rows == 0 || grid.pixels == 0) return;
  static constexpr std::array<float, kMaxOutBlocks * kBlock> kZeros{};
  const auto taps = static_cast<std::int64_t>(grid.offsets.size());
  const std::int64_t out_blocks = image.channels / kBlock, panels = ceil_div(out_blocks, kMaxOutBlocks);
  const std::int64_t bands = std::clamp<std::int64_t>(grid.rows * grid.pixels / kBandPixels, 1, grid.rows);
  const std::int64_t lanes = operands_ == Operands::bf16 ? kBlock : source.lanes();
  const std::int64_t block_weights = taps * lanes * kBlock;
  // AMX accumulates in tiles, and rounding of sums is small compared with that of the operands.
  const std::int64_t chunk =
      operands_ == Operands::bf16
          ? source.blocks()
          : std::max<std::int64_t>(1, kMaxTerms / std::max<std::int64_t>(1, taps * kBlock));
  for_each_parallel(source.batch * bands * panels, [&](std::int64_t i) {
    const std::int64_t n = i / (bands * panels), block = i % panels * kMaxOutBlocks;
    const auto [first_row, last_row] = part_of(grid.rows, i / panels % bands, bands);
    TapRow p;
    p.pixels = grid.pixels;
    p.step = grid.step;
    p.block_stride = source.plane_floats();
    p.pixel_stride = source.pixel_stride;
    p.lanes = lanes;
    p.taps = taps;
    p.offsets = grid.offsets.data();
    p.out_blocks = std::min(kMaxOutBlocks, out_blocks - block);
    p.weight_stride = source.blocks() * block_weights;
    p.out_stride = image.pixels * kBlock;
    p.out_step = grid.out_step * kBlock;
    RowSpan rows{0, grid.row_step, grid.out_row_step * kBlock};
    const float* weights = packed + block * p.weight_stride;
    const float* image_x = x + n * source.blocks() * p.block_stride + grid.first;
    float* out = image.data + ((n * out_blocks + block) * image.pixels + grid.out_first) * kBlock;
    for (std::int64_t first = 0; first < source.blocks(); first += chunk) {
      p.blocks = std::min(chunk, source.blocks() - first);
      const float* initial = first > 0 ? nullptr : bias != nullptr ? bias + block * kBlock : kZeros.data();
      const float *from = image_x + first * p.block_stride + first_row * grid.row_step,
                  *chunk_weights = weights + first * block_weights;
      float* to = out + first_row * rows.out_step;
      rows.count = last_row - first_row;
      if (bf16_ != nullptr) {
        bf16_->rows(p, rows, from, chunk_weights, initial, to);
        continue;
      }
      for (std::int64_t row = 0; row < rows.count; ++row)
        stages_->row(p, from + row * rows.step, chunk_weights, initial, to + row * rows.out_step);
    }
  });
}

void DirectConv::compute_dots(const Grid& grid, const PaddedTensor& source, const float* x,
                              const float* packed, const float* bias, const Image& image) const {
  if (small_side_ != SmallSide::none) return compute_small_channel(grid, source, x, packed, bias, image);
  static constexpr std::array<float, kMaxSmallChannels> kZeros{};
  DotRow p;
  p.pixels = grid.pixels;
  p.blocks = source.blocks();
  p.block_stride = source.plane_floats();
  p.taps = static_cast<std::int64_t>(grid.taps.size());
  p.offsets = grid.offsets.data();
  p.channels = image.channels;
  p.out_stride = image.pixels;
  p.out_step = grid.out_step;
  for_each_parallel(source.batch * grid.rows, [&](std::int64_t i) {
    const std::int64_t n = i / grid.rows, row = i % grid.rows;
    stages_->dots(p, x + n * source.blocks() * p.block_stride + grid.first + row * grid.row_step, packed,
                  bias != nullptr ? bias : kZeros.data(),
                  image.data + n * image.channels * image.pixels + grid.out_first + row * grid.out_row_step);
  });
}

void DirectConv::forward(const float* padded_x, const float* packed, const float* bias, float* y) const {
  const Image image{shape_.out_channels, out_.height * out_.width, y};
  if (is_small(shape_.out_channels)) return compute_dots(forward_grid(), in_, padded_x, packed, bias, image);
  compute(forward_grid(), in_, padded_x, packed, bias, image);
}

void DirectConv::input_gradient(const float* padded_dy, const float* packed_backward, Region region,
                                const float* bias, float* dx) const {
  const std::int64_t pixels =
      region == Region::image ? in_.height * in_.width : in_.padded_height() * in_.padded_width();
  const Image image{shape_.in_channels, pixels, dx};
  for (const Grid& grid : backward_grids(region)) {
    if (is_small(shape_.in_channels))
      compute_dots(grid, out_, padded_dy, packed_backward, bias, image);
    else
      compute(grid, out_, padded_dy, packed_backward, bias, image);
    packed_backward += packed_floats(grid);
  }
}

void DirectConv::weight_gradient(const float* padded_x, const float* padded_dy, float* dw) const {
  if (small_side_ != SmallSide::none) return small_channel_weight_gradient(padded_x, padded_dy, dw);
  if (operands_ == Operands::bf16) return bf16_weight_gradient(padded_x, padded_dy, dw);
  // Lanes of a are broadcast and multiplied with vectors of b, so that b needs whole blocks.
  const bool small_out = is_small(shape_.out_channels);
  const Grid grid = forward_grid();
  const auto taps = static_cast<std::int64_t>(grid.taps.size());
  const std::int64_t dy_step = out_.row_floats();
  const PaddedTensor &a = small_out ? out_ : in_, &b = small_out ? in_ : out_;
  const std::int64_t a_lanes = a.lanes(), a_blocks = a.blocks(), b_blocks = b.blocks();
  const std::int64_t block_sums = taps * a_lanes * kBlock;  // of one block of a and one of b
  const std::int64_t all_sums = a_blocks * b_blocks * block_sums;
  const std::int64_t panel = is_small(a_lanes) ? 2 * kMaxOutBlocks : kMaxOutBlocks;
  const std::int64_t panels = ceil_div(b_blocks, panel), tasks = panels * a_blocks;
  const std::int64_t rows = shape_.batch * grid.rows;
  const auto bytes = static_cast<std::int64_t>((in_.floats() + out_.floats()) * sizeof(float));
  const std::int64_t bands =
      std::clamp<std::int64_t>(std::min({bytes / kBandBytes, kMaxBands, kMaxSums / all_sums}), 1, rows);
  thread_local FloatBuffer buffer;
  float* sums = buffer.at_least(static_cast<std::size_t>(bands * all_sums));
  for_each_parallel(bands * tasks, [&](std::int64_t i) {
    const std::int64_t band = i / tasks, b_block = i % tasks / a_blocks * panel, a_block = i % a_blocks;
    const auto [first_row, last_row] = part_of(rows, band, bands);
    const std::int64_t b_count = std::min(panel, b_blocks - b_block);
    const std::int64_t parts = ceil_div(grid.pixels * b_count, kRowBlocks);
    OuterRow p{grid.pixels, a_lanes, kBlock, b_count, kBlock, b.plane_floats(), a_blocks * block_sums};
    (small_out ? p.b_step : p.a_step) = grid.step * kBlock;
    float* own = sums + band * all_sums + (b_block * a_blocks + a_block) * block_sums;
    for (std::int64_t v = 0; v < b_count; ++v)
      std::memset(own + v * p.sum_stride, 0, static_cast<std::size_t>(block_sums) * sizeof(float));
    for (std::int64_t row = first_row; row < last_row; ++row) {
      const std::int64_t n = row / grid.rows, y = row % grid.rows;
      const std::int64_t x_block = small_out ? b_block : a_block, dy_block = small_out ? a_block : b_block;
      const float* x = padded_x + (n * in_.blocks() + x_block) * in_.plane_floats() + y * grid.row_step;
      const float* dy = padded_dy + (n * out_.blocks() + dy_block) * out_.plane_floats() +
                        out_.interior_offset() + y * dy_step;
      for (std::int64_t part = 0; part < parts; ++part) {
        const auto [first, last] = part_of(grid.pixels, part, parts);
        p.pixels = last - first;
        for (std::int64_t t = 0; t < taps; ++t) {
          const float *shifted = x + grid.offsets[static_cast<std::size_t>(t)] + first * grid.step * kBlock,
                      *own_dy = dy + first * kBlock;
          stages_->outer(p, small_out ? own_dy : shifted, small_out ? shifted : own_dy,
                         own + t * a_lanes * kBlock);
        }
      }
    }
  });
  const std::int64_t a_step = small_out ? shape_.in_channels * taps : taps,
                     b_step = small_out ? taps : shape_.in_channels * taps;
  for_each_parallel(b_blocks * a_blocks, [&](std::int64_t i) {
    float* total = sums + i * block_sums;
    for (std::int64_t band = 1; band < bands; ++band)
      for (std::int64_t j = 0; j < block_sums; ++j) total[j] += total[band * all_sums + j];
    float* to = dw + i / a_blocks * kBlock * b_step + i % a_blocks * kBlock * a_step;
    for (std::int64_t k = 0; k < a_lanes; ++k)
      for (std::int64_t lane = 0; lane < kBlock; ++lane)
        for (std::int64_t t = 0; t < taps; ++t)
          to[lane * b_step + k * a_step + t] = total[(t * a_lanes + k) * kBlock + lane];
  });
}

}  // namespace torsor
