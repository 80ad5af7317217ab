// Samples whose images may belong together in groups, and random parts of them.
#pragma once

#include <cstdint>
#include <vector>

#include "core/rng.h"

namespace torsor {

/// The images of each group; a part takes groups whole.
class SampleUnits {
 public:
  /// The group of each image; any numbers.
  explicit SampleUnits(const std::vector<std::int64_t>& groups);

  std::int64_t images() const { return images_; }
  std::int64_t units() const { return static_cast<std::int64_t>(members_.size()); }

  /// Images of as many random groups as hold at least `share` of the images, less the last group where that
  /// comes nearer; at least one group. In random order of groups.
  std::vector<std::int64_t> part(double share, Rng& rng) const;

  /// Random parts without a common group, each of at most `most` images; the second is empty where there is
  /// one group alone.
  struct Halves {
    std::vector<std::int64_t> first, second;
  };
  Halves halves(std::int64_t most, Rng& rng) const;

  /// The same groups of these images alone: image k of the result is images[k].
  SampleUnits among(const std::vector<std::int64_t>& images) const;

  /// The mean of each group's values, one value for each image.
  std::vector<double> means(const std::vector<double>& values) const;

 private:
  std::vector<std::size_t> shuffled(Rng& rng) const;

  std::vector<std::vector<std::int64_t>> members_;
  std::vector<std::int64_t> groups_;
  std::int64_t images_ = 0;
};

}  // namespace torsor
