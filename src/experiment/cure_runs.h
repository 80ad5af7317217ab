// Trainings with one cure against ambiguity each, in worlds where its prior is true and where it is false
// (S0-C11), and what the audit says of them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiment/reproduction.h"
#include "experiment/worlds.h"

namespace torsor {

struct TrainConfig;

/// How large the experiment is at a scale.
struct CureScale {
  std::int64_t steps = 1200;  // of a training: half at the full learning rate, half while it falls
  std::int64_t ngf = 16, ndf = 32;
  std::int64_t encoder_steps = 1500;
  int cost_rounds = 5;              // over which the cost of a step is the least
  std::int64_t resamples = 400;     // of the audits' bootstraps
  std::string symmetries = "auto";  // that the audits try
  WorldSize world = {};
};
CureScale cure_scale(Scale scale);

/// One way to train.
struct CureArm {
  std::string name, what;
  bool sees_truth = false;  // through pairs or labels: then worlds of the same images need runs of their own
  Json settings = Json::object();  // options of torsor train over those of no cure; null: the default
  std::int64_t length = 1;         // steps of its training, over the scale's
};
/// none, identity, anchors-1 ... anchors-8, labels, content, jacobian, jacobian-anchor.
const std::vector<CureArm>& cure_arms();

/// An arm in a world, which is audited against that world's truth.
struct CureCase {
  const CureArm* arm = nullptr;
  const World* world = nullptr;
  std::string name() const { return world->name + "-" + arm->name; }
  /// What its runs are called: those of the first world of these images where no truth is seen.
  std::string runs() const;
};
/// The arms of these names in a world, in the order of `arms`, which must outlive the cases; no names: all.
std::vector<CureCase> cases_of(const World& world, const std::vector<CureArm>& arms,
                               const std::vector<std::string>& names = {});
/// At full every arm in every world; below, those that the claim needs.
std::vector<CureCase> cure_cases(Scale scale);

/// The training of a case with this seed; what its files name has to be written.
TrainConfig cure_config(const CureCase& one, std::uint64_t seed, const CureScale& scale,
                        const std::filesystem::path& out);

/// Writes the images of the worlds, trains the encoders, and trains every arm that the cases need with every
/// seed in OUT/runs; see train_runs(). A run is named by world and arm: arms of one name must be one arm.
void train_cures(const std::vector<CureCase>& cases, const CureScale& scale, const Request& request);

/// Of one case: {"case", "arm", "world", "runs": [{"seed", "error_a_to_b", "error_b_to_a", "pass_a_to_b",
/// "pass_b_to_a", "cost_a_to_b", "cost_b_to_a" (see WorldDirection), "cycle_a_to_b", "cycle_b_to_a" (mean |x
/// - x'| of what comes back as x', on the scale from -1 to 1), "parameters" (of generators), "right"}],
/// "agreement" (largest difference of two runs), "planted": "right" | "wrong" | "split", "subject_right" (the
/// first run)}. Writes OUT/figures/CASE.png (inputs, what is right, the translations of each run).
Json measure_cure_runs(const CureCase& one, const CureScale& scale, const Request& request);
/// The same with the audit's verdicts_with_and_without_pairs() and "error" (battery_error()); writes
/// OUT/audits/CASE too.
Json measure_cure(const CureCase& one, const CureScale& scale, const Request& request);

using CureMeasure = Json (*)(const CureCase& one, const CureScale& scale, const Request& request);
/// One of these of all cases, several at a time. Throws StoppedError.
std::vector<Json> measure_cures(const std::vector<CureCase>& cases, CureMeasure measure,
                                const CureScale& scale, const Request& request);

/// Seconds of a step of each arm of the cases in the first world, over those of its first arm: {"arm":
/// ratio}; the least of several rounds, in each of which all arms take their turn.
Json measure_step_costs(const std::vector<CureCase>& cases, const CureScale& scale, const Request& request);

}  // namespace torsor
