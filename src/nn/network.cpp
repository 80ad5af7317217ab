#include "nn/network.h"

#include <charconv>

namespace torsor {

// One line per network; each is defined in its own file.
std::shared_ptr<Generator> make_resnet(const GeneratorOptions& options, std::int64_t blocks);
std::shared_ptr<Generator> make_unet(const GeneratorOptions& options, std::int64_t downsamplings);
std::shared_ptr<Network> make_n_layers(const DiscriminatorOptions& options, std::int64_t layers);
std::shared_ptr<Network> make_pixel(const DiscriminatorOptions& options);

namespace {

using GeneratorFactory = std::shared_ptr<Generator> (*)(const GeneratorOptions&, std::int64_t n);
using DiscriminatorFactory = std::shared_ptr<Network> (*)(const DiscriminatorOptions&);

const Registry<GeneratorFactory>& generators() {
  static const Registry<GeneratorFactory> table = [] {
    Registry<GeneratorFactory> r("generator");
    r.add("resnet_<n>blocks", make_resnet);
    r.add("unet_128", [](const GeneratorOptions& o, std::int64_t) { return make_unet(o, 7); });
    r.add("unet_256", [](const GeneratorOptions& o, std::int64_t) { return make_unet(o, 8); });
    return r;
  }();
  return table;
}

const Registry<DiscriminatorFactory>& discriminators() {
  static const Registry<DiscriminatorFactory> table = [] {
    Registry<DiscriminatorFactory> r("discriminator");
    r.add("basic", [](const DiscriminatorOptions& o) { return make_n_layers(o, 3); });
    r.add("n_layers", [](const DiscriminatorOptions& o) { return make_n_layers(o, o.n_layers_d); });
    r.add("pixel", make_pixel);
    return r;
  }();
  return table;
}

// "resnet_9blocks" -> ("resnet_<n>blocks", 9) when such a family is registered, else (name, 0).
std::pair<std::string, std::int64_t> family_of(const std::string& name) {
  if (name.find("<n>") != std::string::npos)
    fail_usage("generator '{}': put a number in place of <n>, for example resnet_9blocks", name);
  const auto first = name.find_first_of("0123456789");
  if (first == std::string::npos) return {name, 0};
  const auto last = name.find_first_not_of("0123456789", first);
  const std::string digits = name.substr(first, last == std::string::npos ? last : last - first);
  const std::string family =
      name.substr(0, first) + "<n>" + (last == std::string::npos ? "" : name.substr(last));
  for (const auto& known : generators().names()) {
    if (known != family) continue;
    std::int64_t n = 0;
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
    if (status != std::errc() || n > 1000) fail_usage("generator '{}': at most 1000 blocks", name);
    return {family, n};
  }
  return {name, 0};
}

}  // namespace

at::Tensor Generator::forward_with_residuals(const at::Tensor&, std::vector<at::Tensor>&) {
  fail("this generator has no residual blocks to report; use a resnet generator");
}

void GeneratorOptions::describe_user(OptionSet& o) {
  o.add("net_g", net_g, "generator: resnet_<n>blocks, unet_128 or unet_256").check(check_generator_name);
  o.add("ngf", ngf, "width of the generator: filters of its first layer").range(1, 4096);
  o.add("norm", norm, "normalisation of all networks").choices({"instance", "batch", "none"});
  o.add("dropout", dropout, "dropout of 0.5 inside the generator's blocks");
  o.add("output_activation", output_activation, "tanh for images in [-1, 1], linear for unbounded ones")
      .choices({"tanh", "linear"});
}

void GeneratorOptions::describe(OptionSet& o) {
  describe_user(o);
  o.add("in_channels", in_channels, "channels of the input image").range(1, 4096);
  o.add("out_channels", out_channels, "channels of the output image").range(1, 4096);
}

void DiscriminatorOptions::describe_user(OptionSet& o) {
  o.add("net_d", net_d, "discriminator; basic is the 70x70 PatchGAN").choices(discriminator_names());
  o.add("ndf", ndf, "width of the discriminator").range(1, 4096);
  o.add("n_layers_d", n_layers_d, "strided layers of --net-d n_layers").range(1, 8);
}

void DiscriminatorOptions::describe(OptionSet& o) {
  describe_user(o);
  o.add("norm", norm, "normalisation").choices({"instance", "batch", "none"});
  o.add("in_channels", in_channels, "channels of the image it judges").range(1, 4096);
}

std::shared_ptr<Generator> make_generator(const GeneratorOptions& options) {
  const auto [name, n] = family_of(options.net_g);
  return generators().at(name)(options, n);
}

std::shared_ptr<Network> make_discriminator(const DiscriminatorOptions& options) {
  return discriminators().at(options.net_d)(options);
}

SizeRule size_rule_of(const GeneratorOptions& options) {
  const ShapesOnly outline;
  return make_generator(options)->size_rule();
}

SizeRule size_rule_of(const DiscriminatorOptions& options) {
  const ShapesOnly outline;
  return make_discriminator(options)->size_rule();
}

std::vector<std::string> generator_names() { return generators().names(); }
std::vector<std::string> discriminator_names() { return discriminators().names(); }

void check_generator_name(const std::string& name, const std::string& where) {
  const auto known = generators().names();
  const std::string family = family_of(name).first;
  if (std::find(known.begin(), known.end(), family) != known.end()) return;
  std::vector<std::string> candidates = known;
  candidates.insert(candidates.end(), {"resnet_9blocks", "resnet_6blocks"});
  fail_usage("{}: unknown generator '{}'{} (one of {})", where, name, did_you_mean(name, candidates),
             join(known));
}

std::int64_t parameter_count(const torch::nn::Module& module) {
  std::int64_t count = 0;
  for (const auto& parameter : module.parameters()) count += parameter.numel();
  return count;
}

}  // namespace torsor
