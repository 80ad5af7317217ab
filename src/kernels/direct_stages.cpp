// Compiled once for each instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/direct_stages.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway wants it.
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/direct_stages.h"

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3

HWY_BEFORE_NAMESPACE();
namespace torsor::HWY_NAMESPACE {
namespace direct {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using V = hn::Vec<Floats>;

constexpr Floats kFloats;
constexpr std::int64_t kLanes = hn::MaxLanes(Floats());
constexpr int kHalves = kBlock / kLanes;  // vectors of a block

HWY_INLINE V load(const float* p) { return hn::Load(kFloats, p); }
HWY_INLINE void store(V v, float* p) { hn::Store(v, kFloats, p); }

// Results of two vectors each that fit into registers: 12 of 16 registers, 28 of 32.
constexpr int kMaxPixels = kLanes == 16 ? 14 : 6;
constexpr int kPanelVectors = 2;
constexpr std::int64_t kPanelBlocks = kPanelVectors / kHalves;  // 1 or 2

// Vector `v` of several blocks.
HWY_INLINE std::int64_t part(int v, std::int64_t block_stride) {
  return v / kHalves * block_stride + v % kHalves * kLanes;
}

// Lanes of a block: a compile-time constant, or p.lanes at run time.
constexpr int kRuntimeLanes = 0;

// Micro-kernel: `kPixels` results of `kVectors` vectors.
template <int kPixels, int kVectors, int kStep, int kLanesOfX>
void row_micro_kernel(const TapRow& p, const float* x, const float* weights, const float* bias, float* out) {
  V sum[kPixels][kVectors];
#pragma GCC unroll 16
  for (int i = 0; i < kPixels; ++i)
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v)
      sum[i][v] = bias == nullptr ? hn::Zero(kFloats) : hn::LoadU(kFloats, bias + part(v, kBlock));
  const std::int64_t lanes = kLanesOfX == kRuntimeLanes ? p.lanes : kLanesOfX;
  const float* w = weights;
  for (std::int64_t block = 0; block < p.blocks; ++block)
    for (std::int64_t tap = 0; tap < p.taps; ++tap) {
      const float* a = x + block * p.block_stride + p.offsets[tap];
#pragma GCC unroll 4
      for (std::int64_t k = 0; k < lanes; ++k, w += kBlock) {
        V factors[kVectors];
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) factors[v] = load(w + part(v, p.weight_stride));
#pragma GCC unroll 16
        for (int i = 0; i < kPixels; ++i) {
          const V value = hn::Set(kFloats, a[i * kStep * kBlock + k]);
#pragma GCC unroll 2
          for (int v = 0; v < kVectors; ++v) sum[i][v] = hn::MulAdd(value, factors[v], sum[i][v]);
        }
      }
    }
#pragma GCC unroll 16
  for (int i = 0; i < kPixels; ++i)
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      float* to = out + i * p.out_step + part(v, p.out_stride);
      store(bias == nullptr ? hn::Add(load(to), sum[i][v]) : sum[i][v], to);
    }
}

// Tile dispatch: the micro-kernel of `count` pixels.
template <int kVectors, int kStep, int kLanesOfX, int kPixels = kMaxPixels>
HWY_INLINE void dispatch_tile(std::int64_t count, const TapRow& p, const float* x, const float* weights,
                              const float* bias, float* out) {
  if (count == kPixels)
    return row_micro_kernel<kPixels, kVectors, kStep, kLanesOfX>(p, x, weights, bias, out);
  if constexpr (kPixels > 1)
    dispatch_tile<kVectors, kStep, kLanesOfX, kPixels - 1>(count, p, x, weights, bias, out);
}

