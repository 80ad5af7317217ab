#include "model/bigan_settings.h"

#include "model/critic_steps.h"

namespace torsor {

void BiGanSettings::describe_losses(OptionSet& o) {
  gan.describe(o);
  describe_critic_steps(o, critic_steps);
}

void BiGanSettings::validate(const DomainChannels&) const { nets.validate(); }

BiGanSpec BiGanSettings::spec(const DomainChannels& channels, const OptimizerOptions& optimizer) const {
  BiGanSpec spec;
  spec.critic_steps = critic_steps;
  spec.gan = gan;
  spec.g_a_to_b = nets.generator_of(channels.a, channels.b);
  spec.g_b_to_a = nets.generator_of(channels.b, channels.a);
  spec.d_ab = nets.discriminator_of(channels.a + channels.b);
  spec.init = nets.init;
  spec.optimizer = optimizer;
  return spec;
}

std::vector<NetworkInfo> BiGanSettings::networks(const DomainChannels& channels) const {
  const BiGanSpec of = spec(channels, {});
  return {generator_info(kAToB, of.g_a_to_b), generator_info(kBToA, of.g_b_to_a),
          discriminator_info({kAToB.from, kAToB.to}, of.d_ab)};
}

std::unique_ptr<Model> BiGanSettings::make(const DomainChannels& channels, const OptimizerOptions& optimizer,
                                           const Placement& placement, std::uint64_t seed) const {
  return std::make_unique<BiGan>(spec(channels, optimizer), placement, seed);
}

std::vector<std::string> BiGanSettings::notices(const DomainChannels&, const std::string& scaling) const {
  return reach_notice(nets.generator, scaling);
}

Json BiGanSettings::preset(const std::string& name, Json json) const {
  return name == "laptop" ? nets.laptop_preset(std::move(json)) : json;
}

std::unique_ptr<ModelOptions> make_bigan_options() { return std::make_unique<BiGanSettings>(); }

}  // namespace torsor
