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

HWY_INLINE V factor_of(V variance) {
  const V padded = hn::Add(variance, hn::Set(kFloats, static_cast<float>(kNormEpsilon)));
  return hn::Div(hn::Set(kFloats, 1), hn::Sqrt(padded));
}

void normalise(std::int64_t pixels, const float* x, float* out, float* scale) {
  for (std::int64_t lane = 0; lane < kBlock; lane += kLanes) {
    const float* from = x + lane;
    const V mean = mean_of(pixels, [&](std::int64_t i) HWY_ATTR { return load(from + i * kBlock); });
    const V variance = mean_of(pixels, [&](std::int64_t i) HWY_ATTR {
      const V away = hn::Sub(load(from + i * kBlock), mean);
      return hn::Mul(away, away);
    });
    const V factor = factor_of(variance);
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

HWY_INLINE V pass_or_damp(V decides, V value, V slope) {  // NaN passes
  return hn::IfThenElse(hn::Le(decides, hn::Zero(kFloats)), hn::Mul(slope, value), value);
}

void relu_gradient(std::int64_t pixels, const float* dy, const float* x, float slope, float* out) {
  const V damped = hn::Set(kFloats, slope);
  fill(pixels, out, [&](std::int64_t i) HWY_ATTR { return pass_or_damp(load(x + i), load(dy + i), damped); });
}

// Chunks are merged as by Chan, Golub and LeVeque (1979), each while it is cached.
void moments(std::int64_t pixels, const float* x, float* mean_out, float* scale) {
  for (std::int64_t lane = 0; lane < kBlock; lane += kLanes) {
    V mean = hn::Zero(kFloats), squares = hn::Zero(kFloats);
    for (std::int64_t first = 0; first < pixels; first += kChunk) {
      const std::int64_t count = std::min(kChunk, pixels - first);
      const float* from = x + first * kBlock + lane;
      const V own = mean_of(count, [&](std::int64_t i) HWY_ATTR { return load(from + i * kBlock); });
      const V spread = mean_of(count, [&](std::int64_t i) HWY_ATTR {
        const V away = hn::Sub(load(from + i * kBlock), own);
        return hn::Mul(away, away);
      });
      const auto part = static_cast<float>(count), before = static_cast<float>(first);
      const V step = hn::Sub(own, mean);
      const V moved = hn::Mul(hn::Mul(step, step), hn::Set(kFloats, before / (before + part)));
      squares = hn::MulAdd(hn::Add(spread, moved), hn::Set(kFloats, part), squares);
      mean = hn::MulAdd(step, hn::Set(kFloats, part / (before + part)), mean);
    }
    const V variance = hn::Mul(squares, hn::Set(kFloats, 1.0F / static_cast<float>(pixels)));
    hn::Store(mean, kFloats, mean_out + lane);
    hn::Store(factor_of(variance), kFloats, scale + lane);
  }
}

enum class Parameters { none, gain_and_shift };

// The norm of a vector of channels.
template <Parameters kParameters>
struct Lanes {
  V mean, scale, gain, shift;

  HWY_INLINE Lanes(const ChannelNorm& norm, std::int64_t lane)
      : mean(norm.mean == nullptr ? hn::Zero(kFloats) : hn::LoadU(kFloats, norm.mean + lane)),
        scale(norm.scale == nullptr ? hn::Set(kFloats, 1) : hn::LoadU(kFloats, norm.scale + lane)),
        gain(hn::Set(kFloats, 1)),
        shift(hn::Zero(kFloats)) {
    if constexpr (kParameters == Parameters::none) return;
    gain = hn::LoadU(kFloats, norm.gain + lane);
    shift = hn::LoadU(kFloats, norm.shift + lane);
  }
  HWY_INLINE V normalised(V x) const { return hn::Mul(hn::Sub(x, mean), scale); }
  HWY_INLINE V scaled(V y) const {
    if constexpr (kParameters == Parameters::none) return y;
    return hn::MulAdd(y, gain, shift);
  }
  HWY_INLINE V factor_back() const {
    if constexpr (kParameters == Parameters::none) return scale;
    return hn::Mul(scale, gain);
  }
};

template <Parameters kParameters>
HWY_INLINE void activate_by(std::int64_t pixels, const float* x, const ChannelNorm& norm, float slope,
                            float* out) {
  const V damped = hn::Set(kFloats, slope);
  for (std::int64_t lane = 0; lane < kBlock; lane += kLanes) {
    const Lanes<kParameters> lanes(norm, lane);
    for (std::int64_t i = lane; i < pixels * kBlock; i += kBlock) {
      const V y = lanes.scaled(lanes.normalised(load(x + i)));
      hn::Store(pass_or_damp(y, y, damped), kFloats, out + i);
    }
  }
}

void activate(std::int64_t pixels, const float* x, const ChannelNorm& norm, float slope, float* out) {
  if (norm.gain == nullptr) return activate_by<Parameters::none>(pixels, x, norm, slope, out);
  activate_by<Parameters::gain_and_shift>(pixels, x, norm, slope, out);
}

// dx = factor * (g - mean(g) - y * mean(g * y)), y = normalised(lanes, index) being the normalised value and
// g the gradient in front of the activation.
template <Parameters kParameters, class Normalised>
HWY_INLINE void gradient_by(std::int64_t pixels, const float* dy, const Normalised& normalised,
                            const ChannelNorm& norm, float slope, float* dx, float* sums) {
  const V damped = hn::Set(kFloats, slope);
  for (std::int64_t lane = 0; lane < kBlock; lane += kLanes) {
    const Lanes<kParameters> lanes(norm, lane);
    const auto gradient = [&](V y, std::int64_t at)
                              HWY_ATTR { return pass_or_damp(lanes.scaled(y), load(dy + at), damped); };
    V mean = hn::Zero(kFloats), along = hn::Zero(kFloats);
    for (std::int64_t first = 0; first < pixels; first += kChunk) {
      V sum = hn::Zero(kFloats), product = hn::Zero(kFloats);
      const std::int64_t last = std::min(first + kChunk, pixels);
      for (std::int64_t i = first; i < last; ++i) {
        const std::int64_t at = i * kBlock + lane;
        const V y = normalised(lanes, at), g = gradient(y, at);
        sum = hn::Add(sum, g);
        product = hn::MulAdd(g, y, product);
      }
      mean = hn::Add(mean, sum);
      along = hn::Add(along, product);
    }
    if (sums != nullptr) {
      hn::StoreU(along, kFloats, sums + lane);
      hn::StoreU(mean, kFloats, sums + kBlock + lane);
    }
    const V share = hn::Set(kFloats, 1.0F / static_cast<float>(pixels)), factor = lanes.factor_back();
    mean = hn::Mul(mean, share);
    along = hn::Mul(along, share);
    for (std::int64_t i = 0; i < pixels; ++i) {
      const std::int64_t at = i * kBlock + lane;
      const V y = normalised(lanes, at), g = gradient(y, at);
      hn::Store(hn::Mul(factor, hn::NegMulAdd(along, y, hn::Sub(g, mean))), kFloats, dx + at);
    }
  }
}

void activate_gradient(std::int64_t pixels, const float* dy, const float* x, const ChannelNorm& norm,
                       float slope, float* dx, float* sums) {
  const auto normalised = [x](const auto& lanes, std::int64_t at)
                              HWY_ATTR { return lanes.normalised(load(x + at)); };
  if (norm.gain == nullptr)
    return gradient_by<Parameters::none>(pixels, dy, normalised, norm, slope, dx, sums);
  gradient_by<Parameters::gain_and_shift>(pixels, dy, normalised, norm, slope, dx, sums);
}

void affine_gradient(std::int64_t pixels, const float* dy, const float* normalised, const ChannelNorm& norm,
                     float slope, float* dx, float* sums) {
  const auto given = [normalised](const auto&, std::int64_t at) HWY_ATTR { return load(normalised + at); };
  gradient_by<Parameters::gain_and_shift>(pixels, dy, given, norm, slope, dx, sums);
}

void add(std::int64_t pixels, const float* x, const float* y, float* out) {
  fill(pixels, out, [&](std::int64_t i) HWY_ATTR { return hn::Add(load(x + i), load(y + i)); });
}

const NormStages& stages() {
  static constexpr NormStages all = {
      normalise,         normalise_gradient, relu, relu_gradient, moments, activate,
      activate_gradient, affine_gradient,    add};
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
