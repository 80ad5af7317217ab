#include "infer/ensemble.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>
#include <utility>

#include "core/error.h"
#include "data/tensor_image.h"
#include "interchange/weight_source.h"
#include "model/generator_hash.h"

namespace torsor {

namespace {

constexpr std::pair<std::string_view, EnsembleOutput> kEnsembleNames[] = {
    {"first", EnsembleOutput::first}, {"mean", EnsembleOutput::mean}, {"median", EnsembleOutput::median}};

// Why two models cannot translate the same images; "" where they can.
std::string ensemble_unlikeness(const LoadedGenerator& x, const LoadedGenerator& y) {
  if (!(x.direction == y.direction))
    return fmt::format("one translates {} and the other {}", x.direction.name(), y.direction.name());
  if (x.options.in_channels != y.options.in_channels || x.options.out_channels != y.options.out_channels)
    return fmt::format("one makes {} channels of {}, the other {} of {}", x.options.out_channels,
                       x.options.in_channels, y.options.out_channels, y.options.in_channels);
  if (x.info.scaling() != y.info.scaling())
    return fmt::format("their images are scaled in two ways, {} and {}", x.info.scaling(), y.info.scaling());
  // With a scaling by image a domain's range is a mean over the training images, which may differ.
  if (!x.direction.is_known() || scales_each_image(x.info.scaling())) return "";
  for (const std::string& domain : {x.direction.from, x.direction.to})
    if (x.info.domain(domain).range != y.info.domain(domain).range)
      return fmt::format("white and black of domain {} differ between them", domain);
  return "";
}

}  // namespace

void add_ensemble(OptionSet& o, std::string& field) {
  std::vector<std::string> names;
  for (const auto& [name, output] : kEnsembleNames) names.emplace_back(name);
  o.add("ensemble", field,
        "with --also, what is written: the translation of MODEL (first), or the mean or the median of all")
      .choices(names);
}

EnsembleOutput ensemble_named(const std::string& name) {
  for (const auto& [known, output] : kEnsembleNames)
    if (known == name) return output;
  fail_usage("ensemble: unknown value '{}' (one of first, mean, median)", name);
}

std::string ensemble_name(EnsembleOutput output) {
  return output == EnsembleOutput::first ? "first" : output == EnsembleOutput::mean ? "mean" : "median";
}

void require_alike(const GeneratorRunner& first, const GeneratorRunner& other) {
  const std::string why = ensemble_unlikeness(first.loaded(), other.loaded());
  if (!why.empty())
    fail("{}: cannot translate beside {}, since {}", other.loaded().source, first.loaded().source, why);
}

std::vector<GeneratorRunner> open_ensemble(const GeneratorRunner& first, const std::string& first_hash,
                                           const std::vector<std::filesystem::path>& models,
                                           const RunnerOptions& options) {
  std::map<std::string, std::string> seen = {{first_hash, first.loaded().source}};
  std::vector<GeneratorRunner> out;
  for (const std::filesystem::path& model : models) {
    const WeightSet set = open_weights(model, options.choice);
    const auto [at, fresh] = seen.emplace(hash_of_generators(set), set.source);
    if (!fresh)
      fail("{}: has the same weights as {}; give runs of other seeds, which can differ", set.source,
           at->second);
    out.emplace_back(load_generator(set, options.direction), options);
    require_alike(first, out.back());
  }
  return out;
}

at::Tensor combined(const at::Tensor& made, EnsembleOutput output) {
  const at::NoGradGuard no_grad;
  if (output == EnsembleOutput::first) return made[0];
  if (output == EnsembleOutput::mean) return made.to(at::kDouble).mean(0).to(at::kFloat);
  const at::Tensor sorted = std::get<0>(made.sort(0));
  const std::int64_t models = made.size(0);
  return (sorted[(models - 1) / 2].to(at::kDouble) + sorted[models / 2].to(at::kDouble))
      .div(2)
      .to(at::kFloat);
}

at::Tensor spread_of(const at::Tensor& made, double span) {
  if (made.size(0) < 2) throw std::logic_error("one model has no spread");
  const at::NoGradGuard no_grad;
  return made.to(at::kCPU, at::kDouble).std(0, /*unbiased=*/true).mean(1) / span;  // [M,N,C,H,W] -> [N,H,W]
}

Image spread_picture(const at::Tensor& spread) {
  const at::Tensor values = spread.to(at::kDouble).contiguous();
  Image out = Image::blank(values.size(1), values.size(0), 1, PixelType::u16);
  const double* samples = values.data_ptr<double>();
  for (std::int64_t i = 0; i < values.numel(); ++i)
    out.u16()[i] = static_cast<std::uint16_t>(std::lround(std::clamp(samples[i], 0.0, 1.0) * kSpreadWhite));
  return out;
}

}  // namespace torsor
