#include "model/transport_settings.h"

#include <fmt/format.h>

namespace torsor {

TransportCostOptions TransportSettings::weighted_cost() {
  TransportCostOptions o;
  o.lambda_transport = 1;
  return o;
}

void TransportSettings::describe_losses(OptionSet& o) {
  gan.describe(o);
  cost.describe(o);
  o.add("reverse_gan", reverse_gan,
        "weight of an adversarial loss of the way back: what the generator's inverse makes of images of B, "
        "against a discriminator of A; needs a generator that has an inverse; 0 = off")
      .at_least(0);
  o.find("lambda_transport")->common();
  o.find("transport_cost")->common();
  one_way.describe(o);
}

void TransportSettings::validate(const DomainChannels& channels) const {
  nets.validate();
  cost.validate();
  const OneWaySpec of = spec(channels, {});
  require_transport_cost(cost, of.g_a_to_b);
  require_usable(of);
}

OneWaySpec TransportSettings::spec(const DomainChannels& channels, const OptimizerOptions& optimizer) const {
  OneWaySpec spec = OneWaySettings::spec(channels, optimizer);
  spec.beside = transport_term(cost);
  spec.unweighted = "cost_a";
  spec.reverse_gan = reverse_gan;
  return spec;
}

std::shared_ptr<ContentEncoder> TransportSettings::encoder(const DomainChannels& channels) const {
  if (!cost.by_features()) return nullptr;
  return open_encoder(cost.encoder_file(), channels.a, channels.b);
}

std::vector<std::string> TransportSettings::summary(const DomainChannels&) const {
  std::vector<std::string> lines = {cost.summary()};
  if (reverse_gan > 0) lines.push_back(fmt::format("reverse GAN: weight {:g}", reverse_gan));
  return lines;
}

std::unique_ptr<ModelOptions> make_transport_options() { return std::make_unique<TransportSettings>(); }

}  // namespace torsor
