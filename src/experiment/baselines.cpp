// S3-B1: the systems that the CycleGAN paper compares with, on images whose truth is known.
#include "experiment/disc_systems.h"
#include "experiment/experiments.h"

namespace torsor {

namespace {

constexpr double kBetterBy = 0.1;  // shares of right translations that one system has to be ahead
constexpr const char* kCycleGanSystem = "CycleGAN";

class Baselines : public DiscExperiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S3-B1",
        .title = "CycleGAN beside the systems that it was compared with",
        .plain =
            "Eight systems learn to paint stripes on discs without being shown how one disc would look "
            "striped, but for one that is: the table shows what share of unseen discs each gets right.",
        .claim =
            "CycleGAN's translations are better than those of CoGAN, BiGAN/ALI, SimGAN and a feature loss "
            "with a GAN, none of which gives compelling results; pix2pix, which learns from pairs, is the "
            "upper bound.",
        .rule = fmt::format(
            "Shares of solid discs that are translated rightly, means over the seeds. agrees: CycleGAN's is "
            "by at least {0} above that of each of the paper's four baselines. disagrees: that of one of "
            "them is not below CycleGAN's. cannot tell: otherwise, or where CycleGAN's is below {1}.",
            kBetterBy, kLearntDiscs),
        .takes = {"10 s", "50 min", "6 h"},
        .seeds = {"0", "0-1", "0-4"},
        .networks = true};
    return info;
  }

  Finding judge(const Json& results) const override {
    const Json& rows = results.at("rows");
    const auto share = [&](const std::string& system) { return mean_disc_pass(rows, system, {"a_to_b"}); };
    const double ours = share(kCycleGanSystem);
    bool ahead = true, behind = false;
    for (const DiscSystem& system : systems()) {
      if (!system.paper || system.name == kCycleGanSystem) continue;
      const double theirs = share(system.name);
      ahead = ahead && ours - theirs >= kBetterBy;
      behind = behind || theirs >= ours;
    }
    const std::string numbers = "right translations of solid discs: " + shares_text(rows, {"a_to_b"});
    if (ours < kLearntDiscs) return {Verdict::cannot_tell, numbers};
    if (behind) return {Verdict::disagrees, numbers};
    return {ahead ? Verdict::agrees : Verdict::cannot_tell, numbers};
  }

  void present(const Json& results, ReproductionPage& page) const override {
    DiscExperiment::present(results, page);
    page.html().table(
        {{"system", "map to photo", "photo to map"},
         {{"CoGAN", "0.6 ± 0.5 [R]", "0.9 ± 0.5 [R]"},
          {"BiGAN/ALI", "2.1 ± 1.0 [R]", "1.9 ± 0.9 [R]"},
          {"SimGAN", "0.7 ± 0.5 [R]", "2.6 ± 1.1 [R]"},
          {"feature loss + GAN", "1.2 ± 0.6 [R]", "0.3 ± 0.2 [R]"},
          {"CycleGAN", "26.8 ± 2.8", "23.2 ± 3.4"}},
         "The paper's table 1: of what share of its translations of maps and aerial photographs, 256 pixels, "
         "people took for real, in per cent. [R]: recalled, not read. Its authors tuned each baseline; here "
         "each has its default weights."});
  }

 protected:
  const std::vector<DiscSystem>& systems() const override {
    static const std::vector<DiscSystem> systems = {
        {kCycleGanSystem, "cycle loss 5, identity loss 1 relative to it", disc_cyclegan(Json::object())},
        {"CoGAN",
         "two generators from one latent vector; encoders find it",
         {{"model", "cogan"}, {"net_g", "latent_32"}, {"upsample", "transposed"}}},
        {"BiGAN-ALI", "one discriminator of pairs of an image and its translation", {{"model", "bigan"}}},
        {"SimGAN", "adversarial loss and mean |x - G(x)|, weight 1", {{"model", "simgan"}}},
        {"feature-loss-GAN",
         "the same of features, of a classifier of six classes of the disc's hue",
         {{"model", "feature_gan"}}},
        {"GAN-alone", "adversarial loss of one generator and nothing else", {{"model", "gan"}}, false},
        {"CUT", "contrastive unpaired translation, 2020", {{"model", "cut"}}, false},
        {"pix2pix",
         "trained on pairs: the upper bound",
         {{"model", "pix2pix"}, {"net_g", "resnet_3blocks"}, {"dropout", false}},
         false}};
    return systems;
  }
};

}  // namespace

std::shared_ptr<const Experiment> baselines() { return std::make_shared<Baselines>(); }

}  // namespace torsor
