// The transforms of Winograd's convolution, for each instruction set: each works on one plane, on one thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa.h"

namespace torsor {

/// Channels that are stored together: images are [N, C / 16, H, W, 16].
inline constexpr std::int64_t kBlock = 16;

/// What lies around an image: it mirrored without its edge, or zeros.
enum class Border { reflect, zero };

/// Tiles of 4 x 4 results, each of 6 x 6 values at 36 positions of the transformed domain.
inline constexpr std::int64_t kTile = 4, kPatch = 6, kPositions = kPatch * kPatch;

/// How a plane [H,W,16] is cut.
struct TileGrid {
  std::int64_t height = 0, width = 0;
  std::int64_t rows() const { return (height + kTile - 1) / kTile; }
  std::int64_t columns() const { return (width + kTile - 1) / kTile; }
  std::int64_t count() const { return rows() * columns(); }
};

/// Where transformed images of a batch lie: [36][channels / 16][tiles][16], with gaps that keep the 36
/// streams of a tile in different sets of the cache. In floats.
struct WinogradTiling {
  WinogradTiling(const TileGrid& grid, std::int64_t batch);
  TileGrid grid;
  std::int64_t tiles;         // of all images
  std::int64_t block_stride;  // from one block of channels to the next
  /// From one position to the next, and the floats of all, for so many channels.
  std::int64_t position_stride(std::int64_t channels) const;
  std::size_t floats(std::int64_t channels) const;
};

/// From one position to the next of transformed weights [36][out / 16][in][16].
std::int64_t weight_position_stride(std::int64_t in, std::int64_t out);

/// One instruction set's. Planes are [H,W,16], tiles of a plane follow each other at 16 floats, `stride` is
/// from one position to the next.
struct WinogradStages {
  void (*input)(const TileGrid&, Border, const float* plane, float* out, std::int64_t stride);
  void (*output)(const TileGrid&, const float* in, std::int64_t stride, float* plane);
  void (*output_gradient)(const TileGrid&, const float* plane, float* out, std::int64_t stride);
  /// `scratch`: fold_floats() of the grid.
  void (*input_gradient)(const TileGrid&, Border, const float* in, std::int64_t stride, float* scratch,
                         float* plane);
  /// Weights [9][16] of 16 outputs and one input -> 36 times 16.
  void (*weights)(const float* taps, float* out, std::int64_t stride);
  /// 36 times 16 -> the gradients of [9][16].
  void (*weight_gradient)(const float* in, std::int64_t stride, float* taps);
  /// [16][16], transposed.
  void (*turn)(const float* from, float* to);
};

inline std::size_t fold_floats(const TileGrid& grid) {
  return static_cast<std::size_t>((grid.rows() * kTile + 2) * (grid.columns() * kTile + 2) * kBlock);
}

/// Of avx2 or avx512. Throws std::logic_error for plain.
const WinogradStages& winograd_stages(Isa isa);

}  // namespace torsor
