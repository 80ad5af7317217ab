// CoGan as a type of model: its options, and what follows from them.
#pragma once

#include "model/cogan.h"
#include "model/model_options.h"

namespace torsor {

struct CoGanSettings : ModelOptionsOf<CoGanSettings> {
  CoGanSettings();

  NetworkChoice nets;
  GanLossOptions gan;
  CoGanOptions cogan;

  void describe_networks(OptionSet& o) override { nets.describe(o); }
  void describe_losses(OptionSet& o) override;
  void validate(const DomainChannels& channels) const override;
  std::vector<NetworkInfo> networks(const DomainChannels& channels) const override;
  std::unique_ptr<Model> make(const DomainChannels& channels, const OptimizerOptions& optimizer,
                              const Placement& placement, std::uint64_t seed) const override;
  std::vector<std::string> notices(const DomainChannels& channels, const std::string& scaling) const override;
  /// The preset's sizes; "laptop" as CycleGAN's, with a generator of its 128 pixels.
  Json preset(const std::string& name, Json json) const override;
  std::vector<ModelSize> sizes() const override;

  /// The networks and losses, with the domains' channels filled in.
  CoGanSpec spec(const DomainChannels& channels, const OptimizerOptions& optimizer) const;
};

std::unique_ptr<ModelOptions> make_cogan_options();

}  // namespace torsor
