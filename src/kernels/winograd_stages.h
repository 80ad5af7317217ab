// The transforms of Winograd's convolution, for each instruction set: one plane, on one thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa.h"

namespace torsor {

/// Channels of a block: images are [N, C / 16, H, W, 16] (blocked layout, oneDNN's nChw16c).
inline constexpr std::int64_t kBlock = 16;

/// The padding of an image: reflection without the edge, or zeros, as PyTorch's padding_mode.
enum class PaddingMode { reflect, zeros };

/// Tiles of 4 x 4 results, each from 6 x 6 inputs at 36 positions of the transformed domain.
inline constexpr std::int64_t kTile = 4, kPatch = 6, kPositions = kPatch * kPatch;

/// The tiles of a plane [H,W,16].
struct TileGrid {
  std::int64_t height = 0, width = 0;
  std::int64_t rows() const { return (height + kTile - 1) / kTile; }
  std::int64_t columns() const { return (width + kTile - 1) / kTile; }
  std::int64_t count() const { return rows() * columns(); }
};

/// The layout of a batch's transformed images: [36][channels / 16][tiles][16], with gaps that keep the 36
/// streams of a tile in different cache sets. In floats.
struct WinogradTiling {
  WinogradTiling(const TileGrid& grid, std::int64_t batch);
  TileGrid grid;
  std::int64_t tiles;         // of all images
  std::int64_t block_stride;  // from one block of channels to the next
  /// The stride between positions, and the total, for so many channels.
  std::int64_t position_stride(std::int64_t channels) const;
  std::size_t floats(std::int64_t channels) const;
};

/// The stride between positions of transformed weights [36][out / 16][in][16].
std::int64_t weight_position_stride(std::int64_t in, std::int64_t out);

/// For one instruction set. Planes are [H,W,16], tiles of a plane are 16 floats apart, `stride` is between
/// positions.
struct WinogradStages {
  void (*input)(const TileGrid&, PaddingMode, const float* plane, float* out, std::int64_t stride);
  void (*output)(const TileGrid&, const float* in, std::int64_t stride, float* plane);
  void (*output_gradient)(const TileGrid&, const float* plane, float* out, std::int64_t stride);
  /// `scratch`: fold_floats() of the grid.
  void (*input_gradient)(const TileGrid&, PaddingMode, const float* in, std::int64_t stride, float* scratch,
                         float* plane);
  /// Weights [9][16] of 16 outputs and one input -> 36 times 16.
  void (*weights)(const float* taps, float* out, std::int64_t stride);
  /// 36 times 16 -> the gradients of [9][16].
  void (*weight_gradient)(const float* in, std::int64_t stride, float* taps);
  /// Transposes [16][16].
  void (*transpose)(const float* from, float* to);
};

inline std::size_t fold_floats(const TileGrid& grid) {
  return static_cast<std::size_t>((grid.rows() * kTile + 2) * (grid.columns() * kTile + 2) * kBlock);
}

/// Of avx2 or avx512. Throws std::logic_error for plain.
const WinogradStages& winograd_stages(Isa isa);

}  // namespace torsor
