// How a run stands against its rivals on evidence from outside its training: numbers, and what follows.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "audit/audit_options.h"
#include "audit/image_distances.h"
#include "core/json.h"
#include "core/rng.h"

namespace torsor {

/// What evidence says of one rival in one direction, before any test.
struct RivalErrors {
  std::string id, text;        // as of RivalAnswer
  at::Tensor error;            // [N] of its answers
  MeanDistances displacement;  // from the run's answers, in shares of unrelated images' distance
  MeanDistances floor = {};    // of that, what two runs of one solution would show too; 0 but for runs
};

/// [{"id", "text", "error" (mean, as a share), "displacement", "worst_displacement", "floor", "worst_floor",
/// "run_better", "rival_better" (p, one-sided)}]. `run_error` [N]; `scale`: what an error of 1 is.
Json tested_rivals(const at::Tensor& run_error, const std::vector<RivalErrors>& rivals,
                   const std::vector<std::int64_t>& groups, double scale, Rng& rng);

/// A rival by what was measured.
struct RivalStanding {
  std::string id, text;
  double error = 0;  // mean, as a share
  double displacement = 0;
  double improvement = 0;      // the share of the run's error that the rival does not have
  bool equivalent = false;     // its answers are the run's
  bool same_solution = false;  // a run whose answers differ from the run's by no more than the margins
  bool minor = false;          // a symmetry that moves too little to matter
  bool excluded = false;       // a symmetry that changes the data's distribution
  bool beaten = false;         // the run is nearer to the truth
  bool preferred = false;      // the rival is
  bool shown_other = true;     // not a run that nothing shows to give other answers; set by who knows that

  /// Whether the run has to beat it.
  bool required() const { return !equivalent && !same_solution && !minor && !excluded; }
};

/// Of what part "anchors" measured: anchors["directions"][direction][kind]["rivals"], kind "pairs" or
/// "labels". Tests are corrected (Holm) over the rivals of both directions: "the run is better" over those
/// that are not excluded, "the rival is better" over all. "constant" is beaten where the run's error is
/// smaller by more than `correction_margin`. Rivals whose answers are the run's are none, nor are runs of the
/// same solution. `excluded`: ids, see excluded_rivals(). Empty where this was not measured.
std::vector<RivalStanding> rival_standings(const Json& anchors, const std::string& kind,
                                           const std::string& direction,
                                           const std::vector<std::string>& excluded,
                                           const AuditThresholds& thresholds);

/// Ids of the rivals that pairs or labels beat in every direction in which they differ from the run.
std::vector<std::string> beaten_rivals(const Json& anchors, const std::vector<std::string>& excluded,
                                       const AuditThresholds& thresholds);

}  // namespace torsor
