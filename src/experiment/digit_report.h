// How experiments with digits read and show what translators did to the classes.
#pragma once

#include <string>
#include <vector>

#include "experiment/digit_runs.h"
#include "metric/statistics.h"

namespace torsor {

/// A direction counts only where its cycle closes and its outputs are of all classes: a collapsed generator
/// permutes nothing.
inline constexpr double kMaxCycleL1 = 0.1;        // on the scale from -1 to 1; a black image costs 0.2 to 0.3
inline constexpr double kMinOutputEntropy = 2.5;  // bits, of log2(10) = 3.32
inline constexpr double kMinClassShare =
    0.5;  // of inputs that follow the permutation, or stay in their class

/// What a direction (an entry of measure_digit_run) did: "collapsed" (it does not count), "identity",
/// "permutation" (another one), or "neither".
std::string digit_kind(const Json& direction);

/// Of a run: the kind that both directions share, "collapsed" when one has, else "neither".
std::string digit_run_kind(const Json& run);

/// How many runs of an arm are of a kind, among those that count.
struct KindShare {
  std::int64_t of_kind = 0, counting = 0, all = 0;
  Interval interval;  // of the share, Wilson; 0 to 1 when none counts
};
KindShare kind_share(const Json& runs, const std::string& arm, const std::string& kind);

/// The set-up that all experiments with digits share.
std::vector<Setting> digit_setup(Scale scale);

/// The table of all runs, and for each its confusion matrices and samples.
void present_digit_runs(const Json& results, ReproductionPage& page);

/// Classifier, trainings and measurements of some arms: {"data", "classifier_accuracy", "arms": [{"name",
/// "what"}], "runs": [...]}.
Json measure_digit_arms(const std::vector<DigitArm>& arms, const Request& request);

}  // namespace torsor
