// Can a classifier tell two sets of feature vectors apart? (Lopez-Paz and Oquab, "Revisiting Classifier
// Two-Sample Tests", ICLR 2017.)
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/rng.h"
#include "metric/metrics.h"

namespace torsor {

/// A fold for each group, 0..folds-1: a group is never split. Groups of the real set only, of the fake set
/// only and of both are each dealt out at random. Throws Error when a fold would lack images of a set.
std::vector<std::int64_t> group_folds(const SampleGroups& groups, std::int64_t folds, Rng& rng);

/// The log odds of being fake that a logistic regression (logistic.h) on the other folds gives each row of
/// the real and then of the fake set, [N+M]. It sees the features and their squares, hence
/// differences of means and of spreads; all are centred and scaled to deviation 1 over both sets together,
/// which does not look at which is which, and divided by the root of their number.
at::Tensor held_out_scores(const FeatureSets& sets, const std::vector<std::int64_t>& fold_of_group,
                           std::int64_t folds, double penalty);

/// c2st: the area under the ROC curve of held-out images, over pairs of a real and a fake image of one fold;
/// 0.5 = they cannot be told apart, 1 = always. "accuracy" with "accuracy_interval": the mean of both sets'
/// shares of right answers. Bootstrap intervals over groups, for the classifiers as they were trained.
/// "distinguishable": whether the interval of the value lies above 0.5; null without one.
MetricResults classifier_metric(const FeatureSets& sets, const MetricOptions& options);

}  // namespace torsor
