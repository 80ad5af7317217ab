// Compiled once for each instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/winograd_stages.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway wants it.
#include <hwy/highway.h>

#include <algorithm>
#include <cstring>

#include "kernels/winograd_stages.h"

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3

HWY_BEFORE_NAMESPACE();
namespace torsor::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using V = hn::Vec<Floats>;

constexpr Floats kFloats;
constexpr std::int64_t kLanes = hn::MaxLanes(Floats());
constexpr float kHalfRoot = 0.70710678118654752F,
                kRoot = 1.4142135623730951F;  // the points, with their negatives

HWY_INLINE V times(float x, V y) { return hn::Mul(hn::Set(kFloats, x), y); }
HWY_INLINE V plus_times(V sum, float x, V y) { return hn::MulAdd(hn::Set(kFloats, x), y, sum); }
HWY_INLINE V load(const float* p) { return hn::Load(kFloats, p); }
HWY_INLINE void store(V v, float* p) { hn::Store(v, kFloats, p); }

// --- one-dimensional transforms; two of them, along columns and rows, make a tile's
// B^T d: six values of the image
struct InputTransform {
  static constexpr int kIn = 6, kOut = 6;
  static HWY_INLINE void apply(const V* d, V* o) {
    o[0] = plus_times(hn::Add(d[0], d[4]), -2.5F, d[2]);
    V even = plus_times(d[4], -2, d[2]), odd = times(kHalfRoot, plus_times(d[3], -2, d[1]));
    o[1] = hn::Add(even, odd);
    o[2] = hn::Sub(even, odd);
    even = plus_times(d[4], -0.5F, d[2]);
    odd = times(kRoot, plus_times(d[3], -0.5F, d[1]));
    o[3] = hn::Add(even, odd);
    o[4] = hn::Sub(even, odd);
    o[5] = plus_times(hn::Add(d[1], d[5]), -2.5F, d[3]);
  }
};

// B t: its adjoint
struct InputAdjoint {
  static constexpr int kIn = 6, kOut = 6;
  static HWY_INLINE void apply(const V* t, V* o) {
    const V s1 = hn::Add(t[1], t[2]), d1 = hn::Sub(t[1], t[2]);
    const V s2 = hn::Add(t[3], t[4]), d2 = hn::Sub(t[3], t[4]);
    o[0] = t[0];
    o[1] = plus_times(plus_times(t[5], -kHalfRoot, d2), -kRoot, d1);
    o[2] = plus_times(plus_times(times(-0.5F, s2), -2, s1), -2.5F, t[0]);
    o[3] = plus_times(plus_times(times(-2.5F, t[5]), kRoot, d2), kHalfRoot, d1);
    o[4] = hn::Add(t[0], hn::Add(s1, s2));
    o[5] = t[5];
  }
};

// A^T m: four results
struct OutputTransform {
  static constexpr int kIn = 6, kOut = 4;
  static HWY_INLINE void apply(const V* m, V* o) {
    const V s1 = hn::Add(m[1], m[2]), d1 = hn::Sub(m[1], m[2]);
    const V s2 = hn::Add(m[3], m[4]), d2 = hn::Sub(m[3], m[4]);
    o[0] = hn::Add(m[0], hn::Add(s1, s2));
    o[1] = plus_times(times(kRoot, d2), kHalfRoot, d1);
    o[2] = plus_times(times(2, s2), 0.5F, s1);
    o[3] = plus_times(plus_times(m[5], 2 * kRoot, d2), 0.5F * kHalfRoot, d1);
  }
};

// A y: its adjoint
struct OutputAdjoint {
  static constexpr int kIn = 4, kOut = 6;
  static HWY_INLINE void apply(const V* y, V* o) {
    o[0] = y[0];
    V even = plus_times(y[0], 0.5F, y[2]);
    V odd = plus_times(times(kHalfRoot, y[1]), 0.5F * kHalfRoot, y[3]);
    o[1] = hn::Add(even, odd);
    o[2] = hn::Sub(even, odd);
    even = plus_times(y[0], 2, y[2]);
    odd = plus_times(times(kRoot, y[1]), 2 * kRoot, y[3]);
    o[3] = hn::Add(even, odd);
    o[4] = hn::Sub(even, odd);
    o[5] = y[3];
  }
};

