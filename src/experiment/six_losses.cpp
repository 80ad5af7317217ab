// S1-C1: each of CycleGAN's six losses left out alone.
#include <algorithm>

#include "core/text.h"
#include "experiment/disc_systems.h"
#include "experiment/experiments.h"

namespace torsor {

namespace {

constexpr double kHurtsBy = 0.1;  // share of right translations that each loss has to be worth
constexpr const char* kAllSix = "all-six";

class SixLosses : public DiscExperiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S1-C1",
        .title = "each of the six losses left out alone",
        .plain =
            "A CycleGAN is trained by six losses at once: the table shows how many unseen discs come out "
            "right when each of them is left out in turn.",
        .claim =
            "Each of the six losses (two of generators, two of discriminators, two cycles) is needed: "
            "leaving out any one hurts.",
        .rule = fmt::format(
            "Shares of discs that are translated rightly, means over the seeds, of the worse of both "
            "directions. agrees: without each loss the share is by at least {0} below that of all six. "
            "disagrees: "
            "without some loss it is not below. cannot tell: otherwise, or where that of all six is below "
            "{1}.",
            kHurtsBy, kLearntDiscs),
        .takes = {"10 s", "1 h", "8 h"},
        .seeds = {"0", "0-1", "0-4"},
        .networks = true};
    return info;
  }

  Finding judge(const Json& results) const override {
    const Json& rows = results.at("rows");
    const auto worse = [&](const std::string& system) {
      return std::min(mean_disc_pass(rows, system, {"a_to_b"}), mean_disc_pass(rows, system, {"b_to_a"}));
    };
    const double whole = worse(kAllSix);
    bool each = true, none = false;
    std::vector<std::string> said;
    for (const DiscSystem& system : systems()) {
      const double share = worse(system.name);
      said.push_back(fmt::format("{} {:.0f} %", system.name, 100 * share));
      if (system.name == kAllSix) continue;
      each = each && whole - share >= kHurtsBy;
      none = none || share >= whole;
    }
    const std::string numbers = "right translations in the worse direction: " + join(said, ", ");
    if (whole < kLearntDiscs) return {Verdict::cannot_tell, numbers};
    if (none) return {Verdict::disagrees, numbers};
    return {each ? Verdict::agrees : Verdict::cannot_tell, numbers};
  }

 protected:
  // Without an identity term, which is a seventh.
  const std::vector<DiscSystem>& systems() const override {
    static const std::vector<DiscSystem> systems = [] {
      std::vector<DiscSystem> out;
      const auto add = [&](const std::string& name, const std::string& what, Json more) {
        more["lambda_identity"] = 0.0;
        out.push_back({name, what, disc_cyclegan(more)});
      };
      add(kAllSix, "two generators' losses, two discriminators', two cycles; no identity loss",
          Json::object());
      // A weight of its own for the discriminator keeps it learning.
      add("no-G-loss", "the generator from solid to striped does not see its discriminator, which learns",
          {{"lambda_gan_a", 0.0}, {"lambda_d_b", 1.0}});
      add("no-F-loss", "the generator back does not see its discriminator, which learns",
          {{"lambda_gan_b", 0.0}, {"lambda_d_a", 1.0}});
      add("no-D-A-loss", "the discriminator of solid discs stays as it begins", {{"lambda_d_a", 0.0}});
      add("no-D-B-loss", "the discriminator of striped discs stays as it begins", {{"lambda_d_b", 0.0}});
      add("no-forward-cycle", "no cycle from solid to striped and back", {{"lambda_cycle_a", 0.0}});
      add("no-backward-cycle", "no cycle from striped to solid and back", {{"lambda_cycle_b", 0.0}});
      return out;
    }();
    return systems;
  }
};

}  // namespace

std::shared_ptr<const Experiment> six_losses() { return std::make_shared<SixLosses>(); }

}  // namespace torsor
