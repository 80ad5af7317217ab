// Evidence that a test makes up.
#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "alarm/alarms.h"

namespace torsor::testing {

/// Smooth random colour pictures [3,64,64], values all over [0,1].
inline UnitImages pictures(std::uint64_t seed, std::int64_t count = 8) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  UnitImages out;
  for (std::int64_t i = 0; i < count; ++i)
    out.push_back(at::upsample_bicubic2d(at::rand({1, 3, 8, 8}, generator, at::TensorOptions(at::kFloat)),
                                         {64, 64}, /*align_corners=*/false)[0]
                      .clamp(0, 1));
  return out;
}

/// share * x + (1 - share) * y, image by image.
inline UnitImages mixed(const UnitImages& x, const UnitImages& y, double share) {
  UnitImages out;
  for (std::size_t i = 0; i < x.size(); ++i) out.push_back(x[i] * share + y[i] * (1 - share));
  return out;
}

inline UnitImages negatives(const UnitImages& images) {
  UnitImages out;
  for (const at::Tensor& image : images) out.push_back(1 - image);
  return out;
}

/// Translations that keep half of their input and add as much that is new; a discriminator that guesses
/// better than by chance, a reconstruction that rounding hardly disturbs.
inline Evidence healthy() {
  Evidence out{pictures(1), {}, pictures(2), Pairing::unpaired, RoundTrip{0.05, 0.051, 0.056}, 0.6};
  out.outputs = mixed(out.inputs, pictures(3), 0.5);
  return out;
}

}  // namespace torsor::testing
