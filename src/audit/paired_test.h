// Does one answer come nearer to the truth than another, pair by pair? Sign flips, without a distribution.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/rng.h"

namespace torsor {

/// Of one rival against the run.
struct PairedTest {
  double difference = 0;    // mean over groups of the rival's error minus the run's
  double run_better = 1;    // p of "the run's error is smaller", one-sided
  double rival_better = 1;  // p of "the rival's error is smaller", one-sided
};

struct PairedTests {
  std::int64_t groups = 0;     // observations: images of one group are one
  bool exact = false;          // all assignments of signs, else some drawn at random
  std::vector<PairedTest> of;  // in the order of the rivals
};

/// The largest number of groups whose 2^n assignments of signs are all tried.
constexpr std::int64_t kExactGroups = 12;
/// Assignments drawn for more groups.
constexpr std::int64_t kDrawnFlips = 20000;

/// `run` and each of `rivals`: errors of N answers, [N]; `groups` as AuditImages has them. Were run and rival
/// equally good, the sign of each group's mean difference could as well be the other one; p is the share of
/// assignments of signs whose sum is at least the observed one, which counts as one of them. k groups give
/// p >= 2^-k, so that k of them can never decide between more than 2^k / 20 rivals (pairs_for_rivals()). The
/// same assignments serve all rivals. Throws std::logic_error for errors and groups of different lengths.
PairedTests paired_tests(const at::Tensor& run, const std::vector<at::Tensor>& rivals,
                         const std::vector<std::int64_t>& groups, Rng& rng);

/// p values made larger for being several (Holm, Scandinavian Journal of Statistics 6, 1979): with those
/// below 0.05 rejected, a true hypothesis is rejected in at most 5 % of audits, however they depend on each
/// other. In the order of `p`.
std::vector<double> holm_adjusted(const std::vector<double>& p);

/// The level of all tests of an audit.
constexpr double kTestLevel = 0.05;

/// The least pairs, of different groups, with which each of so many rivals can be beaten: ceil(log2(20 m)).
std::int64_t pairs_for_rivals(std::int64_t rivals);

/// The least pairs, of different groups and none wrong, that hold the upper limit of a share at or below
/// `limit` (Wilson's interval). `limit` in (0, 1).
std::int64_t pairs_for_share(double limit);

}  // namespace torsor
