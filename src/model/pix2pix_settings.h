// pix2pix as a type of model: its options, and what follows from them.
#pragma once

#include "model/model_options.h"
#include "model/pix2pix.h"

namespace torsor {

struct Pix2PixSettings : ModelOptionsOf<Pix2PixSettings> {
  /// The reference's defaults for this model: unet_256, batch norm, dropout, vanilla.
  Pix2PixSettings();

  NetworkChoice nets;
  GanLossOptions gan;
  Pix2PixOptions pix2pix;

  void describe_networks(OptionSet& o) override;
  void describe_losses(OptionSet& o) override;
  void validate(const DomainChannels& channels) const override;
  std::vector<NetworkInfo> networks(const DomainChannels& channels) const override;
  std::unique_ptr<Model> make(const DomainChannels& channels, const OptimizerOptions& optimizer,
                              const Placement& placement, std::uint64_t seed) const override;
  Pairing pairing() const override { return Pairing::aligned; }
  std::vector<std::string> notices(const DomainChannels& channels, const std::string& scaling) const override;
  std::vector<std::string> summary(const DomainChannels& channels) const override;
  /// The preset's sizes, with the U-Net whose sides fit them.
  Json preset(const std::string& name, Json json) const override;
  std::vector<ModelSize> sizes() const override;

  /// The networks and losses, with the channels of the pair filled in.
  Pix2PixSpec spec(const DomainChannels& channels, const OptimizerOptions& optimizer) const;
};

std::unique_ptr<ModelOptions> make_pix2pix_options();

}  // namespace torsor
