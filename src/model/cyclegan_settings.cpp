#include "model/cyclegan_settings.h"

#include "core/error.h"
#include "core/text.h"
#include "data/tensor_image.h"

namespace torsor {

namespace {

// Null where no loss asks for it.
std::shared_ptr<ContentEncoder> encoder_of(const CureOptions& cures, const DomainChannels& channels) {
  if (cures.content_weight() == 0) return nullptr;
  return open_encoder({"--content-encoder", cures.content_encoder, cures.content_hash}, channels.a,
                      channels.b);
}

std::shared_ptr<ContentEncoder> encoder_of(const TransportCostOptions& cost, const DomainChannels& channels) {
  if (!cost.on() || !cost.by_features()) return nullptr;
  return open_encoder(cost.encoder_file(), channels.a, channels.b);
}

}  // namespace

void CycleGanSettings::describe_networks(OptionSet& o) { nets.describe(o); }

void CycleGanSettings::describe_losses(OptionSet& o) {
  gan.describe(o);
  cyclegan.describe(o);
}

void CycleGanSettings::validate(const DomainChannels& channels) const {
  nets.validate();
  std::string notice;
  resolve_identity(cyclegan, channels.a, channels.b, notice);
  require_usable(spec(channels, {}));
}

CycleGanSpec CycleGanSettings::spec(const DomainChannels& channels, const OptimizerOptions& optimizer) const {
  CycleGanSpec spec;
  spec.cyclegan = cyclegan;
  spec.gan = gan;
  spec.init = nets.init;
  spec.optimizer = optimizer;
  spec.g_a_to_b = nets.generator_of(channels.a, channels.b);
  spec.g_b_to_a = nets.generator_of(channels.b, channels.a);
  const auto planes = static_cast<std::int64_t>(cyclegan.cures.classes().size());
  spec.d_a = nets.discriminator_of(channels.a + planes);
  spec.d_b = nets.discriminator_of(channels.b + planes);
  return spec;
}

std::vector<NetworkInfo> CycleGanSettings::networks(const DomainChannels& channels) const {
  const CycleGanSpec of = spec(channels, {});
  NetworkInfo d_a = discriminator_info({"a"}, of.d_a), d_b = discriminator_info({"b"}, of.d_b);
  d_a.labels = d_b.labels = cyclegan.cures.classes();
  return {generator_info(kAToB, of.g_a_to_b), generator_info(kBToA, of.g_b_to_a), d_a, d_b};
}

std::unique_ptr<Model> CycleGanSettings::make(const DomainChannels& channels,
                                              const OptimizerOptions& optimizer, const Placement& placement,
                                              std::uint64_t seed) const {
  CycleGanSpec of = spec(channels, optimizer);
  of.encoder = encoder_of(cyclegan.cures, channels);
  of.transport_encoder = encoder_of(cyclegan.transport, channels);
  return std::make_unique<CycleGan>(of, placement, seed);
}

std::vector<std::string> CycleGanSettings::notices(const DomainChannels& channels,
                                                   const std::string& scaling) const {
  std::vector<std::string> lines;
  std::string notice;
  resolve_identity(cyclegan, channels.a, channels.b, notice);
  if (!notice.empty()) lines.push_back(notice);
  if (cyclegan.cures.content_weight() > 0 && scales_each_image(scaling))
    lines.push_back(
        fmt::format("--scaling {}: the content encoder learnt from images of -1 to 1 and sees these as they "
                    "are, from 0 up",
                    scaling));
  for (const std::string& line : reach_notice(nets.generator, scaling)) lines.push_back(line);
  return lines;
}

std::vector<std::string> CycleGanSettings::summary(const DomainChannels& channels) const {
  std::string notice;
  const IdentityTerm id = resolve_identity(cyclegan, channels.a, channels.b, notice);
  std::vector<std::string> lines = {
      id.on() ? fmt::format("identity loss: {} mode, weights {} (a_to_b) and {} (b_to_a)",
                            id.source ? "source" : "target", id.weight_a_to_b, id.weight_b_to_a)
              : "identity loss: off"};
  if (const auto classes = cyclegan.cures.classes(); !classes.empty())
    lines.push_back(fmt::format("the discriminators see {} classes: {}", classes.size(), join(classes)));
  if (cyclegan.transport.on()) lines.push_back(cyclegan.transport.summary());
  return lines;
}

Json CycleGanSettings::preset(const std::string& name, Json json) const {
  return name == "laptop" ? nets.laptop_preset(std::move(json)) : json;
}

std::unique_ptr<ModelOptions> CycleGanSettings::without_history() const {
  auto out = std::make_unique<CycleGanSettings>(*this);
  out->cyclegan.pool_size = 0;
  return out;
}

std::unique_ptr<ModelOptions> make_cyclegan_options() { return std::make_unique<CycleGanSettings>(); }

}  // namespace torsor
