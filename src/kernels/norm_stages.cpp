// Compiled once for each instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/norm_stages.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway wants it.
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/norm_stages.h"

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3

HWY_BEFORE_NAMESPACE();
namespace torsor::HWY_NAMESPACE {
namespace norm {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using V = hn::Vec<Floats>;

constexpr Floats kFloats;
constexpr std::int64_t kLanes = hn::MaxLanes(Floats());
constexpr std::int64_t kChunk = 64;

HWY_INLINE V load(const float* p) { return hn::Load(kFloats, p); }

// The mean over pixels of values(pixel) for 16 / kLanes vectors of channels at once.
template <class Values>
HWY_INLINE V mean_of(std::int64_t pixels, const Values& values) {
  V total = hn::Zero(kFloats);
  for (std::int64_t first = 0; first < pixels; first += kChunk) {
    V even = hn::Zero(kFloats), odd = hn::Zero(kFloats);
    const std::int64_t last = std::min(first + kChunk, pixels);
    std::int64_t i = first;
    for (; i + 2 <= last; i += 2) {
      even = hn::Add(even, values(i));
      odd = hn::Add(odd, values(i + 1));
    }
    if (i < last) even = hn::Add(even, values(i));
    total = hn::Add(total, hn::Add(even, odd));
  }
  return hn::Mul(total, hn::Set(kFloats, 1.0F / static_cast<float>(pixels)));
}

// out = value(pixel, lane) everywhere.
template <class Value>
HWY_INLINE void fill(std::int64_t pixels, float* out, const Value& value) {
  for (std::int64_t i = 0; i < pixels * kBlock; i += kLanes) hn::Store(value(i), kFloats, out + i);
}

void normalise(std::int64_t pixels, const float* x, float* out, float* scale) {
  for (std::int64_t lane = 0; lane < kBlock; lane += kLanes) {
    const float* from = x + lane;
    const V mean = mean_of(pixels, [&](std::int64_t i) HWY_ATTR { return load(from + i * kBlock); });
    const V variance = mean_of(pixels, [&](std::int64_t i) HWY_ATTR {
      const V away = hn::Sub(load(from + i * kBlock), mean);
      return hn::Mul(away, away);
    });
    const V factor = hn::Div(hn::Set(kFloats, 1),
                             hn::Sqrt(hn::Add(variance, hn::Set(kFloats, static_cast<float>(kNormEpsilon)))));
    hn::Store(factor, kFloats, scale + lane);
    for (std::int64_t i = 0; i < pixels; ++i)
      hn::Store(hn::Mul(hn::Sub(load(from + i * kBlock), mean), factor), kFloats, out + i * kBlock + lane);
  }
}

// dx = scale * (dy - mean(dy) - y * mean(dy * y)), y being what was normalised.
void normalise_gradient(std::int64_t pixels, const float* dy, const float* normalised, const float* scale,
                        float* dx) {
  for (std::int64_t lane = 0; lane < kBlock; lane += kLanes) {
    const float *gradient = dy + lane, *y = normalised + lane;
    const V mean = mean_of(pixels, [&](std::int64_t i) HWY_ATTR { return load(gradient + i * kBlock); });
    const V along = mean_of(pixels, [&](std::int64_t i) HWY_ATTR {
      return hn::Mul(load(gradient + i * kBlock), load(y + i * kBlock));
    });
    const V factor = load(scale + lane);
    for (std::int64_t i = 0; i < pixels; ++i) {
      const V rest = hn::NegMulAdd(along, load(y + i * kBlock), hn::Sub(load(gradient + i * kBlock), mean));
      hn::Store(hn::Mul(factor, rest), kFloats, dx + i * kBlock + lane);
    }
  }
}

void relu(std::int64_t pixels, const float* x, float* out) {
  fill(pixels, out, [&](std::int64_t i) HWY_ATTR {
    const V value = load(x + i);
    return hn::IfThenZeroElse(hn::Lt(value, hn::Zero(kFloats)), value);  // NaN stays NaN
  });
}

void relu_gradient(std::int64_t pixels, const float* dy, const float* x, float* out) {
  fill(pixels, out, [&](std::int64_t i) HWY_ATTR {
    return hn::IfThenZeroElse(hn::Le(load(x + i), hn::Zero(kFloats)), load(dy + i));
  });
}

void add(std::int64_t pixels, const float* x, const float* y, float* out) {
  fill(pixels, out, [&](std::int64_t i) HWY_ATTR { return hn::Add(load(x + i), load(y + i)); });
}

const NormStages& stages() {
  static constexpr NormStages all = {normalise, normalise_gradient, relu, relu_gradient, add};
  return all;
}

}  // namespace norm
}  // namespace torsor::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE

#include <stdexcept>

namespace torsor {

const NormStages& norm_stages(Isa isa) {
#if HWY_TARGETS & HWY_AVX2
  if (isa == Isa::avx2) return N_AVX2::norm::stages();
#endif
#if HWY_TARGETS & HWY_AVX3
  if (isa == Isa::avx512) return N_AVX3::norm::stages();
#endif
  throw std::logic_error("the stages of norms are not compiled for " + isa_name(isa));
}

}  // namespace torsor

#endif
