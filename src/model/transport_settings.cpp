#include "model/transport_settings.h"

#include <fmt/format.h>

#include "nn/flow.h"

namespace torsor {

void TransportSettings::describe_networks(OptionSet& o) { nets.describe(o); }

void TransportSettings::describe_losses(OptionSet& o) {
  gan.describe(o);
  transport.describe(o);
}

void TransportSettings::validate(const DomainChannels& channels) const {
  nets.validate();
  transport.cost.validate();
  require_usable(spec(channels, {}));
}

TransportSpec TransportSettings::spec(const DomainChannels& channels,
                                      const OptimizerOptions& optimizer) const {
  TransportSpec spec;
  spec.transport = transport;
  spec.gan = gan;
  spec.g_a_to_b = nets.generator_of(channels.a, channels.b);
  spec.d_a = nets.discriminator_of(channels.a);
  spec.d_b = nets.discriminator_of(channels.b);
  spec.init = nets.init;
  spec.optimizer = optimizer;
  if (is_invertible(spec.g_a_to_b)) spec.inverse = inverse_of;
  return spec;
}

std::vector<NetworkInfo> TransportSettings::networks(const DomainChannels& channels) const {
  const TransportSpec of = spec(channels, {});
  std::vector<NetworkInfo> out = {generator_info(kAToB, of.g_a_to_b)};
  if (transport.reverse_gan > 0) out.push_back(discriminator_info({kAToB.from}, of.d_a));
  out.push_back(discriminator_info({kAToB.to}, of.d_b));
  return out;
}

std::unique_ptr<Model> TransportSettings::make(const DomainChannels& channels,
                                               const OptimizerOptions& optimizer, const Placement& placement,
                                               std::uint64_t seed) const {
  TransportSpec of = spec(channels, optimizer);
  if (transport.cost.by_features())
    of.encoder = open_encoder(transport.cost.encoder_file(), channels.a, channels.b);
  return std::make_unique<TransportModel>(of, placement, seed);
}

std::vector<std::string> TransportSettings::notices(const DomainChannels&, const std::string& scaling) const {
  return reach_notice(nets.generator, scaling);
}

std::vector<std::string> TransportSettings::summary(const DomainChannels&) const {
  std::vector<std::string> lines = {transport.cost.summary()};
  if (transport.reverse_gan > 0)
    lines.push_back(fmt::format("reverse GAN: weight {:g}", transport.reverse_gan));
  return lines;
}

Json TransportSettings::preset(const std::string& name, Json json) const {
  return name == "laptop" ? nets.laptop_preset(std::move(json)) : json;
}

std::unique_ptr<ModelOptions> TransportSettings::without_history() const {
  auto out = std::make_unique<TransportSettings>(*this);
  out->transport.pool_size = 0;
  return out;
}

std::unique_ptr<ModelOptions> make_transport_options() { return std::make_unique<TransportSettings>(); }

}  // namespace torsor
