#include "model/cogan_settings.h"

#include "core/error.h"

namespace torsor {

CoGanSettings::CoGanSettings() { nets.generator.net_g = "latent_256"; }

void CoGanSettings::describe_losses(OptionSet& o) {
  gan.describe(o);
  cogan.describe(o);
}

void CoGanSettings::validate(const DomainChannels&) const {
  nets.validate();
  require_latent(nets.generator);
  if (cogan.lambda_rec == 0 && cogan.lambda_latent == 0)
    fail_usage(
        "--lambda-rec and --lambda-latent are both 0: the encoders, which translate, would learn nothing");
}

CoGanSpec CoGanSettings::spec(const DomainChannels& channels, const OptimizerOptions& optimizer) const {
  CoGanSpec spec;
  spec.cogan = cogan;
  spec.gan = gan;
  spec.g_a_to_b = nets.generator_of(channels.a, channels.b);
  spec.g_b_to_a = nets.generator_of(channels.b, channels.a);
  spec.d_a = nets.discriminator_of(channels.a);
  spec.d_b = nets.discriminator_of(channels.b);
  spec.init = nets.init;
  spec.optimizer = optimizer;
  return spec;
}

std::vector<NetworkInfo> CoGanSettings::networks(const DomainChannels& channels) const {
  const CoGanSpec of = spec(channels, {});
  return {generator_info(kAToB, of.g_a_to_b), generator_info(kBToA, of.g_b_to_a),
          discriminator_info({kAToB.from}, of.d_a), discriminator_info({kAToB.to}, of.d_b)};
}

std::unique_ptr<Model> CoGanSettings::make(const DomainChannels& channels, const OptimizerOptions& optimizer,
                                           const Placement& placement, std::uint64_t seed) const {
  return std::make_unique<CoGan>(spec(channels, optimizer), placement, seed);
}

std::vector<std::string> CoGanSettings::notices(const DomainChannels&, const std::string& scaling) const {
  return reach_notice(nets.generator, scaling);
}

Json CoGanSettings::preset(const std::string& name, Json json) const {
  if (name != "laptop") return json;
  json = nets.laptop_preset(std::move(json));
  json["net_g"] = "latent_128";
  return json;
}

std::vector<ModelSize> CoGanSettings::sizes() const {
  return {{256, 64, "latent_256"}, {256, 32, "latent_256"}, {128, 64, "latent_128"}, {128, 32, "latent_128"},
          {64, 64, "latent_64"},   {64, 32, "latent_64"},   {64, 16, "latent_64"}};
}

std::unique_ptr<ModelOptions> make_cogan_options() { return std::make_unique<CoGanSettings>(); }

}  // namespace torsor
