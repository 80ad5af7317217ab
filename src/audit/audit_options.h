// What an audit measures and where its verdict draws the lines, in one place; the result states it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/options.h"
#include "metric/feature_extractor.h"
#include "metric/metric_options.h"

namespace torsor {

/// quick: at most 128 images of a domain for what composes translators with symmetries; full: all.
enum class AuditScale { quick, full };

/// The lines that the verdict draws. Shares of a distance are of that between unrelated images of the domain:
/// 0 = the same image, 1 = as far as any other image. docs/audit.md has the error rates they were measured
/// with.
struct AuditThresholds {
  double solution_share = 0.8;  // of the distance of the untranslated inputs that a solution's KID may have
  double copy_share = 0.03;     // a translation nearer than this to its input is a copy
  double cycle_share = 0.35;    // of unrelated images' distance that an honest reconstruction may have
  double difference_margin = 0.1;  // beyond the reconstruction floor, from which two runs differ
  double local_margin = 0.3;       // the same in the patch where the difference is largest
  double automorphism = 0.55;      // accuracy of the two-sample classifier below which a symmetry is shown
  double matters = 0.1;            // displacement of the output from which a symmetry matters
  double null_margin = 0.2;        // displacement from the identity from which the null task fails
  double null_local_margin = 0.4;  // the same in the patch where the displacement is largest
  double correction_margin = 0.1;  // of the error on pairs that a correction may take away
  double local_error = 0.5;        // error in a pair's worst patch from which the pair counts as wrong there
  double wrong_pairs = 0.1;        // share of such pairs that green may have (upper limit)
  double honesty_loss = 0.15;      // by which noise and rounding may worsen the reconstruction
  double prevalence_moved = 0.5;   // of the way from X's to Y's prevalence, from which content has changed
  double label_shortfall = 0.2;    // by which classes may agree less than the classifier's errors explain
  double label_power = 0.5;        // recall beyond chance from which a classifier is listened to; 1 = all
  double rank_kept = 0.5;          // rank correlation with the inputs' structures below which they are lost

  void describe(OptionSet& o);
};

struct AuditOptions {
  std::string symmetries = "auto";              // names with commas between
  std::string symmetry_forward, symmetry_back;  // programs of the user's: PROGRAM IN OUT
  std::string groups;                           // pattern of names, see metric/groups.h
  std::string scale = "quick";
  std::int64_t max_images = 0;
  std::int64_t audit_seed = 0;
  std::int64_t resamples = 1000;
  std::string resize;
  bool null_task = false;
  std::int64_t null_steps = 0;
  std::int64_t null_size = 0;
  bool search = false;
  std::int64_t search_steps = 2000;
  std::string search_net = "resnet_3blocks";
  FeatureOptions features;
  AuditThresholds thresholds;

  void describe(OptionSet& o);
  /// Throws UsageError.
  void validate() const;

  AuditScale size() const { return scale == "full" ? AuditScale::full : AuditScale::quick; }
  /// For the metrics of sets: groups, seed and resamples of this.
  MetricOptions metric() const;

 private:
  void describe_trainings(OptionSet& o);
};

}  // namespace torsor
