// What the metrics of images can be asked for, in one place; a result states what was used.
#pragma once

#include <cstdint>
#include <string>

#include "core/options.h"

namespace torsor {

struct MetricOptions {
  std::string groups;                   // pattern of names, see groups.h; "" = each image on its own
  std::int64_t metric_seed = 0;         // of subsets, folds and resampling
  std::int64_t resamples = 1000;        // of a bootstrap; 0 = no intervals
  std::int64_t nearest_k = 5;           // precision, recall, density, coverage
  std::int64_t kid_subsets = 0;         // KID on so many random subsets, beside the full estimate
  std::int64_t kid_subset_size = 1000;  // images of each set in one of them
  std::int64_t c2st_folds = 5;          // cross-validation of the classifier
  double c2st_penalty = 1;              // its weight decay

  void describe(OptionSet& o);
};

}  // namespace torsor
