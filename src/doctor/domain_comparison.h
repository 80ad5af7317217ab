// The images of A against those of B.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "doctor/survey.h"

namespace torsor {

struct FeatureComparison {
  std::string name;   // as in image_feature_list()
  std::string label;  // in words
  double mean_a = 0, mean_b = 0;
  double difference = 0;  // mean_b - mean_a in deviations within the domains: the root of the mean variance,
                          // and the feature's floor
  double above = 0;       // the share of pairs of an image of each in which that of B has more, 0 to 1
};

struct DomainComparison {
  std::int64_t images_a = 0, images_b = 0;  // whose features were taken
  std::vector<FeatureComparison> features;
  double chance = 0;  // how far from 0.5 `above` is by chance: three standard deviations

  /// Those that differ by more than chance, the most telling first.
  std::vector<FeatureComparison> differing() const;
};

/// From the training sets of both domains, or the halves of pairs. None where there are fewer than two images
/// of either whose features are known.
std::optional<DomainComparison> compare_domains(const Survey& survey);

}  // namespace torsor
