// What a training measures on images that it does not see, and what it does with the numbers.
#pragma once

#include <cstdint>
#include <string>

#include "core/options.h"

namespace torsor {

struct EvaluationOptions {
  std::int64_t eval_every = 0;
  std::string eval_metrics = "kid";
  std::string eval_features = "auto";
  std::int64_t eval_images = 100;
  std::string keep_best;
  std::string early_stop;

  void describe(OptionSet& o);
  /// Throws UsageError for what does nothing without eval_every.
  void validate() const;

  bool is_on() const { return eval_every > 0; }
};

/// "METRIC:PATIENCE": stop when so many evaluations in a row were no better than the best before them.
struct EarlyStopRule {
  std::string metric;
  std::int64_t patience = 0;

  /// Throws UsageError naming `where` for another form.
  static EarlyStopRule parse(const std::string& text, const std::string& where);
};

}  // namespace torsor
