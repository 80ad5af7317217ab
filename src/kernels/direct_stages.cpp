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

// Results that registers hold, of two vectors each: 12 of 16 registers, 28 of 32.
constexpr int kMostPixels = kLanes == 16 ? 14 : 6;
constexpr int kPanelVectors = 2;
constexpr std::int64_t kPanelBlocks = kPanelVectors / kHalves;  // 1 or 2

// Vector `v` of several blocks.
HWY_INLINE std::int64_t part(int v, std::int64_t block_stride) {
  return v / kHalves * block_stride + v % kHalves * kLanes;
}

// How many lanes a block has: all, known to the compiler, or p.lanes.
constexpr int kAsked = 0;

template <int kPixels, int kVectors, int kStep, int kLanesOfX>
void some_pixels(const TapRow& p, const float* x, const float* weights, const float* start, float* out) {
  V sum[kPixels][kVectors];
#pragma GCC unroll 16
  for (int i = 0; i < kPixels; ++i)
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v)
      sum[i][v] = start == nullptr ? hn::Zero(kFloats) : hn::LoadU(kFloats, start + part(v, kBlock));
  const std::int64_t lanes = kLanesOfX == kAsked ? p.lanes : kLanesOfX;
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
      store(start == nullptr ? hn::Add(load(to), sum[i][v]) : sum[i][v], to);
    }
}

template <int kVectors, int kStep, int kLanesOfX, int kPixels = kMostPixels>
HWY_INLINE void so_many_pixels(std::int64_t count, const TapRow& p, const float* x, const float* weights,
                               const float* start, float* out) {
  if (count == kPixels) return some_pixels<kPixels, kVectors, kStep, kLanesOfX>(p, x, weights, start, out);
  if constexpr (kPixels > 1)
    so_many_pixels<kVectors, kStep, kLanesOfX, kPixels - 1>(count, p, x, weights, start, out);
}

// Pixels are shared out evenly: five times 13 are quicker than four times 14 and 9.
template <int kVectors, int kStep, int kLanesOfX>
void panel(const TapRow& p, const float* x, const float* weights, const float* start, float* out) {
  const std::int64_t groups = (p.pixels + kMostPixels - 1) / kMostPixels;
  for (std::int64_t group = 0; group < groups; ++group) {
    const std::int64_t first = group * p.pixels / groups, last = (group + 1) * p.pixels / groups;
    so_many_pixels<kVectors, kStep, kLanesOfX>(last - first, p, x + first * kStep * kBlock, weights, start,
                                               out + first * p.out_step);
  }
}

template <int kVectors>
void panel_of(const TapRow& p, const float* x, const float* weights, const float* start, float* out) {
  if (p.lanes == kBlock)
    p.step == 1 ? panel<kVectors, 1, kBlock>(p, x, weights, start, out)
                : panel<kVectors, 2, kBlock>(p, x, weights, start, out);
  else
    p.step == 1 ? panel<kVectors, 1, kAsked>(p, x, weights, start, out)
                : panel<kVectors, 2, kAsked>(p, x, weights, start, out);
}

void row(const TapRow& p, const float* x, const float* weights, const float* start, float* out) {
  const auto at = [&](std::int64_t block) { return start == nullptr ? nullptr : start + block * kBlock; };
  std::int64_t block = 0;
  for (; block + kPanelBlocks <= p.out_blocks; block += kPanelBlocks)
    panel_of<kPanelVectors>(p, x, weights + block * p.weight_stride, at(block), out + block * p.out_stride);
  if (block < p.out_blocks)  // the odd one, where a panel has two
    panel_of<1>(p, x, weights + block * p.weight_stride, at(block), out + block * p.out_stride);
}

template <int kPixels, int kChannels>
void some_dots(const DotRow& p, const float* x, const float* weights, const float* start, float* out) {
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
      out[c * p.out_stride + i * p.out_step] = start[c] + hn::GetLane(hn::SumOfLanes(kFloats, sum[i][c]));
}

template <int kChannels>
void dots_of(const DotRow& p, const float* x, const float* weights, const float* start, float* out) {
  constexpr int kAtOnce = std::min(kMostPixels, (kLanes == 16 ? 24 : 12) / kChannels);
  std::int64_t i = 0;
  for (; i + kAtOnce <= p.pixels; i += kAtOnce)
    some_dots<kAtOnce, kChannels>(p, x + i * kBlock, weights, start, out + i * p.out_step);
  for (; i < p.pixels; ++i) some_dots<1, kChannels>(p, x + i * kBlock, weights, start, out + i * p.out_step);
}

void dots(const DotRow& p, const float* x, const float* weights, const float* start, float* out) {
  switch (p.channels) {
    case 1:
      return dots_of<1>(p, x, weights, start, out);
    case 2:
      return dots_of<2>(p, x, weights, start, out);
    case 3:
      return dots_of<3>(p, x, weights, start, out);
    default:
      return dots_of<4>(p, x, weights, start, out);
  }
}

// `kRows` lanes of a times `kVectors` vectors of b.
template <int kRows, int kVectors>
void some_outer(const OuterRow& p, const float* a, const float* b, float* sums) {
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
void outer_rows(const OuterRow& p, const float* a, const float* b, float* sums) {
  switch (p.lanes) {
    case 1:
      return some_outer<1, kVectors>(p, a, b, sums);
    case 2:
      return some_outer<2, kVectors>(p, a, b, sums);
    case 3:
      return some_outer<3, kVectors>(p, a, b, sums);
    case 4:
      return some_outer<4, kVectors>(p, a, b, sums);
    default:
      break;
  }
  if constexpr (kLanes == 16) {
    some_outer<8, kVectors>(p, a, b, sums);
    some_outer<8, kVectors>(p, a + 8, b, sums + 8 * kBlock);
  } else {  // 16 = 6 + 5 + 5
    some_outer<6, kVectors>(p, a, b, sums);
    some_outer<5, kVectors>(p, a + 6, b, sums + 6 * kBlock);
    some_outer<5, kVectors>(p, a + 11, b, sums + 11 * kBlock);
  }
}

void outer(const OuterRow& p, const float* a, const float* b, float* sums) {
  const auto next = [&](std::int64_t block) {
    return std::pair(b + block * p.b_stride, sums + block * p.sum_stride);
  };
  std::int64_t block = 0;
  constexpr int kFewVectors = 4;  // few rows leave registers for more vectors, which hide the latency
  if (p.lanes <= kMostFew)
    for (; block + kFewVectors / kHalves <= p.blocks; block += kFewVectors / kHalves)
      outer_rows<kFewVectors>(p, a, next(block).first, next(block).second);
  for (; block + kPanelBlocks <= p.blocks; block += kPanelBlocks)
    outer_rows<kPanelVectors>(p, a, next(block).first, next(block).second);
  if (block < p.blocks) outer_rows<1>(p, a, next(block).first, next(block).second);
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
