// How the content of images changes on the way through a generator: prevalences, agreement, ranks.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "audit/estimate.h"
#include "core/rng.h"

namespace torsor {

/// A number for each image of X, of each translation G(x) in the same order, and of each image of Y; float64
/// [N], [N], [M]. Groups of X and of Y are numbered each on their own.
struct ContentSample {
  at::Tensor x, translated, y;
  std::vector<std::int64_t> groups_x, groups_y;
};

/// Means of the three, and how far the second has gone from the first to the third.
struct ContentShift {
  double x = 0, translated = 0, y = 0;
  Estimate gap;  // y - x
  /// (translated - x) / (y - x): 0 = as in X, 1 = as in Y (Cohen, Luck, Honari 2018: translations follow the
  /// target's prevalence). Only where the gap's interval excludes 0.
  std::optional<Estimate> moved;
};

/// Intervals by the bootstrap over groups; an image and its translation are drawn together, X and Y apart.
ContentShift content_shift(const ContentSample& sample, std::int64_t resamples, Rng& rng);

/// Wilson's interval of a share of images, `is` [N] of 0 and 1, with as many trials as there are groups: as
/// if all images of a group were one. It is too wide rather than too narrow, and not of width 0 at 0 and 1.
Estimate share_estimate(const at::Tensor& is, const std::vector<std::int64_t>& groups);

/// Whether X and Y differ: the energy test of their groups' means, as a p value.
double content_difference_p(const ContentSample& sample, std::int64_t permutations, Rng& rng);

/// The value above which the shares of X and of Y differ most (that of Kolmogorov's and Smirnov's statistic).
double separating_value(const at::Tensor& x, const at::Tensor& y);

/// The rank-biserial correlation of values [N] with `is` [N] of 0 and 1: twice the probability that a value
/// where it is 1 exceeds one where it is 0, ties by half, less 1. 1 = the values tell them apart, 0 = they do
/// not. Bootstrap over groups; nothing where either kind is missing.
std::optional<Estimate> rank_correlation(const at::Tensor& values, const at::Tensor& is,
                                         const std::vector<std::int64_t>& groups, std::int64_t resamples,
                                         Rng& rng);

/// Classes of inputs and of their translations, and what a classifier makes of the target's images; int64
/// [N], [N], [M], -1 where there is no class. `y_true` undefined: the classifier is taken to be right.
struct ClassSample {
  at::Tensor x, translated;
  at::Tensor y_true, y_said;
  std::vector<std::int64_t> groups_x, groups_y;
  std::int64_t classes = 0;
};

/// Of the inputs that have a class.
struct ClassAgreement {
  Estimate agreement;  // share of translations of the input's class
  /// What a perfect translator would reach with this classifier: its recall of each class on Y (half a
  /// success and half a failure added), weighted by the inputs' classes.
  double attainable = 1;
  Estimate shortfall;  // attainable - agreement, with the errors of both
};

/// Throws Error where no input has a class.
ClassAgreement class_agreement(const ClassSample& sample, std::int64_t resamples, Rng& rng);

/// (mean recall over the classes - 1/classes) / (1 - 1/classes) on the images with a class: 0 = it guesses, 1
/// = it is always right.
double classifier_power(const at::Tensor& truth, const at::Tensor& said, std::int64_t classes);

}  // namespace torsor
