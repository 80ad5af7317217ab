// What translations of held-out images measure, kept with a model so that others can be compared with them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "data/transform.h"
#include "model/model_file.h"

namespace torsor {

/// Values of one measure on a calibration set, kept as at most 256 quantiles of them.
class Quantiles {
 public:
  /// Of at least one value, in any order; throws Error for none, and for a value that is not finite.
  explicit Quantiles(std::vector<double> values);
  /// {"count", "values"}, ascending. Throws Error for what to_json() does not write.
  static Quantiles from_json(const Json& json);
  Json to_json() const;

  std::int64_t count() const { return count_; }
  const std::vector<double>& values() const { return values_; }

  /// The value at a share of the ranks, 0 (the least) to 1 (the largest).
  double quantile(double share) const;

  /// The percentile of `value`, 0 to 100: 0 below all, 100 above all; else its middle rank among the count()
  /// values, interpolated between those that are kept, so that value k (from 0) of n has 100 (k + 1/2) / n.
  double percentile(double value) const;

 private:
  Quantiles() = default;
  double rank_of(std::size_t kept) const;

  std::int64_t count_ = 0;      // images
  std::vector<double> values_;  // ascending; evenly spaced in rank, first and last included
};

/// The calibration of one direction.
struct Calibration {
  std::int64_t images = 0;
  // Shares of the range from black to white, see cycle_errors(); the mean score of the target domain's
  // discriminator. Absent where the model cannot measure it.
  std::optional<Quantiles> cycle_error, worst_patch, discriminator;
  std::vector<std::string> formats;  // of the files that were delivered: "png", "jpg"
  std::optional<Size> resize;        // at which they were translated; none: their own
  std::string generators;            // hash_of_generators()

  Json to_json() const;
  /// Throws Error for what to_json() does not write.
  static Calibration from_json(const Json& json);
};

/// The least number of images that a calibration takes: of fewer, one in twenty right images would lie beyond
/// all of them.
constexpr std::int64_t kLeastCalibration = 20;

/// The calibration that a model has for this direction. Throws Error naming `source` when it is damaged.
std::optional<Calibration> find_calibration(const ModelInfo& info, const Direction& direction,
                                            const std::string& source);

/// Puts it into the description, in place of an earlier one of this direction.
void set_calibration(ModelInfo& info, const Direction& direction, const Calibration& calibration);

}  // namespace torsor
