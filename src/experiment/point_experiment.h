// What the experiments on clouds of points share: their scales, their set-up, the training of all arms.
#pragma once

#include <string>
#include <vector>

#include "experiment/point_measures.h"
#include "experiment/reproduction.h"

namespace torsor {

/// Results are {"rows": [...]}, one row for each problem and arm, in this order, as of_arm() gives it for the
/// starts of one seed; those of further seeds are appended to "runs" (and to "errors", {name: [[of each
/// start]]}), and "apart" is the mean over seeds of that between starts of one seed.
class PointExperiment : public Experiment {
 public:
  std::vector<Setting> setup(Scale scale) const override;
  Json measure(const Request& request) const override;

 protected:
  virtual std::vector<PointArm> arms() const = 0;
  /// Names, as of point_problem().
  virtual std::vector<std::string> problems(Scale scale) const = 0;
  /// Further lines of the set-up.
  virtual std::vector<Setting> own_settings() const { return {}; }
  virtual Json of_arm(const PointProblem& problem, const PointArm& arm, const PointTranslators& translators,
                      const PointTest& test) const {
    return measure_points(problem, arm, translators, test);
  }
};

/// A flow of as many parameters as the other generators have, in this many Euler steps: one generator,
/// neither a way back nor a cycle loss, and a cost of this weight (S2-Q6). Names are the caller's.
PointArm one_flow(std::int64_t steps, double lambda_transport);

}  // namespace torsor