// Tile sizes are balanced: five times 13 are faster than four times 14 and 9.
template <int kVectors, int kStep, int kLanesOfX>
void panel(const TapRow& p, const float* x, const float* weights, const float* bias, float* out) {
  const std::int64_t groups = (p.pixels + kMaxPixels - 1) / kMaxPixels;
  for (std::int64_t group = 0; group < groups; ++group) {
    const std::int64_t first = group * p.pixels / groups, last = (group + 1) * p.pixels / groups;
    dispatch_tile<kVectors, kStep, kLanesOfX>(last - first, p, x + first * kStep * kBlock, weights, bias,
                                              out + first * p.out_step);
  }
}

template <int kVectors>
void dispatch_panel(const TapRow& p, const float* x, const float* weights, const float* bias, float* out) {
  if (p.lanes == kBlock)
    p.step == 1 ? panel<kVectors, 1, kBlock>(p, x, weights, bias, out)
                : panel<kVectors, 2, kBlock>(p, x, weights, bias, out);
  else
    p.step == 1 ? panel<kVectors, 1, kRuntimeLanes>(p, x, weights, bias, out)
                : panel<kVectors, 2, kRuntimeLanes>(p, x, weights, bias, out);
}

void row(const TapRow& p, const float* x, const float* weights, const float* bias, float* out) {
  const auto at = [&](std::int64_t block) { return bias == nullptr ? nullptr : bias + block * kBlock; };
  std::int64_t block = 0;
  for (; block + kPanelBlocks <= p.out_blocks; block += kPanelBlocks)
    dispatch_panel<kPanelVectors>(p, x, weights + block * p.weight_stride, at(block),
                                  out + block * p.out_stride);
  if (block < p.out_blocks)  // the odd one, where a panel has two
    dispatch_panel<1>(p, x, weights + block * p.weight_stride, at(block), out + block * p.out_stride);
}

// Micro-kernel: `kPixels` results of `kChannels` channels.
template <int kPixels, int kChannels>
void dot_micro_kernel(const DotRow& p, const float* x, const float* weights, const float* bias, float* out) {
  V sum[kPixels][kChannels];
#pragma GCC unroll 16
  for (int i = 0; i < kPixels; ++i)
#pragma GCC unroll 4
    for (int c = 0; c < kChannels; ++c) sum[i][c] = hn::Zero(kFloats);
  const float* w = weights;
  for (std::int64_t block = 0; block < p.blocks; ++block)
    for (std::int64_t tap = 0; tap < p.taps; ++tap, w += kChannels * kBlock) {
      const float* a = x + block * p.block_stride + p.offsets[tap];
#pragma GCC unroll 2
      for (int half = 0; half < kHalves; ++half) {
        V factors[kChannels];
#pragma GCC unroll 4
        for (int c = 0; c < kChannels; ++c) factors[c] = load(w + c * kBlock + half * kLanes);
#pragma GCC unroll 16
        for (int i = 0; i < kPixels; ++i) {
          const V value = load(a + i * kBlock + half * kLanes);
#pragma GCC unroll 4
          for (int c = 0; c < kChannels; ++c) sum[i][c] = hn::MulAdd(value, factors[c], sum[i][c]);
        }
      }
    }
#pragma GCC unroll 16
  for (int i = 0; i < kPixels; ++i)
#pragma GCC unroll 4
    for (int c = 0; c < kChannels; ++c)
      out[c * p.out_stride + i * p.out_step] = bias[c] + hn::GetLane(hn::SumOfLanes(kFloats, sum[i][c]));
}

template <int kChannels>
void dot_row(const DotRow& p, const float* x, const float* weights, const float* bias, float* out) {
  constexpr int kAtOnce = std::min(kMaxPixels, (kLanes == 16 ? 24 : 12) / kChannels);
  std::int64_t i = 0;
  for (; i + kAtOnce <= p.pixels; i += kAtOnce)
    dot_micro_kernel<kAtOnce, kChannels>(p, x + i * kBlock, weights, bias, out + i * p.out_step);
  for (; i < p.pixels; ++i)
    dot_micro_kernel<1, kChannels>(p, x + i * kBlock, weights, bias, out + i * p.out_step);
}

