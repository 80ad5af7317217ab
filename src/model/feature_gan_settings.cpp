// "Feature loss + GAN" of the CycleGAN paper (Zhu et al. 2017, section 5.1.2; S3-B1): SimGAN whose L1
// distance is taken of what a network sees of an image and of its translation. The paper's network is
// VGG-16's relu4_2 with ImageNet's weights; here it is a classifier that torsor trained, what its last layer
// sees.
#include <fmt/format.h>

#include "core/error.h"
#include "model/classifier_file.h"
#include "model/one_way_settings.h"

namespace torsor {

namespace {

constexpr const char* kEncoderFlag = "--self-encoder";

struct FeatureGanSettings : ModelOptionsOf<FeatureGanSettings, OneWaySettings> {
  double lambda_self = 1;
  std::string self_encoder;  // a torsor classifier's file
  std::string self_hash;     // of its weights, filled in by read_files()

  void describe_losses(OptionSet& o) override {
    gan.describe(o);
    o.add("lambda_self", lambda_self,
          "weight of mean |E(G(x)) - E(x)|, the distance of a translation's features from its input's; 0 = "
          "measured alone")
        .at_least(0)
        .common()
        .changeable();
    o.add("self_encoder", self_encoder,
          "file of a classifier that torsor trained; what its last layer sees are the features E")
        .common();
    o.add("self_hash", self_hash, "").hidden();
    one_way.describe(o);
  }

  void read_files() override { self_hash = self_encoder.empty() ? "" : load_classifier(self_encoder).hash(); }

  void validate(const DomainChannels& channels) const override {
    OneWaySettings::validate(channels);
    if (self_encoder.empty())
      fail_usage(
          "--model feature_gan compares what a network sees of an image and of its translation; give "
          "--self-encoder FILE, a classifier that torsor trained, or take --model simgan, which compares "
          "pixels");
    if (self_hash.empty())
      fail_usage(
          "--self-encoder: a continued run keeps the encoder that it began with; begin a new run from these "
          "weights with --init-from");
  }

  std::vector<std::string> summary(const DomainChannels&) const override {
    return {fmt::format("distance to the input: of features, weight {:g}", lambda_self)};
  }

  OneWaySpec spec(const DomainChannels& channels, const OptimizerOptions& optimizer) const override {
    OneWaySpec out = OneWaySettings::spec(channels, optimizer);
    out.beside = feature_self_term(lambda_self);
    return out;
  }

  std::shared_ptr<ContentEncoder> encoder(const DomainChannels& channels) const override {
    return open_encoder({kEncoderFlag, self_encoder, self_hash}, channels.a, channels.b);
  }
};

}  // namespace

std::unique_ptr<ModelOptions> make_feature_gan_options() { return std::make_unique<FeatureGanSettings>(); }

}  // namespace torsor
