// Trainings of several systems on solid and striped discs, whose right translations are known, and what share
// of held-out images each translates rightly.
#pragma once

#include <string>
#include <vector>

#include "experiment/reproduction.h"

namespace torsor {

/// One system: a model with its options.
struct DiscSystem {
  std::string name, what;
  Json settings;      // options of torsor train over those that all have
  bool paper = true;  // among those that the CycleGAN paper compares
};

/// The size of a training at a scale.
struct DiscScale {
  std::int64_t steps = 1600;  // the demonstration's
  std::int64_t ngf = 16, ndf = 32;
  std::int64_t tests = 100;  // held-out images of either domain that are scored
  std::int64_t encoder_steps = 1500;
  std::int64_t training = 0;  // images of either domain; 0 = as many as there are
};
DiscScale disc_scale(Scale scale);

/// Options of CycleGAN in the demonstration's lesson on these discs, beside those that every system has.
Json disc_cyclegan(const Json& more);

/// Trains every system with every seed in OUT/runs (train_runs()) and scores them: [{"system", "seed",
/// "directions": {"a_to_b" and, where the system has it, "b_to_a": {"pass", "shape", "position", "background"
/// (shares of the images; see SceneScore), "hue_error" (mean, degrees; null where no object is seen)}}}].
/// Writes OUT/figures/SYSTEM.png: solid discs, what is right, the translations of each seed. A system of the
/// model feature_gan is given a classifier of six classes of hue, trained beforehand.
Json measure_disc_systems(const std::vector<DiscSystem>& systems, const Request& request);

/// The shares "pass" of all seeds of a system in a direction; empty where it does not have it.
std::vector<double> passes_of(const Json& rows, const std::string& system, const std::string& direction);
/// Their mean over these directions together. Throws Error for a system without numbers.
double mean_disc_pass(const Json& rows, const std::string& system,
                      const std::vector<std::string>& directions);

inline const std::vector<std::string> kBothWays = {"a_to_b", "b_to_a"};

/// The share of right translations from which CycleGAN counts as having learnt: below it a comparison with it
/// says nothing.
inline constexpr double kLearntDiscs = 0.5;

/// An experiment that compares systems on these discs; its results are {"rows": as measure_disc_systems()}.
class DiscExperiment : public Experiment {
 public:
  std::vector<Setting> setup(Scale scale) const override;
  Json measure(const Request& request) const override;
  /// The table of all systems and their pictures.
  void present(const Json& results, ReproductionPage& page) const override;

 protected:
  virtual const std::vector<DiscSystem>& systems() const = 0;
  /// "CycleGAN 90 %, ...": the means of all systems over these directions.
  std::string shares_text(const Json& rows, const std::vector<std::string>& directions) const;
};

}  // namespace torsor