void dots(const DotRow& p, const float* x, const float* weights, const float* bias, float* out) {
  switch (p.channels) {
    case 1:
      return dot_row<1>(p, x, weights, bias, out);
    case 2:
      return dot_row<2>(p, x, weights, bias, out);
    case 3:
      return dot_row<3>(p, x, weights, bias, out);
    default:
      return dot_row<4>(p, x, weights, bias, out);
  }
}

// Micro-kernel: `kRows` lanes of a times `kVectors` vectors of b.
template <int kRows, int kVectors>
void outer_micro_kernel(const OuterRow& p, const float* a, const float* b, float* sums) {
  V sum[kRows][kVectors];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sum[i][v] = hn::Zero(kFloats);
  for (std::int64_t pixel = 0; pixel < p.pixels; ++pixel, a += p.a_step, b += p.b_step) {
    V factors[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) factors[v] = load(b + part(v, p.b_stride));
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const V value = hn::Set(kFloats, a[i]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[i][v] = hn::MulAdd(value, factors[v], sum[i][v]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      float* to = sums + i * kBlock + part(v, p.sum_stride);
      store(hn::Add(load(to), sum[i][v]), to);
    }
}

template <int kVectors>
void dispatch_outer(const OuterRow& p, const float* a, const float* b, float* sums) {
  switch (p.lanes) {
    case 1:
      return outer_micro_kernel<1, kVectors>(p, a, b, sums);
    case 2:
      return outer_micro_kernel<2, kVectors>(p, a, b, sums);
    case 3:
      return outer_micro_kernel<3, kVectors>(p, a, b, sums);
    case 4:
      return outer_micro_kernel<4, kVectors>(p, a, b, sums);
    default:
      break;
  }
  if constexpr (kLanes == 16) {
    outer_micro_kernel<8, kVectors>(p, a, b, sums);
    outer_micro_kernel<8, kVectors>(p, a + 8, b, sums + 8 * kBlock);
  } else {  // 16 = 6 + 5 + 5
    outer_micro_kernel<6, kVectors>(p, a, b, sums);
    outer_micro_kernel<5, kVectors>(p, a + 6, b, sums + 6 * kBlock);
    outer_micro_kernel<5, kVectors>(p, a + 11, b, sums + 11 * kBlock);
  }
}

void outer(const OuterRow& p, const float* a, const float* b, float* sums) {
  const auto next = [&](std::int64_t block) {
    return std::pair(b + block * p.b_stride, sums + block * p.sum_stride);
  };
  std::int64_t block = 0;
  constexpr int kWidePanelVectors = 4;  // a small a leaves registers for more vectors, hiding latency
  if (p.lanes <= kMaxSmallChannels)
    for (; block + kWidePanelVectors / kHalves <= p.blocks; block += kWidePanelVectors / kHalves)
      dispatch_outer<kWidePanelVectors>(p, a, next(block).first, next(block).second);
  for (; block + kPanelBlocks <= p.blocks; block += kPanelBlocks)
    dispatch_outer<kPanelVectors>(p, a, next(block).first, next(block).second);
  if (block < p.blocks) dispatch_outer<1>(p, a, next(block).first, next(block).second);
}

const DirectStages& stages() {
  static constexpr DirectStages all = {row, dots, outer};
  return all;
}

}  // namespace direct
}  // namespace torsor::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE

#include <stdexcept>

namespace torsor {

const DirectStages& direct_stages(Isa isa) {
#if HWY_TARGETS & HWY_AVX2
  if (isa == Isa::avx2) return N_AVX2::direct::stages();
#endif
#if HWY_TARGETS & HWY_AVX3
  if (isa == Isa::avx512) return N_AVX3::direct::stages();
#endif
  throw std::logic_error("direct convolutions are not compiled for " + isa_name(isa));
}

}  // namespace torsor

#endif
