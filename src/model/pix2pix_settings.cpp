#include "model/pix2pix_settings.h"

#include <fmt/format.h>

namespace torsor {

Pix2PixSettings::Pix2PixSettings() {
  nets.generator.net_g = "unet_256";
  nets.generator.norm = "batch";
  nets.generator.dropout = true;
  gan = Pix2PixSpec().gan;
}

void Pix2PixSettings::describe_networks(OptionSet& o) { nets.describe(o); }

void Pix2PixSettings::describe_losses(OptionSet& o) {
  gan.describe(o);
  pix2pix.describe(o);
}

void Pix2PixSettings::validate(const DomainChannels&) const {
  nets.validate();
  pix2pix.validate();
}

Pix2PixSpec Pix2PixSettings::spec(const DomainChannels& channels, const OptimizerOptions& optimizer) const {
  Pix2PixSpec spec;
  spec.pix2pix = pix2pix;
  spec.gan = gan;
  spec.generator = pix2pix.from_a() ? nets.generator_of(channels.a, channels.b)
                                    : nets.generator_of(channels.b, channels.a);
  spec.discriminator = nets.discriminator_of(channels.a + channels.b);
  spec.init = nets.init;
  spec.optimizer = optimizer;
  return spec;
}

std::vector<NetworkInfo> Pix2PixSettings::networks(const DomainChannels& channels) const {
  const Pix2PixSpec of = spec(channels, {});
  const Direction maps = pix2pix.from_a() ? kAToB : kBToA;
  NetworkInfo discriminator = discriminator_info({maps.from, maps.to}, of.discriminator);
  discriminator.name = kPairDiscriminator;  // of the pair, whichever of the two is the input
  return {generator_info(maps, of.generator), discriminator};
}

std::unique_ptr<Model> Pix2PixSettings::make(const DomainChannels& channels,
                                             const OptimizerOptions& optimizer, const Placement& placement,
                                             std::uint64_t seed) const {
  return std::make_unique<Pix2Pix>(spec(channels, optimizer), placement, seed);
}

std::vector<std::string> Pix2PixSettings::notices(const DomainChannels&, const std::string& scaling) const {
  return reach_notice(nets.generator, scaling);
}

std::vector<std::string> Pix2PixSettings::summary(const DomainChannels&) const {
  std::vector<std::string> lines = {
      fmt::format("pairs: {} is the input, {} the target; L1 distance times {:g}, {} loss times {:g}",
                  pix2pix.from_a() ? "A" : "B", pix2pix.from_a() ? "B" : "A", pix2pix.lambda_l1, gan.gan_mode,
                  pix2pix.lambda_gan)};
  if (nets.generator.dropout)
    lines.push_back("dropout: while training alone; samples and translate compute without it");
  return lines;
}

Json Pix2PixSettings::preset(const std::string& name, Json json) const {
  json["net_g"] = name == "laptop" ? "unet_128" : "unet_256";
  return json;
}

std::vector<ModelSize> Pix2PixSettings::sizes() const {
  return {{256, 64, "unet_256"},
          {256, 32, "unet_256"},
          {128, 64, "unet_128"},
          {128, 32, "unet_128"},
          {128, 16, "unet_128"}};
}

std::unique_ptr<ModelOptions> make_pix2pix_options() { return std::make_unique<Pix2PixSettings>(); }

}  // namespace torsor
