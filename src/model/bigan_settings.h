// BiGan as a type of model: its options, and what follows from them.
#pragma once

#include "model/bigan.h"
#include "model/model_options.h"

namespace torsor {

struct BiGanSettings : ModelOptionsOf<BiGanSettings> {
  NetworkChoice nets;
  GanLossOptions gan;
  std::optional<std::int64_t> critic_steps;

  void describe_networks(OptionSet& o) override { nets.describe(o); }
  void describe_losses(OptionSet& o) override;
  void validate(const DomainChannels& channels) const override;
  std::vector<NetworkInfo> networks(const DomainChannels& channels) const override;
  std::unique_ptr<Model> make(const DomainChannels& channels, const OptimizerOptions& optimizer,
                              const Placement& placement, std::uint64_t seed) const override;
  std::vector<std::string> notices(const DomainChannels& channels, const std::string& scaling) const override;
  /// As CycleGAN's.
  Json preset(const std::string& name, Json json) const override;
  std::vector<ModelSize> sizes() const override { return resnet_sizes(); }

  /// The networks and losses, with the domains' channels filled in.
  BiGanSpec spec(const DomainChannels& channels, const OptimizerOptions& optimizer) const;
};

std::unique_ptr<ModelOptions> make_bigan_options();

}  // namespace torsor
