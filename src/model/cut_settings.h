// CUT and FastCUT as types of model: their options, and what follows from them.
#pragma once

#include "model/cut.h"
#include "model/model_options.h"

namespace torsor {

enum class CutVariant { cut, fast_cut };

struct CutSettings : ModelOptionsOf<CutSettings> {
  /// The defaults of the authors' program.
  explicit CutSettings(CutVariant variant = CutVariant::cut);

  NetworkChoice nets;
  bool antialias = true;
  bool antialias_up = true;
  GanLossOptions gan;
  CutOptions cut;

  void describe_networks(OptionSet& o) override;
  void describe_losses(OptionSet& o) override;
  void validate(const DomainChannels& channels) const override;
  std::vector<NetworkInfo> networks(const DomainChannels& channels) const override;
  std::unique_ptr<Model> make(const DomainChannels& channels, const OptimizerOptions& optimizer,
                              const Placement& placement, std::uint64_t seed) const override;
  Epochs epochs() const override;
  std::vector<std::string> notices(const DomainChannels& channels, const std::string& scaling) const override;
  std::vector<std::string> summary(const DomainChannels& channels) const override;
  /// The preset's sizes; "paper" with this model's own epochs.
  Json preset(const std::string& name, Json json) const override;
  std::vector<ModelSize> sizes() const override { return resnet_sizes(); }

  /// The networks and losses, with the domains' channels filled in.
  CutSpec spec(const DomainChannels& channels, const OptimizerOptions& optimizer) const;

 private:
  CutVariant variant_;
};

std::unique_ptr<ModelOptions> make_cut_options();
std::unique_ptr<ModelOptions> make_fastcut_options();

}  // namespace torsor
