// Compiled once for each instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/winograd_products.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway wants it.
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/winograd_products.h"

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3

HWY_BEFORE_NAMESPACE();
namespace torsor::HWY_NAMESPACE {
namespace products {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using V = hn::Vec<Floats>;

constexpr Floats kFloats;
constexpr std::int64_t kLanes = hn::MaxLanes(Floats());

HWY_INLINE V load(const float* p) { return hn::Load(kFloats, p); }
HWY_INLINE void store(V v, float* p) { hn::Store(v, kFloats, p); }

// Rows of two vectors each that fit into registers: 12 of 16 registers, 28 of 32.
constexpr int kMaxRows = kLanes == 16 ? 14 : 6;
constexpr int kPanelVectors = 2;
constexpr std::int64_t kPanelBlocks = kPanelVectors * kLanes / kBlock;  // 1 or 2

// Channels of a partial sum; a sum of partial sums has smaller rounding errors.
constexpr std::int64_t kDepthChunk = 32;
constexpr std::int64_t kTileChunk = 64;

// Vector `v` of a panel of 16 or 32 numbers in blocks of 16.
HWY_INLINE std::int64_t part(int v, std::int64_t block_stride) {
  return v * kLanes / kBlock * block_stride + v * kLanes % kBlock;
}

// Micro-kernel: `kRows` rows times one panel.
template <int kRows, int kVectors>
void gemm_micro_kernel(const TileProduct& p, const float* rows, const float* panel, float* out) {
  for (std::int64_t first = 0; first < p.depth; first += kDepthChunk) {
    V sum[kRows][kVectors];
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) sum[i][v] = hn::Zero(kFloats);
    const std::int64_t last = std::min(first + kDepthChunk, p.depth);
    for (std::int64_t c = first; c < last; c += kBlock) {
      const float* a = rows + c / kBlock * p.row_stride;
      const float* b = panel + c * kBlock;
#pragma GCC unroll 16
      for (int k = 0; k < kBlock; ++k) {
        V w[kVectors];
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) w[v] = load(b + k * kBlock + part(v, p.depth * kBlock));
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i) {
          const V x = hn::Set(kFloats, a[i * kBlock + k]);
#pragma GCC unroll 2
          for (int v = 0; v < kVectors; ++v) sum[i][v] = hn::MulAdd(x, w[v], sum[i][v]);
        }
      }
    }
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        float* to = out + i * kBlock + part(v, p.out_stride);
        store(first == 0 ? sum[i][v] : hn::Add(load(to), sum[i][v]), to);
      }
  }
}

// Tile dispatch: the micro-kernel of `count` rows.
template <int kVectors, int kRows = kMaxRows>
HWY_INLINE void dispatch_tile(std::int64_t count, const TileProduct& p, const float* rows, const float* panel,
                              float* out) {
  if (count == kRows) return gemm_micro_kernel<kRows, kVectors>(p, rows, panel, out);
  if constexpr (kRows > 1) dispatch_tile<kVectors, kRows - 1>(count, p, rows, panel, out);
}

// Tile sizes are balanced: five times 13 are faster than four times 14 and 9.
template <int kVectors>
void multiply_panel(const TileProduct& p, const float* rows, const float* panel, float* out) {
  const std::int64_t groups = (p.tiles + kMaxRows - 1) / kMaxRows;
  for (std::int64_t group = 0; group < groups; ++group) {
    const std::int64_t first = group * p.tiles / groups, last = (group + 1) * p.tiles / groups;
    dispatch_tile<kVectors>(last - first, p, rows + first * kBlock, panel, out + first * kBlock);
  }
}

void multiply(const TileProduct& p, const float* rows, const float* panels, float* out) {
  const std::int64_t blocks = p.width / kBlock;
  std::int64_t block = 0;
  for (; block + kPanelBlocks <= blocks; block += kPanelBlocks)
    multiply_panel<kPanelVectors>(p, rows, panels + block * p.depth * kBlock, out + block * p.out_stride);
  if (block < blocks)  // the odd one, where a panel has two
    multiply_panel<1>(p, rows, panels + block * p.depth * kBlock, out + block * p.out_stride);
}

// Micro-kernel: `kRows` channels of the input from `rows` on times one panel of the output.
template <int kRows, int kVectors>
void weight_micro_kernel(const WeightProduct& p, const float* rows, const float* gradients, float* out) {
  V total[kRows][kVectors];
  for (auto& row : total)
    for (V& v : row) v = hn::Zero(kFloats);
  for (std::int64_t first = 0; first < p.tiles; first += kTileChunk) {
    V sum[kRows][kVectors];
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) sum[i][v] = hn::Zero(kFloats);
    const std::int64_t last = std::min(first + kTileChunk, p.tiles);
    for (std::int64_t t = first; t < last; ++t) {
      V g[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) g[v] = load(gradients + t * kBlock + part(v, p.gradient_stride));
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        const V x = hn::Set(kFloats, rows[t * kBlock + i]);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) sum[i][v] = hn::MulAdd(x, g[v], sum[i][v]);
      }
    }
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) total[i][v] = hn::Add(total[i][v], sum[i][v]);
  }
  for (int i = 0; i < kRows; ++i)
    for (int v = 0; v < kVectors; ++v) store(total[i][v], out + i * kBlock + part(v, p.depth * kBlock));
}

template <int kVectors>
void multiply_weight_panel(const WeightProduct& p, const float* rows, const float* gradients, float* out) {
  for (std::int64_t c = 0; c < p.depth; c += kBlock) {
    const float* a = rows + c / kBlock * p.row_stride;
    float* to = out + c * kBlock;
    if constexpr (kLanes == 16) {
      weight_micro_kernel<8, kVectors>(p, a, gradients, to);
      weight_micro_kernel<8, kVectors>(p, a + 8, gradients, to + 8 * kBlock);
    } else {  // 16 = 6 + 5 + 5
      weight_micro_kernel<6, kVectors>(p, a, gradients, to);
      weight_micro_kernel<5, kVectors>(p, a + 6, gradients, to + 6 * kBlock);
      weight_micro_kernel<5, kVectors>(p, a + 11, gradients, to + 11 * kBlock);
    }
  }
}

void multiply_weights(const WeightProduct& p, const float* rows, const float* gradients, float* out) {
  const std::int64_t blocks = p.width / kBlock;
  std::int64_t block = 0;
  for (; block + kPanelBlocks <= blocks; block += kPanelBlocks)
    multiply_weight_panel<kPanelVectors>(p, rows, gradients + block * p.gradient_stride,
                                         out + block * p.depth * kBlock);
  if (block < blocks)
    multiply_weight_panel<1>(p, rows, gradients + block * p.gradient_stride, out + block * p.depth * kBlock);
}

const WinogradProducts& all() {
  static constexpr WinogradProducts of_this_set = {multiply, multiply_weights};
  return of_this_set;
}

}  // namespace products
}  // namespace torsor::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE

#include <stdexcept>

namespace torsor {

const WinogradProducts& winograd_products(Isa isa) {
#if HWY_TARGETS & HWY_AVX2
  if (isa == Isa::avx2) return N_AVX2::products::all();
#endif
#if HWY_TARGETS & HWY_AVX3
  if (isa == Isa::avx512) return N_AVX3::products::all();
#endif
  throw std::logic_error("Winograd's products are not compiled for " + isa_name(isa));
}

}  // namespace torsor

#endif
