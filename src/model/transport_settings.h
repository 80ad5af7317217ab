// TransportModel as a type of model: its options, and what follows from them.
#pragma once

#include "model/model_options.h"
#include "model/transport.h"

namespace torsor {

struct TransportSettings : ModelOptionsOf<TransportSettings> {
  NetworkChoice nets;
  GanLossOptions gan;
  TransportModelOptions transport;

  void describe_networks(OptionSet& o) override;
  void describe_losses(OptionSet& o) override;
  void validate(const DomainChannels& channels) const override;
  std::vector<NetworkInfo> networks(const DomainChannels& channels) const override;
  std::unique_ptr<Model> make(const DomainChannels& channels, const OptimizerOptions& optimizer,
                              const Placement& placement, std::uint64_t seed) const override;
  void read_files() override { transport.cost.read_files(); }
  std::vector<std::string> notices(const DomainChannels& channels, const std::string& scaling) const override;
  std::vector<std::string> summary(const DomainChannels& channels) const override;
  std::int64_t images_kept() const override { return transport.pool_size; }
  std::unique_ptr<ModelOptions> without_history() const override;
  /// As CycleGAN's.
  Json preset(const std::string& name, Json json) const override;
  std::vector<ModelSize> sizes() const override { return resnet_sizes(); }

  /// The networks and losses, with the domains' channels filled in.
  TransportSpec spec(const DomainChannels& channels, const OptimizerOptions& optimizer) const;
};

std::unique_ptr<ModelOptions> make_transport_options();

}  // namespace torsor
