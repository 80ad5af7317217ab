#include "infer/output_check.h"

#include <torch/types.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/rng.h"
#include "data/image_distances.h"

namespace torsor {

namespace {

constexpr double kNoise = 1.0 / 255;  // of the range: one level of 8 bits

at::Tensor with_noise(const at::Tensor& values, double deviation, std::uint64_t seed) {
  Rng rng(seed);
  at::Tensor out = values.to(at::kCPU, at::kFloat).clone(at::MemoryFormat::Contiguous);
  float* samples = out.data_ptr<float>();
  for (std::int64_t i = 0; i < out.numel(); ++i) samples[i] += static_cast<float>(deviation * rng.normal());
  return out;
}

}  // namespace

CycleErrors cycle_errors(const at::Tensor& x, const at::Tensor& delivered, const TensorMapping& back,
                         double span, std::uint64_t seed) {
  const at::NoGradGuard no_grad;
  const at::Tensor returned = back(with_noise(delivered, kNoise * span, seed)).to(at::kCPU);
  const ImageDistances distances = image_distances(x.to(at::kCPU), returned);
  const CycleErrors out{distances.whole.item<double>() / span, distances.worst.item<double>() / span};
  if (!std::isfinite(out.whole)) fail("the generator back makes NaN of a delivered image; it is damaged");
  return out;
}

double span_of(const std::string& scaling) { return scales_each_image(scaling) ? 1 : 2; }

std::uint64_t noise_seed(const std::string& hash) {
  std::uint64_t first = 0;
  const std::string digits = hash.substr(0, 16);
  std::from_chars(digits.data(), digits.data() + digits.size(), first, 16);
  return derive_seed(first, "noise of a delivered image");
}

OutputCheck::OutputCheck(const WeightSet& set, const Direction& direction, const RunnerOptions& options)
    : placement_(options.placement), span_(span_of(set.info.scaling())) {
  if (!direction.is_known()) {
    no_back_ = no_discriminator_ = "the model does not say between which domains it translates";
    return;
  }
  if (find_translator(set.info.networks, direction.opposite()) != nullptr) {
    RunnerOptions opposite = options;
    opposite.direction = direction.opposite().name();
    back_.emplace(load_generator(set, opposite.direction), opposite);
  } else {
    no_back_ = fmt::format("the model has no generator {}, so that nothing can be brought back",
                           direction.opposite().name());
  }
  if (find_discriminator(set.info, {direction.to}) == nullptr) {
    no_discriminator_ = fmt::format("the model has no discriminator of domain {} alone", direction.to);
    return;
  }
  discriminator_ = load_discriminator(set, direction.to);
  set_placement(*discriminator_, placement_);
  set_norm_statistics(*discriminator_, options.norm_statistics);
}

std::optional<double> OutputCheck::score(const at::Tensor& delivered, std::string& why_not) const {
  const std::int64_t least = discriminator_->size_rule().minimum;
  if (std::min(delivered.size(2), delivered.size(3)) < least) {
    why_not = fmt::format("the discriminator needs {} pixels a side, the image has {}x{}", least,
                          delivered.size(3), delivered.size(2));
    return std::nullopt;
  }
  const c10::InferenceMode inference;
  const AutocastScope autocast(placement_);
  const at::Tensor scores = discriminator_->forward(delivered.to(placement_.device, placement_.dtype));
  return scores.to(at::kCPU, at::kDouble).mean().item<double>();
}

OutputMeasures OutputCheck::measure(const at::Tensor& x, const at::Tensor& delivered, std::uint64_t seed,
                                    const TensorMapping& bring_back, ScoredAs scored) const {
  OutputMeasures out;
  if (back_)
    out.cycle = cycle_errors(x, delivered, bring_back, span_, seed);
  else
    out.no_cycle = no_back_;
  if (discriminator_ == nullptr)
    out.no_discriminator = no_discriminator_;
  else if (scored == ScoredAs::too_large)
    out.no_discriminator = "the memory does not hold the discriminator's work on so large an image";
  else
    out.discriminator = score(delivered, out.no_discriminator);
  return out;
}

}  // namespace torsor
