// S0-E1, figures 2 and 3: MNIST translated to itself.
#include "experiment/digit_report.h"
#include "experiment/experiments.h"

namespace torsor {

namespace {

class MnistToMnist : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S0-E1",
        .title = "MNIST to itself: which permutation of the digits is learnt (figs 2, 3)",
        .plain =
            "A network learns to translate handwritten digits into handwritten digits, where "
            "leaving each as it is would be perfect: the pictures show whether it does, or makes "
            "other digits of them.",
        .claim =
            "A CycleGAN that translates MNIST to itself does not learn the identity, though that is a "
            "solution; it leans to a certain permutation of the digits, rather than to the identity or to "
            "a random assignment.",
        .rule = fmt::format(
            "A run counts when in both directions the cycle costs {} or less and the entropy of the output "
            "classes is {} bits or more. It shows a permutation when in both directions {:.0f} % or more "
            "of the images follow one assignment of classes, and fewer keep their class. agrees: the 95 % "
            "interval (Wilson) of the share of such runs among those that count lies above one half. "
            "disagrees: it lies below. cannot tell: otherwise.",
            kMaxCycleL1, kMinOutputEntropy, 100 * kMinClassShare),
        .data = "a folder with MNIST's four files",
        .takes = {"8 s", "45 min", "3 h"},
        .seeds = {"0-1", "0-4", "0-9"},
        .networks = true};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override { return digit_setup(scale); }

  Json measure(const Request& request) const override {
    return measure_digit_arms({bottleneck_arm(digit_scale(request.scale))}, request);
  }

  Finding judge(const Json& results) const override {
    const KindShare permuted = kind_share(results.at("runs"), "bottleneck", "permutation");
    const KindShare kept = kind_share(results.at("runs"), "bottleneck", "identity");
    const std::string numbers =
        fmt::format("{} of {} runs count; {} of these show a permutation ({:.2f} to {:.2f}), {} the identity",
                    permuted.counting, permuted.all, permuted.of_kind, permuted.interval.low,
                    permuted.interval.high, kept.of_kind);
    if (permuted.interval.low > 0.5) return {Verdict::agrees, numbers};
    if (permuted.interval.high < 0.5) return {Verdict::disagrees, numbers};
    return {Verdict::cannot_tell, numbers};
  }

  void present(const Json& results, ReproductionPage& page) const override {
    page.html().paragraph(
        "Of the paper's figure 3 only fragments can be read in the text that we have; what it states is "
        "\"short cycles, e.g. mapping 2 to 6 and vice versa\". Its numbers cannot be compared with ours.");
    present_digit_runs(results, page);
  }
};

}  // namespace

std::shared_ptr<const Experiment> mnist_to_mnist() { return std::make_shared<MnistToMnist>(); }

}  // namespace torsor
