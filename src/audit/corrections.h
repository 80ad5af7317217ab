// Would a simple change of a run's answers bring them nearer to the truth? Fitted on half of the pairs, tried
// on the other half.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "audit/estimate.h"
#include "audit/symmetries.h"
#include "core/rng.h"

namespace torsor {

/// Which corrections say what of the map. `wrong_map`: one of the battery's symmetries, so that a rival is
/// right; `calibration`: the map's colours or place are off; `sharpness`: a right answer can be blurred, so
/// it is told and does not count.
enum class CorrectionKind { wrong_map, calibration, sharpness };
std::string correction_kind_name(CorrectionKind kind);

struct TriedCorrection {
  std::string name;  // colour, curve, symmetry, shift, filter
  std::string text;  // for a reader: "an affine change of colours"
  CorrectionKind kind = CorrectionKind::calibration;
  Estimate improvement;   // the share of the error that it takes away
  double taken_away = 0;  // the same as a share of the distance between unrelated images
};

/// Answers and targets [N,C,H,W] with their groups. Each half of the groups is corrected by what was fitted
/// on the other half. Kinds: colour: an affine change of each pixel's channels by least squares, scaled so
/// that each channel spreads as the target's does (least squares alone shrinks what is noisy, which is nearer
/// to any target); curve: a monotone curve of each channel that matches 32 quantiles; symmetry: the best one
/// of `symmetries`, or none; shift: the best one by at most 2 pixels along each side, errors without a border
/// of as many; filter: a linear filter of 3 x 3 pixels of each channel by least squares. Errors are mean
/// |difference|; for colour and curve between images averaged over squares of a 32nd of the side (at least 2
/// pixels), so that sharpening a blurred answer is not taken for a change of its colours. Empty for fewer
/// than 4 groups.
std::vector<TriedCorrection> tried_corrections(const at::Tensor& answers, const at::Tensor& targets,
                                               const std::vector<std::int64_t>& groups,
                                               const std::vector<Symmetry>& symmetries,
                                               std::int64_t resamples, Rng& rng);

/// The errors of answers before and after the colour correction, cross-fitted as above: [N] each. For what
/// asks it of many answers.
struct CorrectedErrors {
  at::Tensor before, after;
};
CorrectedErrors colour_corrected(const at::Tensor& answers, const at::Tensor& targets,
                                 const std::vector<std::int64_t>& groups, Rng& rng);

}  // namespace torsor
