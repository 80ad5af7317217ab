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

/// Options of CycleGAN in the demonstration's lesson on these discs, beside those that every system has.
Json disc_cyclegan(const Json& more);

// Of the rows that DiscExperiment measures.

/// The shares "pass" of all seeds of a system in a direction; empty where it does not have it.
std::vector<double> passes_of(const Json& rows, const std::string& system, const std::string& direction);
/// Their mean over these directions together. Throws Error for a system without numbers.
double mean_disc_pass(const Json& rows, const std::string& system,
                      const std::vector<std::string>& directions);

inline const std::vector<std::string> kBothWays = {"a_to_b", "b_to_a"};

/// The share of right translations from which CycleGAN counts as having learnt: below it a comparison with it
/// says nothing.
inline constexpr double kLearntDiscs = 0.5;

/// An experiment that compares systems on these discs.
class DiscExperiment : public Experiment {
 public:
  std::vector<Setting> setup(Scale scale) const override;
  /// Trains every system with every seed in OUT/runs (train_runs()) and scores them: {"rows": [{"system",
  /// "seed", "directions": {"a_to_b" and, where the system has it, "b_to_a": summary_json()}}]}. Writes
  /// OUT/figures/SYSTEM.png: solid discs, what is right, the translations of each seed. A system of the model
  /// feature_gan is given a classifier of six classes of hue, trained beforehand.
  Json measure(const Request& request) const override;
  /// The table of all systems and their pictures.
  void present(const Json& results, ReproductionPage& page) const override;

 protected:
  virtual const std::vector<DiscSystem>& systems() const = 0;
  /// "CycleGAN 90 %, ...": the means of all systems over these directions.
  std::string shares_text(const Json& rows, const std::vector<std::string>& directions) const;
};

}  // namespace torsor
