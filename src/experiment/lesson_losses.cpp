#include "experiment/lesson_losses.h"

#include "core/error.h"

namespace torsor {

namespace {

constexpr double kRange = 2;       // of the values that networks see: -1 to 1
constexpr double kLastPart = 0.1;  // of the steps, over which losses are averaged
constexpr double kBothSides = 2;   // a moving average reaches half its span to either side

const ScalarSeries& logged(const RunRecord& run, const std::string& name) {
  const ScalarSeries* found = run.log.find(name);
  if (found == nullptr || found->size() == 0)
    fail("{}: holds no {}; the lesson's training logs it", run.directory.log().string(), name);
  return *found;
}

// Both are logged at the same steps.
ScalarSeries mean_of(const ScalarSeries& a, double factor_a, const ScalarSeries& b, double factor_b) {
  ScalarSeries out{a.name, a.steps, {}};
  for (std::size_t i = 0; i < a.size(); ++i)
    out.values.push_back((factor_a * a.values.at(i) + factor_b * b.values.at(i)) / 2);
  return out;
}

ScalarSeries mean_of(const RunRecord& run, const std::string& a, const std::string& b) {
  return mean_of(logged(run, a), 1, logged(run, b), 1);
}

double at_the_end(const ScalarSeries& s) {
  return moving_average(s, kBothSides * kLastPart * s.steps.back()).values.back();
}

double unweighted(const RunRecord& run, const char* weight) {
  return 1 / (kRange * run.config.at(weight).get<double>());
}

}  // namespace

LessonLosses lesson_losses(const RunRecord& run) {
  LessonLosses out;
  out.cycle_by_step = mean_of(logged(run, "cycle_a"), unweighted(run, "lambda_cycle_a"),
                              logged(run, "cycle_b"), unweighted(run, "lambda_cycle_b"));
  out.cycle = at_the_end(out.cycle_by_step);
  out.generators = at_the_end(mean_of(run, "g_a_to_b", "g_b_to_a"));
  out.discriminators = at_the_end(mean_of(run, "d_a", "d_b"));
  return out;
}

}  // namespace torsor
