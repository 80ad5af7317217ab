// S4-C1: without the cycle loss the images may be permuted in any way.
#include "experiment/digit_report.h"
#include "experiment/experiments.h"

namespace torsor {

namespace {

constexpr double kNotUndone = 2;  // cycle error without the loss, over that with it

double mean_cycle(const Json& run) {
  double sum = 0;
  for (const Json& d : run.at("directions")) sum += d.at("cycle_l1").get<double>();
  return sum / static_cast<double>(run.at("directions").size());
}

bool covers_classes(const Json& run) {
  for (const Json& d : run.at("directions"))
    if (d.at("output_entropy").get<double>() < kMinOutputEntropy) return false;
  return true;
}

// Of the seeds whose run without the loss still makes all classes: how many are not undone.
struct NotUndone {
  std::int64_t seeds = 0, counting = 0, not_undone = 0;
};

NotUndone count_not_undone(const Json& runs) {
  NotUndone c;
  for (const Json& without : runs) {
    if (without.at("arm") != "no-cycle") continue;
    ++c.seeds;
    if (!covers_classes(without)) continue;
    for (const Json& with : runs)
      if (with.at("arm") == "bottleneck" && with.at("seed") == without.at("seed")) {
        ++c.counting;
        c.not_undone += mean_cycle(without) >= kNotUndone * mean_cycle(with);
      }
  }
  return c;
}

class WithoutCycle : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S4-C1",
        .title = "MNIST to itself without the cycle loss",
        .plain =
            "A CycleGAN's two networks must undo each other's work: here that demand is dropped, "
            "and the pictures show what becomes of handwritten digits then.",
        .claim =
            "Without the cycle loss the system could work in theory, but a generator may translate the "
            "input images to any random permutation of the images of the target domain (introduction to "
            "CycleGAN, Rubik's Code).",
        .rule = fmt::format("The trainings of S0-E1 with cycle weights 10 and 0, same seeds. A seed counts "
                            "where the outputs without the cycle loss still are of all classes (entropy of "
                            "{} bits or more, both directions). agrees: the 95 % interval (Wilson) of the "
                            "share of seeds whose translations are not undone (a cycle error at least {} "
                            "times that with the loss) lies above one half. disagrees: it lies below. "
                            "cannot tell: otherwise.",
                            kMinOutputEntropy, kNotUndone),
        .data = "a folder with MNIST's four files",
        .takes = {"9 s", "60 min", "6 h"},
        .seeds = {"0-1", "0-4", "0-9"},
        .networks = true};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override { return digit_setup(scale); }

  Json measure(const Request& request) const override {
    const DigitScale scale = digit_scale(request.scale);
    return measure_digit_arms({bottleneck_arm(scale), no_cycle_arm(scale)}, request);
  }

  Finding judge(const Json& results) const override {
    const NotUndone c = count_not_undone(results.at("runs"));
    if (c.counting == 0)
      return {Verdict::cannot_tell,
              fmt::format("without the cycle loss none of {} runs makes all classes", c.seeds)};
    const Interval i = share_interval(c.not_undone, c.counting);
    const std::string numbers =
        fmt::format("{} of {} seeds count; {} of these are not undone ({:.2f} to {:.2f})", c.counting,
                    c.seeds, c.not_undone, i.low, i.high);
    if (i.low > 0.5) return {Verdict::agrees, numbers};
    return {i.high < 0.5 ? Verdict::disagrees : Verdict::cannot_tell, numbers};
  }

  void present(const Json& results, ReproductionPage& page) const override {
    present_digit_runs(results, page);
  }
};

}  // namespace

std::shared_ptr<const Experiment> without_cycle() { return std::make_shared<WithoutCycle>(); }

}  // namespace torsor
