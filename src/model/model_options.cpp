#include "model/model_options.h"

#include "core/error.h"
#include "core/text.h"
#include "data/tensor_image.h"
#include "nn/flow.h"
#include "nn/moved.h"

namespace torsor {

std::vector<std::string> ModelOptions::notices(const DomainChannels&, const std::string&) const { return {}; }

std::vector<std::string> ModelOptions::summary(const DomainChannels&) const { return {}; }

Json ModelOptions::preset(const std::string&, Json json) const { return json; }

std::vector<ModelSize> resnet_sizes() {
  return {{256, 64, "resnet_9blocks"}, {256, 32, "resnet_9blocks"}, {128, 64, "resnet_6blocks"},
          {128, 32, "resnet_6blocks"}, {96, 32, "resnet_6blocks"},  {64, 32, "resnet_6blocks"},
          {64, 16, "resnet_6blocks"},  {64, 16, "resnet_3blocks"}};
}

std::vector<std::string> reach_notice(const GeneratorOptions& generator, const std::string& scaling) {
  const bool ends_in_tanh = generator.output_activation == "tanh" && !is_invertible(generator);
  if (!scales_each_image(scaling) || !ends_in_tanh) return {};
  return {fmt::format(
      "--scaling {}: samples above 1 are out of tanh's reach; --output-activation linear has no such end",
      scaling)};
}

void NetworkChoice::describe(OptionSet& o) {
  generator.describe_user(o);
  discriminator.describe_user(o);
  std::vector<std::string> norms = norm_names();
  norms.insert(norms.begin(), "same");
  o.add("norm_d", norm_d, "normalisation of the discriminators; same = as --norm").choices(norms);
  init.describe(o);
}

void NetworkChoice::validate() const {
  if (generator.net_g == kIdentityGenerator)
    fail_usage("--net-g identity: copies its input, there is nothing to train; choose one of {}",
               join(generator_names()));
  if (const auto moved = moved_name(generator.net_g))
    fail_usage("--net-g {}: is a trained generator with a fixed map, to be applied; train {}",
               generator.net_g, moved->net);
}

GeneratorOptions NetworkChoice::generator_of(std::int64_t in, std::int64_t out) const {
  GeneratorOptions o = generator;
  o.in_channels = in;
  o.out_channels = out;
  return o;
}

DiscriminatorOptions NetworkChoice::discriminator_of(std::int64_t channels) const {
  DiscriminatorOptions o = discriminator;
  o.norm = norm_d == "same" ? generator.norm : norm_d;
  o.in_channels = channels;
  return o;
}

// What each of these does for an hour of training: docs/training.md, "An hour on a laptop".
Json NetworkChoice::laptop_preset(Json json) const {
  if (generator.net_g.starts_with("resnet_")) json["upsample"] = "blur";
  json["net_d"] = "n_layers";  // two layers: 34 of 128 pixels, as the publication's 70 of 256
  json["n_layers_d"] = 2;
  json["ema"] = 0.999;
  return json;
}

}  // namespace torsor