// G w: three taps
struct WeightTransform {
  static constexpr int kIn = 3, kOut = 6;
  static HWY_INLINE void apply(const V* w, V* o) {
    o[0] = w[0];
    V even = times(-2.0F / 3, plus_times(w[0], 0.5F, w[2])), odd = times(-2.0F / 3 * kHalfRoot, w[1]);
    o[1] = hn::Add(even, odd);
    o[2] = hn::Sub(even, odd);
    even = times(1.0F / 6, plus_times(w[0], 2, w[2]));
    odd = times(kRoot / 6, w[1]);
    o[3] = hn::Add(even, odd);
    o[4] = hn::Sub(even, odd);
    o[5] = w[2];
  }
};

// G^T u: its adjoint
struct WeightAdjoint {
  static constexpr int kIn = 6, kOut = 3;
  static HWY_INLINE void apply(const V* u, V* o) {
    const V s1 = hn::Add(u[1], u[2]), d1 = hn::Sub(u[1], u[2]);
    const V s2 = hn::Add(u[3], u[4]), d2 = hn::Sub(u[3], u[4]);
    o[0] = plus_times(plus_times(u[0], 1.0F / 6, s2), -2.0F / 3, s1);
    o[1] = plus_times(times(kRoot / 6, d2), -2.0F / 3 * kHalfRoot, d1);
    o[2] = plus_times(plus_times(u[5], 1.0F / 3, s2), -1.0F / 3, s1);
  }
};

// The two-dimensional transform: get(row, column) loads values, put(row, column, value) stores results.
template <class T, class Get, class Put>
HWY_INLINE void transform_tile(const Get& get, const Put& put) {
  V half[T::kOut][T::kIn];
#pragma GCC unroll 6
  for (int j = 0; j < T::kIn; ++j) {
    V in[T::kIn], out[T::kOut];
#pragma GCC unroll 6
    for (int i = 0; i < T::kIn; ++i) in[i] = get(i, j);
    T::apply(in, out);
#pragma GCC unroll 6
    for (int i = 0; i < T::kOut; ++i) half[i][j] = out[i];
  }
#pragma GCC unroll 6
  for (int i = 0; i < T::kOut; ++i) {
    V out[T::kOut];
    T::apply(half[i], out);
#pragma GCC unroll 6
    for (int j = 0; j < T::kOut; ++j) put(i, j, out[j]);
  }
}

// Calls at(tile, top, left, lane) for every vector of every tile.
template <class At>
HWY_INLINE void for_each_tile(const TileGrid& grid, const At& at) {
  for (std::int64_t row = 0; row < grid.rows(); ++row)
    for (std::int64_t column = 0; column < grid.columns(); ++column)
      for (std::int64_t lane = 0; lane < kBlock; lane += kLanes)
        at(row * grid.columns() + column, row * kTile, column * kTile, lane);
}

// The source of a position from -1 to side under reflection.
HWY_INLINE std::int64_t reflected(std::int64_t at, std::int64_t side) {
  return at < 0 ? -at : at >= side ? 2 * side - 2 - at : at;
}

// A value of the padded image. Beyond the padding, where only unused results of a last tile need them, zeros.
HWY_INLINE V padded_value(const TileGrid& g, PaddingMode mode, const float* plane, std::int64_t y,
                          std::int64_t x) {
  const bool inside = y >= 0 && x >= 0 && y < g.height && x < g.width;
  if (!inside && (mode == PaddingMode::zeros || y > g.height || x > g.width)) return hn::Zero(kFloats);
  return load(plane + (reflected(y, g.height) * g.width + reflected(x, g.width)) * kBlock);
}

