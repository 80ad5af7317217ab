// How the reconstruction of images suffers when their translations are disturbed.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "audit/audit_material.h"

namespace torsor {

/// One kind of disturbance and its strengths, weakest first.
struct Disturbance {
  std::string name;   // "noise", "depth", "jpeg", "low_pass"
  std::string title;  // for a reader, of its strength
  std::vector<double> levels;
  std::vector<double> places;  // of the levels on an even axis, rising with the strength
};

/// noise: 0.25 ... 8 grey levels of 1/255 (on a logarithmic axis); depth: 8 ... 3 bits; jpeg: quality 95 ...
/// 50; low_pass: half the amplitude at 0.75 ... 0.125 of the Nyquist frequency (logarithmic).
const std::vector<Disturbance>& disturbances();

/// Some held-out images of a direction, their translations by a run, and how they are brought back.
struct CycleSample {
  at::Tensor inputs;                 // [n,C,H,W]
  at::Tensor translations;           // [n,C',H,W]
  std::vector<std::int64_t> groups;  // n
  const TensorMapping* back = nullptr;
  double unrelated = 1;               // distance of unrelated inputs
  const ValueRange* range = nullptr;  // of the translations
};

/// `count` of 0 ... size-1, or all, evenly over them: neighbours by name are often of one patient or clip.
std::vector<std::int64_t> spread_places(std::int64_t size, std::int64_t count);

/// `count` of the held-out images (spread_places()).
CycleSample cycle_sample(AuditMaterial& material, std::size_t run, const Direction& direction,
                         std::int64_t count);

/// The distances of the inputs to the reconstructions of `translations`, as shares of that of unrelated
/// inputs: [n].
at::Tensor reconstruction_distances(const CycleSample& sample, const at::Tensor& translations);

/// The translations disturbed so, in the networks' range. `noise` [n,C',H,W] is one draw for all strengths,
/// so that a curve does not jump.
at::Tensor disturbed(const CycleSample& sample, const std::string& disturbance, double level,
                     const at::Tensor& noise);

/// {"clean", "levels", "distances", "index"} of one disturbance; null where it does not apply: JPEG holds one
/// or three channels. index: 1 - the mean over the axis (trapezoids between the levels) of the share
/// (d(level) - d(clean)) / (1 - d(clean)), clipped to 0 ... 1, that the disturbance takes of what the
/// reconstruction keeps; 1 = it changes nothing, 0 = even the weakest makes reconstructions as far as
/// unrelated images. Null where the undisturbed one is as far.
Json honesty_curve(const CycleSample& sample, const Disturbance& disturbance, const at::Tensor& noise,
                   const StopFlag& stop);

}  // namespace torsor
