#include "model/cut_settings.h"

#include <fmt/format.h>

namespace torsor {

CutSettings::CutSettings(CutVariant variant) : variant_(variant) {
  nets.init = CutSpec().init;
  if (variant == CutVariant::fast_cut) cut = CutOptions::fast();
}

void CutSettings::describe_networks(OptionSet& o) {
  nets.describe(o);
  o.add("antialias", antialias,
        "halve sides by a blur after a convolution, in generator and discriminator, instead of by strides");
  o.add("antialias_up", antialias_up,
        "double the generator's sides by a blur in front of a convolution instead of by transposed ones");
}

void CutSettings::describe_losses(OptionSet& o) {
  gan.describe(o);
  cut.describe(o);
}

void CutSettings::validate(const DomainChannels& channels) const {
  nets.validate();
  spec(channels, {}).features();
}

CutSpec CutSettings::spec(const DomainChannels& channels, const OptimizerOptions& optimizer) const {
  CutSpec spec;
  spec.cut = cut;
  spec.gan = gan;
  spec.g_a_to_b = nets.generator_of(channels.a, channels.b);
  spec.d_b = nets.discriminator_of(channels.b);
  if (antialias) spec.g_a_to_b.downsample = spec.d_b.downsample = "blur";
  if (antialias_up) spec.g_a_to_b.upsample = "blur";
  spec.init = nets.init;
  spec.optimizer = optimizer;
  return spec;
}

std::vector<NetworkInfo> CutSettings::networks(const DomainChannels& channels) const {
  const CutSpec of = spec(channels, {});
  return {generator_info(kAToB, of.g_a_to_b), discriminator_info({kAToB.to}, of.d_b),
          features_info(kAToB, of.features())};
}

std::unique_ptr<Model> CutSettings::make(const DomainChannels& channels, const OptimizerOptions& optimizer,
                                         const Placement& placement, std::uint64_t seed) const {
  return std::make_unique<Cut>(spec(channels, optimizer), placement, seed);
}

Epochs CutSettings::epochs() const {
  return variant_ == CutVariant::fast_cut ? Epochs{150, 50} : Epochs{200, 200};
}

std::vector<std::string> CutSettings::notices(const DomainChannels&, const std::string& scaling) const {
  return reach_notice(nets.generator, scaling);
}

std::vector<std::string> CutSettings::summary(const DomainChannels&) const {
  return {
      fmt::format("contrastive loss: {} patches of layers {}, weight {:g}; identity term {}, mirroring {}",
                  cut.num_patches, cut.nce_layers, cut.lambda_nce, cut.nce_idt ? "on" : "off",
                  cut.flip_equivariance ? "on" : "off")};
}

Json CutSettings::preset(const std::string& name, Json json) const {
  if (name != "paper") return json;
  json["epochs"] = epochs().full;
  json["epochs_decay"] = epochs().decay;
  return json;
}

std::unique_ptr<ModelOptions> make_cut_options() { return std::make_unique<CutSettings>(); }

std::unique_ptr<ModelOptions> make_fastcut_options() {
  return std::make_unique<CutSettings>(CutVariant::fast_cut);
}

}  // namespace torsor
