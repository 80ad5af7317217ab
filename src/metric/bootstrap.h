// 95 % intervals of metrics, by resampling or leaving out groups of images.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "core/rng.h"
#include "metric/groups.h"
#include "metric/metric_result.h"

namespace torsor {

/// With fewer groups there is no interval: even the range of all resamples of 4 misses a median one time
/// in 8.
constexpr std::int64_t kLeastGroups = 5;

/// What is drawn or left out as a whole: a group or, where there are too many, several joined at random.
struct ResamplingUnits {
  at::Tensor real, fake;                          // [N], [M] int64: the unit of each row
  std::vector<std::vector<std::int64_t>> strata;  // units, drawn each among its own
  std::int64_t count = 0;
};

/// Groups of the real and of the fake images are two strata when no group has both; otherwise all groups are
/// one, so that an original and its translation are drawn together. At most `at_most` units in a stratum.
ResamplingUnits resampling_units(const SampleGroups& groups, std::int64_t at_most, Rng& rng);

/// How often each unit is drawn: [resamples,U] float64. Each stratum is drawn with replacement, as many units
/// as it has; a draw of one unit only is repeated, since nothing is a pair in it.
at::Tensor bootstrap_weights(const ResamplingUnits& units, std::int64_t resamples, Rng& rng);

/// The percentile bootstrap of a statistic of the weights, [B,U] -> [B]. The percentiles are those that
/// Student's t asks for where the plain ones are too narrow for few units (Hesterberg, "What Teachers Should
/// Know About the Bootstrap", The American Statistician 69, 2015: expanded percentiles). No interval, with
/// the reason, of fewer than kLeastGroups groups in a stratum, of no resamples, and when a resample has no
/// value.
MetricInterval bootstrap_interval(const ResamplingUnits& units, std::int64_t resamples, Rng& rng,
                                  const std::function<at::Tensor(const at::Tensor& weights)>& statistic);

/// The error of a statistic from its values without each unit, [U]: the jackknife for units of unequal sizes
/// (Busing, Meijer and van der Leeden, Statistics and Computing 9, 1999), whose variances of independent
/// strata add (Arvesen, Annals of Mathematical Statistics 40, 1969); degrees of freedom by Satterthwaite.
struct JackknifeError {
  double standard_error = 0;
  double degrees = 0;
};
JackknifeError jackknife_error(const ResamplingUnits& units, double value, const at::Tensor& without);

/// Several statistics of rows at once: value + and - t standard errors. On average the jackknife's variance
/// is not too small, for any statistic of independent units that does not mind their order (Efron and Stein,
/// Annals of Statistics 9, 1981); it is used where drawing a row twice would change a statistic. `statistics`
/// gets the rows that stay, of each set [n] int64. No interval of fewer than kLeastGroups groups in a
/// stratum, or when fewer than `least` rows of a set would stay, or when no unit changes the value.
std::vector<MetricInterval> jackknife_intervals(
    const ResamplingUnits& units, const std::vector<double>& values, std::int64_t least,
    const std::function<std::vector<double>(const at::Tensor& real, const at::Tensor& fake)>& statistics);

/// No interval, since none was asked for.
MetricInterval no_interval_asked();

}  // namespace torsor
