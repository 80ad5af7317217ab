// S0-Q4: the cycle loss as an adversarial loss, which the paper says did not improve.
#include "experiment/disc_systems.h"
#include "experiment/experiments.h"

namespace torsor {

namespace {

constexpr double kImprovedBy = 0.1;  // share of right translations
constexpr const char *kDistance = "L1-cycle", *kAdversary = "adversarial-cycle", *kBothForms = "both-forms";

class AdversarialCycle : public DiscExperiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S0-Q4",
        .title = "the cycle loss as an adversarial loss",
        .plain =
            "What comes back from a translation and its reversal can be compared with the original itself, "
            "or only be asked to look like an original: the table shows which of the two gets more discs "
            "right.",
        .claim =
            "In place of the distance between an image and its reconstruction an adversarial loss could be "
            "used; no improvement was noted (of Zhu et al., in the paper's words).",
        .rule = fmt::format(
            "Shares of discs that are translated rightly, means over seeds and both directions. agrees: "
            "neither the adversarial cycle loss nor both forms together is by {0} or more above the L1 "
            "distance. "
            "disagrees: one of them is. cannot tell: where that of the L1 distance is below {1}.",
            kImprovedBy, kLearntDiscs),
        .takes = {"10 s", "40 min", "4 h"},
        .seeds = {"0", "0-1", "0-4"},
        .networks = true};
    return info;
  }

  Finding judge(const Json& results) const override {
    const Json& rows = results.at("rows");
    const auto share = [&](const char* system) { return mean_disc_pass(rows, system, kBothWays); };
    const std::string numbers = "right translations, both directions: " + shares_text(rows, kBothWays);
    const double usual = share(kDistance);
    if (usual < kLearntDiscs) return {Verdict::cannot_tell, numbers};
    const bool improved =
        share(kAdversary) - usual >= kImprovedBy || share(kBothForms) - usual >= kImprovedBy;
    return {improved ? Verdict::disagrees : Verdict::agrees, numbers};
  }

 protected:
  const std::vector<DiscSystem>& systems() const override {
    static const std::vector<DiscSystem> systems = [] {
      // No arm has an identity loss: its weight is relative to the distance's, which one arm has not.
      const Json none = {{"lambda_identity", 0.0}};
      Json adversary = none;
      adversary["lambda_gan_cycle"] = 1.0;
      Json alone = adversary;
      alone.update({{"lambda_cycle_a", 0.0}, {"lambda_cycle_b", 0.0}});
      return std::vector<DiscSystem>{
          {kDistance, "the mean absolute distance, weight 5; no identity loss in any system",
           disc_cyclegan(none)},
          {kAdversary, "the discriminators score reconstructions, weight 1, and no distance",
           disc_cyclegan(alone)},
          {kBothForms, "both", disc_cyclegan(adversary)}};
    }();
    return systems;
  }
};

}  // namespace

std::shared_ptr<const Experiment> adversarial_cycle() { return std::make_shared<AdversarialCycle>(); }

}  // namespace torsor
