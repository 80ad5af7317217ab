// SimGAN (Shrivastava et al. 2017, "Learning from Simulated and Unsupervised Images through Adversarial
// Training") as the CycleGAN paper compares it (Zhu et al. 2017, section 5.1.2; S3-B1): L_GAN(G(A), D_B) +
// lambda mean |G(x) - x|, its discriminator scoring patches and seeing a history of generated images. The
// paper begins with steps of this second loss alone and takes several steps of the generator for one of the
// discriminator; this model takes CycleGAN's steps, as the comparison did.
#include <fmt/format.h>

#include "core/error.h"
#include "model/one_way_settings.h"

namespace torsor {

namespace {

struct SimGanSettings : ModelOptionsOf<SimGanSettings, OneWaySettings> {
  double lambda_self = 1;

  void describe_losses(OptionSet& o) override {
    gan.describe(o);
    o.add("lambda_self", lambda_self,
          "weight of mean |G(x) - x|, the distance of a translation from its input; 0 = measured alone")
        .at_least(0)
        .common()
        .changeable();
    one_way.describe(o);
  }

  void validate(const DomainChannels& channels) const override {
    OneWaySettings::validate(channels);
    if (channels.a != channels.b)
      fail_usage(
          "--model simgan compares an image with its translation, which have {} and {} channels; give "
          "--model "
          "feature_gan, or equal --channels-a and --channels-b",
          channels.a, channels.b);
  }

  std::vector<std::string> summary(const DomainChannels&) const override {
    return {fmt::format("distance to the input: of pixels, weight {:g}", lambda_self)};
  }

  OneWaySpec spec(const DomainChannels& channels, const OptimizerOptions& optimizer) const override {
    OneWaySpec out = OneWaySettings::spec(channels, optimizer);
    out.beside = self_term(lambda_self);
    return out;
  }
};

}  // namespace

std::unique_ptr<ModelOptions> make_simgan_options() { return std::make_unique<SimGanSettings>(); }

}  // namespace torsor
