// What is known of one translation without the right one to compare it with, as a file that travels with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/options.h"
#include "data/fingerprint.h"
#include "infer/calibration.h"
#include "infer/output_check.h"
#include "model/direction.h"

namespace torsor {

/// From where on an output is doubtful.
struct EvidenceLimits {
  double doubt_percentile = 99;  // of the calibration images, that a measure may be worse than
  double doubt_spread = 0.1;     // of several models in the worst patch, a share of black to white

  void describe(OptionSet& o);
};

/// A measured number and its percentile; each absent with a reason.
struct GradedValue {
  std::optional<double> value, percentile;
  std::string why_not;  // why the value, or else the percentile, is absent
};

/// Of several models, as shares of the range from black to white.
struct EnsembleEvidence {
  std::vector<std::string> models;  // their files, the first one's too
  std::string output = "first";     // what was delivered: first, mean, median
  double spread = 0;                // mean standard deviation over the image
  double worst_patch = 0;
  std::string map;  // file name of the spread's picture, "" = none was written
};

struct CalibrationUsed {
  std::int64_t images = 0;
  std::vector<std::string> formats;
};

struct Evidence {
  struct File {
    std::string file, hash;  // XXH3-128 of the bytes
  };
  File input, output;
  bool delivered = true;  // else the output was withheld
  File model;             // the hash is hash_of_generators()
  std::string direction;
  GradedValue cycle_error, worst_patch, discriminator;
  std::optional<Recognition> input_likeness;
  std::optional<EnsembleEvidence> ensemble;
  std::optional<CalibrationUsed> calibration;
  std::string no_calibration;  // why not
  Json audit;                  // LastAudit::verdict
  std::vector<std::string> notes;
  std::vector<std::string> flags;  // why the output is doubtful, a sentence each

  bool doubtful() const { return !flags.empty(); }
  Json json() const;
  /// Of the JSON, ready to be written; what is not UTF-8 in names is replaced.
  std::string text() const;
};

/// Puts in what was measured, with its percentiles among the calibration. `incomparable`: why this output
/// cannot be compared with those of the calibration, "" = it can.
void grade(Evidence& evidence, const OutputMeasures& measured, const std::optional<Calibration>& calibration,
           const std::string& incomparable);

/// Why an output with this evidence is doubtful, a sentence each: a cycle error (of the whole or of the worst
/// patch) above the percentile, a discriminator's score below 100 less the percentile, an input that is not
/// like the training images, a spread above the limit.
std::vector<std::string> doubts_about(const Evidence& evidence, const EvidenceLimits& limits);

}  // namespace torsor
