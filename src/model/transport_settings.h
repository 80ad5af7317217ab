// A translator as optimal transport (S2-Q6, from de Bezenac, Ayed and Gallinari, "CycleGAN Through the Lens
// of (Dynamical) Optimal Transport"): one generator G from A to B, a discriminator that tells G(A) from B,
// and the cost of moving x to G(x), which takes the place of the second generator and of the cycles. The loss
// is the Lagrangian of "the cheapest map that carries A to B": L_GAN(G(A), D_B) + lambda C(G).
#pragma once

#include "model/one_way_settings.h"
#include "model/transport_cost_options.h"

namespace torsor {

struct TransportSettings : ModelOptionsOf<TransportSettings, OneWaySettings> {
  TransportCostOptions cost = weighted_cost();
  double reverse_gan = 0;

  void describe_losses(OptionSet& o) override;
  void validate(const DomainChannels& channels) const override;
  void read_files() override { cost.read_files(); }
  std::vector<std::string> summary(const DomainChannels& channels) const override;
  /// Its term is transport_a; the cost without its weight is reported as cost_a.
  OneWaySpec spec(const DomainChannels& channels, const OptimizerOptions& optimizer) const override;
  std::shared_ptr<ContentEncoder> encoder(const DomainChannels& channels) const override;

 private:
  static TransportCostOptions weighted_cost();
};

std::unique_ptr<ModelOptions> make_transport_options();

}  // namespace torsor
