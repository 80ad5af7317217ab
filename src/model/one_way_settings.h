// What the types of model that are a OneWayModel have in common.
#pragma once

#include "model/model_options.h"
#include "model/one_way.h"

namespace torsor {

struct OneWaySettings : ModelOptions {
  NetworkChoice nets;
  GanLossOptions gan;
  OneWayOptions one_way;

  void describe_networks(OptionSet& o) override;
  void describe_losses(OptionSet& o) override;
  void validate(const DomainChannels& channels) const override;
  std::vector<NetworkInfo> networks(const DomainChannels& channels) const override;
  std::unique_ptr<Model> make(const DomainChannels& channels, const OptimizerOptions& optimizer,
                              const Placement& placement, std::uint64_t seed) const override;
  std::vector<std::string> notices(const DomainChannels& channels, const std::string& scaling) const override;
  std::int64_t images_kept() const override { return one_way.pool_size; }
  std::unique_ptr<ModelOptions> without_history() const override;
  /// As CycleGAN's.
  Json preset(const std::string& name, Json json) const override;
  std::vector<ModelSize> sizes() const override { return resnet_sizes(); }

  /// The networks and losses, with the domains' channels filled in and without an encoder. A derived struct
  /// adds its term.
  virtual OneWaySpec spec(const DomainChannels& channels, const OptimizerOptions& optimizer) const;
  /// For training with images of these channels; null where the term needs none.
  virtual std::shared_ptr<ContentEncoder> encoder(const DomainChannels&) const { return nullptr; }
};

}  // namespace torsor
