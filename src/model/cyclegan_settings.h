// CycleGAN as a type of model: its options, and what follows from them.
#pragma once

#include "model/cyclegan.h"
#include "model/model_options.h"

namespace torsor {

struct CycleGanSettings : ModelOptionsOf<CycleGanSettings> {
  NetworkChoice nets;
  GanLossOptions gan;
  CycleGanOptions cyclegan;

  void describe_networks(OptionSet& o) override;
  void describe_losses(OptionSet& o) override;
  void validate(const DomainChannels& channels) const override;
  std::vector<NetworkInfo> networks(const DomainChannels& channels) const override;
  std::unique_ptr<Model> make(const DomainChannels& channels, const OptimizerOptions& optimizer,
                              const Placement& placement, std::uint64_t seed) const override;
  SideData side_data() const override { return cyclegan.cures.side_data(); }
  void read_files() override {
    cyclegan.cures.read_files();
    cyclegan.transport.read_files();
  }
  std::vector<std::string> notices(const DomainChannels& channels, const std::string& scaling) const override;
  std::vector<std::string> summary(const DomainChannels& channels) const override;
  std::int64_t images_kept() const override { return cyclegan.pool_size; }
  std::unique_ptr<ModelOptions> without_history() const override;
  std::vector<ModelSize> sizes() const override { return resnet_sizes(); }
  /// The preset's sizes; "laptop" with averaged weights, upsampling without a grid (where the generators are
  /// resnets) and patches of the discriminators in the publication's proportion to the image.
  Json preset(const std::string& name, Json json) const override;

  /// The networks and losses, with each domain's channels filled in.
  CycleGanSpec spec(const DomainChannels& channels, const OptimizerOptions& optimizer) const;
};

}  // namespace torsor
