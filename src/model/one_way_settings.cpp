#include "model/one_way_settings.h"

#include "nn/flow.h"

namespace torsor {

void OneWaySettings::describe_networks(OptionSet& o) { nets.describe(o); }

void OneWaySettings::describe_losses(OptionSet& o) {
  gan.describe(o);
  one_way.describe(o);
}

void OneWaySettings::validate(const DomainChannels& channels) const {
  nets.validate();
  require_usable(spec(channels, {}));
}

OneWaySpec OneWaySettings::spec(const DomainChannels& channels, const OptimizerOptions& optimizer) const {
  OneWaySpec spec;
  spec.one_way = one_way;
  spec.gan = gan;
  spec.g_a_to_b = nets.generator_of(channels.a, channels.b);
  spec.d_a = nets.discriminator_of(channels.a);
  spec.d_b = nets.discriminator_of(channels.b);
  spec.init = nets.init;
  spec.optimizer = optimizer;
  if (is_invertible(spec.g_a_to_b)) spec.inverse = inverse_of;
  return spec;
}

std::vector<NetworkInfo> OneWaySettings::networks(const DomainChannels& channels) const {
  const OneWaySpec of = spec(channels, {});
  std::vector<NetworkInfo> out = {generator_info(kAToB, of.g_a_to_b)};
  if (of.reverse_gan > 0) out.push_back(discriminator_info({kAToB.from}, of.d_a));
  out.push_back(discriminator_info({kAToB.to}, of.d_b));
  return out;
}

std::unique_ptr<Model> OneWaySettings::make(const DomainChannels& channels, const OptimizerOptions& optimizer,
                                            const Placement& placement, std::uint64_t seed) const {
  OneWaySpec of = spec(channels, optimizer);
  of.encoder = encoder(channels);
  return std::make_unique<OneWayModel>(of, placement, seed);
}

std::vector<std::string> OneWaySettings::notices(const DomainChannels&, const std::string& scaling) const {
  return reach_notice(nets.generator, scaling);
}

Json OneWaySettings::preset(const std::string& name, Json json) const {
  return name == "laptop" ? nets.laptop_preset(std::move(json)) : json;
}

std::unique_ptr<ModelOptions> OneWaySettings::without_history() const {
  auto out = clone();
  dynamic_cast<OneWaySettings&>(*out).one_way.pool_size = 0;
  return out;
}

}  // namespace torsor
