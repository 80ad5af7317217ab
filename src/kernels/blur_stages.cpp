// Compiled once for each instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/blur_stages.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway wants it.
#include <hwy/highway.h>

#include "kernels/blur_stages.h"
#include "kernels/winograd_stages.h"

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3

HWY_BEFORE_NAMESPACE();
namespace torsor::HWY_NAMESPACE {
namespace blur {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using V = hn::Vec<Floats>;

constexpr Floats kFloats;
constexpr std::int64_t kLanes = hn::MaxLanes(Floats());

void row(const BlurTerms& row, const std::vector<BlurTerms>& columns, const float* source,
         std::int64_t source_width, const float* taps, std::int64_t side, float* out) {
  for (std::int64_t lane = 0; lane < kBlock; lane += kLanes) {
    float* to = out + lane;
    for (const BlurTerms& column : columns) {
      V sum = hn::Zero(kFloats);
      for (std::size_t r = 0; r < row.count; ++r) {
        const float *pixels = source + row.terms[r].pixel * source_width * kBlock + lane,
                    *weights = taps + row.terms[r].tap * side * kBlock + lane;
        for (std::size_t c = 0; c < column.count; ++c)
          sum = hn::MulAdd(hn::Load(kFloats, pixels + column.terms[c].pixel * kBlock),
                           hn::Load(kFloats, weights + column.terms[c].tap * kBlock), sum);
      }
      hn::Store(sum, kFloats, to);
      to += kBlock;
    }
  }
}

const BlurStages& stages() {
  static constexpr BlurStages all = {row};
  return all;
}

}  // namespace blur
}  // namespace torsor::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE

#include <stdexcept>

namespace torsor {

const BlurStages& blur_stages(Isa isa) {
#if HWY_TARGETS & HWY_AVX2
  if (isa == Isa::avx2) return N_AVX2::blur::stages();
#endif
#if HWY_TARGETS & HWY_AVX3
  if (isa == Isa::avx512) return N_AVX3::blur::stages();
#endif
  throw std::logic_error("the stages of blurs are not compiled for " + isa_name(isa));
}

}  // namespace torsor

#endif
