// S0-C13: does the architecture decide which automorphism is learnt? The paper only supposes so.
#include <cmath>

#include "experiment/digit_report.h"
#include "experiment/experiments.h"

namespace torsor {

namespace {

constexpr double kNotable = 0.2;  // difference of the shares of images that keep their class
constexpr std::size_t kMinPairs = 3;

// S0-E1's gradient descent turns a ResNet black for good within twenty steps, since its last convolution sums
// several times as many numbers as the bottleneck's; at a thirtieth of the rate it hardly moves in five
// hundred.
std::vector<DigitArm> arms(const DigitScale& scale) {
  std::vector<DigitArm> all = {bottleneck_arm(scale), resnet_arm(scale)};
  const Json adam = {{"optimizer", "adam"}, {"lr", 5e-4}, {"lr_d", 2e-4}, {"beta1", 0.5}};
  for (DigitArm& arm : all) arm.settings.update(adam);
  return all;
}

double class_kept(const Json& run) {
  double sum = 0;
  for (const Json& d : run.at("directions")) sum += d.at("identity_share").get<double>();
  return sum / static_cast<double>(run.at("directions").size());
}

// Resnet less bottleneck, of the seeds for which both runs count.
std::vector<double> differences(const Json& runs) {
  std::vector<double> out;
  for (const Json& one : runs)
    for (const Json& other : runs) {
      const bool pair =
          one.at("arm") == "bottleneck" && other.at("arm") == "resnet" && one.at("seed") == other.at("seed");
      if (!pair || digit_run_kind(one) == "collapsed" || digit_run_kind(other) == "collapsed") continue;
      out.push_back(class_kept(other) - class_kept(one));
    }
  return out;
}

class ArchitectureChoice : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S0-C13",
        .title = "does the architecture choose the automorphism? bottleneck against ResNet",
        .plain =
            "Two kinds of network learn to translate digits into digits from the same data: the "
            "pictures show whether it depends on the kind of network if digits stay what they "
            "are.",
        .claim =
            "Not only the loss but the architecture decides which automorphism is learnt (the paper's "
            "hypothesis: it has no experiment on it). Here: a generator whose input passes through a code, "
            "and one whose input stays in a residual stream, differ in how often a digit keeps its class.",
        .rule = fmt::format("Both generators are trained with the same seeds and losses; seeds for which "
                            "both runs count (see S0-E1) are compared. agrees: for {} seeds or more, the "
                            "95 % interval (Student's t) of the mean difference in the share of images "
                            "that keep their class excludes 0, and that mean is {} or more in size. "
                            "disagrees: the interval lies within {} of 0. cannot tell: otherwise.",
                            kMinPairs, kNotable, kNotable),
        .data = "a folder with MNIST's four files",
        .takes = {"9 s", "75 min", "8 h"},
        .seeds = {"0-1", "0-4", "0-9"},
        .networks = true};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override {
    std::vector<Setting> all = digit_setup(scale);
    const DigitArm resnet = arms(digit_scale(scale)).back();
    for (Setting& setting : all)
      if (setting.what == "optimiser")
        setting = {
            "optimiser",
            fmt::format("Adam in both arms, {} for the generators and {} for the discriminators, constant",
                        resnet.settings.at("lr").dump(), resnet.settings.at("lr_d").dump()),
            "not S0-E1's gradient descent, which turns a ResNet black within twenty steps; seen and "
            "chosen on seed 101"};
    all.push_back(
        {"second generator",
         fmt::format("{}, {} filters in the first layer", resnet.settings.at("net_g").get<std::string>(),
                     resnet.settings.at("ngf").dump()),
         "the paper has none; this is the usual one, narrowed to cost about as much"});
    return all;
  }

  Json measure(const Request& request) const override {
    const DigitScale scale = digit_scale(request.scale);
    return measure_digit_arms(arms(scale), request);
  }

  Finding judge(const Json& results) const override {
    const std::vector<double> d = differences(results.at("runs"));
    if (d.size() < kMinPairs)
      return {Verdict::cannot_tell,
              fmt::format("both runs count for {} seeds; {} are needed", d.size(), kMinPairs)};
    const MeanInterval mean = mean_interval(d);
    const std::string numbers =
        fmt::format("over {} seeds a ResNet lets {} more of the images keep their class than a bottleneck",
                    d.size(), interval_text(mean.mean, mean.interval));
    const bool excludes_zero = mean.interval.low > 0 || mean.interval.high < 0;
    if (excludes_zero && std::abs(mean.mean) >= kNotable) return {Verdict::agrees, numbers};
    if (mean.interval.low > -kNotable && mean.interval.high < kNotable) return {Verdict::disagrees, numbers};
    return {Verdict::cannot_tell, numbers};
  }

  void present(const Json& results, ReproductionPage& page) const override {
    present_digit_runs(results, page);
  }
};

}  // namespace

std::shared_ptr<const Experiment> architecture_choice() { return std::make_shared<ArchitectureChoice>(); }

}  // namespace torsor