void input(const TileGrid& g, PaddingMode mode, const float* plane, float* out, std::int64_t stride) {
  for_each_tile(g, [&](std::int64_t tile, std::int64_t top, std::int64_t left, std::int64_t lane) HWY_ATTR {
    float* to = out + tile * kBlock + lane;
    const auto put = [&](int i, int j, V v) HWY_ATTR { store(v, to + (i * kPatch + j) * stride); };
    const std::int64_t y0 = top - 1, x0 = left - 1;
    if (y0 >= 0 && x0 >= 0 && y0 + kPatch <= g.height && x0 + kPatch <= g.width) {
      const float* from = plane + (y0 * g.width + x0) * kBlock + lane;
      transform_tile<InputTransform>(
          [&](int i, int j) HWY_ATTR { return load(from + (i * g.width + j) * kBlock); }, put);
    } else {
      transform_tile<InputTransform>(
          [&](int i, int j) HWY_ATTR { return padded_value(g, mode, plane + lane, y0 + i, x0 + j); }, put);
    }
  });
}

void output(const TileGrid& g, const float* in, std::int64_t stride, float* plane) {
  for_each_tile(g, [&](std::int64_t tile, std::int64_t top, std::int64_t left, std::int64_t lane) HWY_ATTR {
    const float* from = in + tile * kBlock + lane;
    float* to = plane + (top * g.width + left) * kBlock + lane;
    const auto get = [&](int i, int j) HWY_ATTR { return load(from + (i * kPatch + j) * stride); };
    if (top + kTile <= g.height && left + kTile <= g.width)
      transform_tile<OutputTransform>(
          get, [&](int i, int j, V v) HWY_ATTR { store(v, to + (i * g.width + j) * kBlock); });
    else
      transform_tile<OutputTransform>(get, [&](int i, int j, V v) HWY_ATTR {
        if (top + i < g.height && left + j < g.width) store(v, to + (i * g.width + j) * kBlock);
      });
  });
}

void output_gradient(const TileGrid& g, const float* plane, float* out, std::int64_t stride) {
  for_each_tile(g, [&](std::int64_t tile, std::int64_t top, std::int64_t left, std::int64_t lane) HWY_ATTR {
    const float* from = plane + (top * g.width + left) * kBlock + lane;
    float* to = out + tile * kBlock + lane;
    const auto put = [&](int i, int j, V v) HWY_ATTR { store(v, to + (i * kPatch + j) * stride); };
    if (top + kTile <= g.height && left + kTile <= g.width)
      transform_tile<OutputAdjoint>(
          [&](int i, int j) HWY_ATTR { return load(from + (i * g.width + j) * kBlock); }, put);
    else
      transform_tile<OutputAdjoint>(
          [&](int i, int j) HWY_ATTR {
            return top + i < g.height && left + j < g.width ? load(from + (i * g.width + j) * kBlock)
                                                            : hn::Zero(kFloats);
          },
          put);
  });
}

HWY_INLINE void add_to(const float* from, float* to) {
  for (std::int64_t lane = 0; lane < kBlock; lane += kLanes)
    store(hn::Add(load(to + lane), load(from + lane)), to + lane);
}

