#include "kernels/winograd.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "kernels/buffer.h"

namespace torsor {

namespace {

// An odd number of cache lines: with powers of two all 36 positions would map to the same few cache sets.
std::int64_t odd_lines(std::int64_t floats) {
  const std::int64_t lines = (floats + kBlock - 1) / kBlock;
  return (lines % 2 == 0 ? lines + 1 : lines) * kBlock;
}

// Output channels of one call: enough for the widest registers.
constexpr std::int64_t kPanel = 2 * kBlock;

std::int64_t panels(std::int64_t channels) { return (channels + kPanel - 1) / kPanel; }

}  // namespace

WinogradTiling::WinogradTiling(const TileGrid& g, std::int64_t batch)
    : grid(g), tiles(batch * g.count()), block_stride(odd_lines(tiles * kBlock)) {}

std::int64_t WinogradTiling::position_stride(std::int64_t channels) const {
  return odd_lines(channels / kBlock * block_stride);
}

std::size_t WinogradTiling::floats(std::int64_t channels) const {
  return static_cast<std::size_t>(kPositions * position_stride(channels));
}

std::int64_t weight_position_stride(std::int64_t in, std::int64_t out) { return odd_lines(in * out); }

bool is_supported(const Conv3x3Shape& s) {
  const auto in_blocks = [](std::int64_t channels) { return channels >= kBlock && channels % kBlock == 0; };
  return s.batch >= 1 && in_blocks(s.in_channels) && in_blocks(s.out_channels) && s.height >= 2 &&
         s.width >= 2;
}

Winograd3x3::Winograd3x3(const Conv3x3Shape& shape, Isa isa)
    : PlaneConv(shape),
      stages_(&winograd_stages(isa)),
      products_(&winograd_products(isa)),
      tiling_({shape.height, shape.width}, shape.batch) {
  if (!is_supported(shape)) throw std::logic_error("Winograd3x3: unsupported shape");
}

std::size_t Winograd3x3::weight_floats() const {
  return static_cast<std::size_t>(kPositions *
                                  weight_position_stride(shape().in_channels, shape().out_channels));
}

std::int64_t Winograd3x3::offset(std::int64_t n, std::int64_t block) const {
  return block * tiling_.block_stride + n * tiling_.grid.count() * kBlock;
}

void Winograd3x3::input_plane(std::int64_t n, std::int64_t block, const float* plane, float* in) const {
  stages_->input(tiling_.grid, shape().padding_mode, plane, in + offset(n, block),
                 tiling_.position_stride(shape().in_channels));
}

const float* Winograd3x3::output_plane(std::int64_t n, std::int64_t block, const float* out,
                                       float* plane) const {
  stages_->output(tiling_.grid, out + offset(n, block), tiling_.position_stride(shape().out_channels), plane);
  return plane;
}

void Winograd3x3::output_gradient_plane(std::int64_t n, std::int64_t block, const float* plane,
                                        float* gradient) const {
  stages_->output_gradient(tiling_.grid, plane, gradient + offset(n, block),
                           tiling_.position_stride(shape().out_channels));
}

void Winograd3x3::input_gradient_plane(std::int64_t n, std::int64_t block, float* input_gradient,
                                       float* scratch, float* plane) const {
  stages_->input_gradient(tiling_.grid, shape().padding_mode, input_gradient + offset(n, block),
                          tiling_.position_stride(shape().in_channels), scratch, plane);
}

void Winograd3x3::transform_weights(const float* weight, float* transformed) const {
  const std::int64_t in = shape().in_channels, stride = weight_position_stride(in, shape().out_channels);
  for_each_parallel(out_blocks(), [&](std::int64_t block) {
    alignas(64) std::array<float, 9 * kBlock> taps;
    for (std::int64_t c = 0; c < in; ++c) {
      for (std::int64_t k = 0; k < kBlock; ++k)
        for (std::int64_t tap = 0; tap < 9; ++tap)
          taps[static_cast<std::size_t>(tap * kBlock + k)] =
              weight[((block * kBlock + k) * in + c) * 9 + tap];
      stages_->weights(taps.data(), transformed + (block * in + c) * kBlock, stride);
    }
  });
}

// The batched GEMM: at all positions and panels of results, rows of `depth` channels times the panel's matrix
// to `width` channels, which matrix(position, first channel, channels) returns.
template <class Matrix>
void Winograd3x3::products(const float* rows, std::int64_t depth, std::int64_t width, const Matrix& matrix,
                           float* out) const {
  const std::int64_t row_stride = tiling_.position_stride(depth), out_stride = tiling_.position_stride(width);
  const std::int64_t parts = panels(width);
  for_each_parallel(kPositions * parts, [&](std::int64_t i) {
    const std::int64_t position = i / parts, first = i % parts * kPanel;
    const TileProduct product{tiling_.tiles, depth, std::min(kPanel, width - first), tiling_.block_stride,
                              tiling_.block_stride};
    products_->multiply(product, rows + position * row_stride, matrix(position, first, product.width),
                        out + position * out_stride + first / kBlock * tiling_.block_stride);
  });
}

void Winograd3x3::multiply(const float* in, const float* transformed, float* out) const {
  const std::int64_t depth = shape().in_channels, width = shape().out_channels;
  products(
      in, depth, width,
      [&](std::int64_t position, std::int64_t first, std::int64_t) {
        return transformed + position * weight_position_stride(depth, width) + first * depth;
      },
      out);
}

// The panel is transposed on the fly: keeping transposed weights would double their memory.
void Winograd3x3::multiply_backward(const float* gradient, const float* transformed,
                                    float* input_gradient) const {
  const std::int64_t depth = shape().out_channels, width = shape().in_channels;
  products(
      gradient, depth, width,
      [&](std::int64_t position, std::int64_t first, std::int64_t count) {
        thread_local FloatBuffer panel;
        float* transposed = panel.at_least(static_cast<std::size_t>(kPanel * depth));
        const float* from = transformed + position * weight_position_stride(width, depth) + first * kBlock;
        for (std::int64_t k = 0; k < depth; k += kBlock)
          for (std::int64_t c = 0; c < count; c += kBlock)
            stages_->transpose(from + (k / kBlock * width + c) * kBlock,
                               transposed + (c / kBlock * depth + k) * kBlock);
        return static_cast<const float*>(transposed);
      },
      input_gradient);
}

void Winograd3x3::multiply_weights(const float* in, const float* gradient, float* sums, float* dw) const {
  const std::int64_t depth = shape().in_channels, width = shape().out_channels, parts = panels(width);
  const std::int64_t stride = weight_position_stride(depth, width);
  for_each_parallel(kPositions * parts, [&](std::int64_t i) {
    const std::int64_t position = i / parts, first = i % parts * kPanel;
    const WeightProduct product{tiling_.tiles, depth, std::min(kPanel, width - first), tiling_.block_stride,
                                tiling_.block_stride};
    products_->multiply_weights(
        product, in + position * tiling_.position_stride(depth),
        gradient + position * tiling_.position_stride(width) + first / kBlock * tiling_.block_stride,
        sums + position * stride + first * depth);
  });
  for_each_parallel(out_blocks(), [&](std::int64_t block) {
    alignas(64) std::array<float, 9 * kBlock> taps;
    for (std::int64_t c = 0; c < depth; ++c) {
      stages_->weight_gradient(sums + (block * depth + c) * kBlock, stride, taps.data());
      for (std::int64_t k = 0; k < kBlock; ++k)
        for (std::int64_t tap = 0; tap < 9; ++tap)
          dw[((block * kBlock + k) * depth + c) * 9 + tap] = taps[static_cast<std::size_t>(tap * kBlock + k)];
    }
  });
}

}  // namespace torsor
