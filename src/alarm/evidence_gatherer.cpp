#include "alarm/evidence_gatherer.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>

#include "loss/discriminator_scale.h"
#include "loss/gan_loss.h"
#include "model/class_planes.h"

namespace torsor {

namespace {

constexpr std::int64_t kImages = 8;
constexpr std::int64_t kRoundTrips = 4;
constexpr double kGreyLevel = 1.0 / 255;
constexpr std::uint64_t kNoiseSeed = 1;  // the same noise at every look, so that looks compare

at::Tensor noise_like(const at::Tensor& image, std::size_t index) {
  const auto generator =
      at::make_generator<at::CPUGeneratorImpl>(derive_seed(kNoiseSeed, "alarms.noise", {index}));
  return at::randn(image.sizes(), generator, at::TensorOptions(at::kFloat));
}

double mean_difference(const at::Tensor& x, const at::Tensor& y) {
  return (x - y).abs().mean().item<double>();
}

// The one that sees images of the target domain, alone or together with the input.
const NetworkInfo* find_discriminator(const std::vector<NetworkInfo>& networks, const Direction& direction) {
  for (const NetworkInfo& info : networks)
    if (info.kind == kDiscriminatorKind &&
        std::find(info.sees.begin(), info.sees.end(), direction.to) != info.sees.end())
      return &info;
  return nullptr;
}

// What the discriminator sees of one image of the target domain, the input that belongs to it and, where it
// sees classes, the label (a whole number).
at::Tensor seen(const NetworkInfo& discriminator, const Direction& direction, const at::Tensor& input,
                const at::Tensor& image, const at::Tensor& label) {
  std::vector<at::Tensor> parts;
  for (const std::string& domain : discriminator.sees)
    parts.push_back(domain == direction.to ? image : input);
  const at::Tensor stack = at::cat(parts);
  if (discriminator.labels.empty()) return stack;
  const auto classes = static_cast<std::int64_t>(discriminator.labels.size());
  return with_planes(stack.unsqueeze(0), class_planes(label.view({1}), classes, stack.options())).squeeze(0);
}

}  // namespace

UnitImages EvidenceGatherer::Domain::unit_images() const {
  UnitImages out;
  for (const at::Tensor& image : images) out.push_back(to_unit(image));
  return out;
}

EvidenceGatherer::EvidenceGatherer(TrainSession& session)
    : session_(session),
      placement_(resolve_placement(session.config().run.placement)),
      networks_(session.config().networks()) {}

void EvidenceGatherer::read_images() {
  const TrainData& data = session_.data();
  const auto seed = static_cast<std::uint64_t>(session_.config().run.seed);
  domains_["a"].black = data.a.range.black;
  domains_["b"].black = data.b.range.black;
  const std::int64_t size = data.train->size(), count = std::min(size, kImages);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t index = i * size / count;
    Rng rng(derive_seed(seed, "alarms", {static_cast<std::uint64_t>(index)}));
    const Batch item = data.train->get(index, rng);
    for (auto& [key, domain] : domains_) {
      domain.images.push_back(item.at("real_" + key));
      const auto label = item.tensors.find("label_" + key);
      domain.labels.push_back(label == item.tensors.end() ? at::Tensor() : label->second);
    }
  }
}

std::vector<DirectedEvidence> EvidenceGatherer::gather() {
  if (domains_.empty()) read_images();
  const ModelInUse model(session_.model(), placement_);
  std::vector<DirectedEvidence> out;
  for (const NetworkInfo& info : directed_generators(networks_))
    out.push_back({info.maps, evidence(model, info)});
  return out;
}

Evidence EvidenceGatherer::evidence(const ModelInUse& model, const NetworkInfo& generator) const {
  const Direction& direction = generator.maps;
  const Domain &from = domains_.at(direction.from), &to = domains_.at(direction.to);
  Evidence out{from.unit_images(), {}, to.unit_images(), session_.config().pairing(), {}, {}};
  std::vector<at::Tensor> outputs;
  for (const at::Tensor& image : from.images) {
    outputs.push_back(model.run(generator, image));
    out.outputs.push_back(to.to_unit(outputs.back()));
  }
  if (const NetworkInfo* back = find_generator(networks_, direction.opposite()))
    out.round_trip = round_trip(model, *back, direction, outputs);
  out.discriminator = discriminator_share(model, direction, outputs);
  return out;
}

RoundTrip EvidenceGatherer::round_trip(const ModelInUse& model, const NetworkInfo& back,
                                       const Direction& direction,
                                       const std::vector<at::Tensor>& outputs) const {
  const Domain &from = domains_.at(direction.from), &to = domains_.at(direction.to);
  const std::size_t count = std::min<std::size_t>(outputs.size(), kRoundTrips);
  RoundTrip sum;
  for (std::size_t i = 0; i < count; ++i) {
    const at::Tensor& input = from.images[i];
    const at::Tensor unit = to.to_unit(outputs[i]);
    const auto error = [&](const at::Tensor& translation) {
      const at::Tensor reconstruction = model.run(back, translation);
      return mean_difference(from.to_unit(input), from.to_unit(reconstruction)) / static_cast<double>(count);
    };
    sum.plain += error(outputs[i]);
    sum.rounded += error(to.from_unit((unit / kGreyLevel).round() * kGreyLevel));
    sum.noisy += error(to.from_unit(unit + noise_like(unit, i) * kGreyLevel));
  }
  return sum;
}

std::optional<double> EvidenceGatherer::discriminator_share(const ModelInUse& model,
                                                            const Direction& direction,
                                                            const std::vector<at::Tensor>& outputs) const {
  const NetworkInfo* discriminator = find_discriminator(networks_, direction);
  const Json mode = option_value(session_.config(), "gan_mode");
  if (discriminator == nullptr || !mode.is_string()) return std::nullopt;
  const auto scale = discriminator_scale(mode.get<std::string>());
  if (!scale) return std::nullopt;
  const GanLoss& gan = gan_loss(mode.get<std::string>());
  const Domain &from = domains_.at(direction.from), &to = domains_.at(direction.to);
  double sum = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto scores = [&](const at::Tensor& image, const at::Tensor& label) {
      return model.run(*discriminator, seen(*discriminator, direction, from.images[i], image, label));
    };
    // A translation has the class of its input.
    sum += gan.discriminator(scores(to.images[i], to.labels[i]), scores(outputs[i], from.labels[i]))
               .item<double>();
  }
  return scale->share(sum / static_cast<double>(outputs.size()));
}

}  // namespace torsor