// Patches of neighbouring tiles overlap by two, so they are summed on a padded plane; then reflected padding
// is added to the pixels that it reflects.
void input_gradient(const TileGrid& g, PaddingMode mode, const float* in, std::int64_t stride, float* scratch,
                    float* plane) {
  const std::int64_t wide = g.columns() * kTile + 2;
  std::memset(scratch, 0, fold_floats(g) * sizeof(float));
  for_each_tile(g, [&](std::int64_t tile, std::int64_t top, std::int64_t left, std::int64_t lane) HWY_ATTR {
    const float* from = in + tile * kBlock + lane;
    float* to = scratch + (top * wide + left) * kBlock + lane;
    transform_tile<InputAdjoint>([&](int i, int j)
                                     HWY_ATTR { return load(from + (i * kPatch + j) * stride); },
                                 [&](int i, int j, V v) HWY_ATTR {
                                   float* sum = to + (i * wide + j) * kBlock;
                                   store(hn::Add(load(sum), v), sum);
                                 });
  });
  const auto at = [&](std::int64_t y, std::int64_t x) { return scratch + ((y + 1) * wide + x + 1) * kBlock; };
  if (mode == PaddingMode::reflect) {
    for (std::int64_t x = -1; x <= g.width; ++x) {
      add_to(at(-1, x), at(1, x));
      add_to(at(g.height, x), at(g.height - 2, x));
    }
    for (std::int64_t y = 0; y < g.height; ++y) {
      add_to(at(y, -1), at(y, 1));
      add_to(at(y, g.width), at(y, g.width - 2));
    }
  }
  for (std::int64_t y = 0; y < g.height; ++y)
    std::memcpy(plane + y * g.width * kBlock, at(y, 0),
                static_cast<std::size_t>(g.width * kBlock) * sizeof(float));
}

void weights(const float* taps, float* out, std::int64_t stride) {
  for (std::int64_t lane = 0; lane < kBlock; lane += kLanes)
    transform_tile<WeightTransform>(
        [&](int i, int j) HWY_ATTR { return load(taps + (i * 3 + j) * kBlock + lane); },
        [&](int i, int j, V v) HWY_ATTR { store(v, out + (i * kPatch + j) * stride + lane); });
}

void weight_gradient(const float* in, std::int64_t stride, float* taps) {
  for (std::int64_t lane = 0; lane < kBlock; lane += kLanes)
    transform_tile<WeightAdjoint>(
        [&](int i, int j) HWY_ATTR { return load(in + (i * kPatch + j) * stride + lane); },
        [&](int i, int j, V v) HWY_ATTR { store(v, taps + (i * 3 + j) * kBlock + lane); });
}

// Four by four.
void transpose(const float* from, float* to) {
  using Four = hn::FixedTag<float, 4>;
  using Pairs = hn::Repartition<double, Four>;
  constexpr Four kFour;
  constexpr Pairs kPairs;
  const auto merged = [&](auto low, auto high, float* lower, float* upper) HWY_ATTR {
    const auto a = hn::BitCast(kPairs, low), b = hn::BitCast(kPairs, high);
    hn::Store(hn::BitCast(kFour, hn::InterleaveLower(kPairs, a, b)), kFour, lower);
    hn::Store(hn::BitCast(kFour, hn::InterleaveUpper(kPairs, a, b)), kFour, upper);
  };
  for (std::int64_t i = 0; i < kBlock; i += 4)
    for (std::int64_t j = 0; j < kBlock; j += 4) {
      const float* rows = from + i * kBlock + j;
      const auto a = hn::Load(kFour, rows), b = hn::Load(kFour, rows + kBlock);
      const auto c = hn::Load(kFour, rows + 2 * kBlock), d = hn::Load(kFour, rows + 3 * kBlock);
      float* columns = to + j * kBlock + i;
      merged(hn::InterleaveLower(kFour, a, b), hn::InterleaveLower(kFour, c, d), columns, columns + kBlock);
      merged(hn::InterleaveUpper(kFour, a, b), hn::InterleaveUpper(kFour, c, d), columns + 2 * kBlock,
             columns + 3 * kBlock);
    }
}

const WinogradStages& stages() {
  static constexpr WinogradStages all = {input,   output,          output_gradient, input_gradient,
                                         weights, weight_gradient, transpose};
  return all;
}

}  // namespace torsor::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE

#include <stdexcept>

namespace torsor {

const WinogradStages& winograd_stages(Isa isa) {
#if HWY_TARGETS & HWY_AVX2
  if (isa == Isa::avx2) return N_AVX2::stages();
#endif
#if HWY_TARGETS & HWY_AVX3
  if (isa == Isa::avx512) return N_AVX3::stages();
#endif
  throw std::logic_error("Winograd's stages are not compiled for " + isa_name(isa));
}

}  // namespace torsor

#endif
