#include "nn/network.h"

#include <charconv>

#include "nn/latent.h"
#include "nn/moved.h"
#include "nn/ode.h"

namespace torsor {

// One line per network; each is defined in its own file.
std::shared_ptr<Generator> make_resnet(const GeneratorOptions& options, std::int64_t blocks);
std::shared_ptr<Generator> make_unet(const GeneratorOptions& options, std::int64_t downsamplings);
std::shared_ptr<Generator> make_residual_unet(const GeneratorOptions& options, std::int64_t downsamplings);
std::shared_ptr<Generator> make_autoencoder(const GeneratorOptions& options, std::int64_t side);
std::shared_ptr<Generator> make_latent(const GeneratorOptions& options, std::int64_t side);
std::shared_ptr<Generator> make_flow(const GeneratorOptions& options, std::int64_t blocks);
std::shared_ptr<Generator> make_identity(const GeneratorOptions& options);
std::shared_ptr<Network> make_n_layers(const DiscriminatorOptions& options, std::int64_t layers);
std::shared_ptr<Network> make_pixel(const DiscriminatorOptions& options);
std::shared_ptr<Network> make_full_image(const DiscriminatorOptions& options, std::int64_t side);

namespace {

const std::string kFlowFamily = "flow_<n>", kFlowExample = "flow_2";

using GeneratorFactory = std::shared_ptr<Generator> (*)(const GeneratorOptions&, std::int64_t n);
using DiscriminatorFactory = std::shared_ptr<Network> (*)(const DiscriminatorOptions&, std::int64_t n);

const Registry<GeneratorFactory>& generators() {
  static const Registry<GeneratorFactory> table = [] {
    Registry<GeneratorFactory> r("generator");
    r.add("resnet_<n>blocks", make_resnet);
    r.add("autoencoder_<n>", make_autoencoder);
    r.add("residual_unet_<n>", make_residual_unet);
    r.add(kFlowFamily, make_flow);
    r.add(kLatentFamily, make_latent);
    r.add("unet_128", [](const GeneratorOptions& o, std::int64_t) { return make_unet(o, 7); });
    r.add("unet_256", [](const GeneratorOptions& o, std::int64_t) { return make_unet(o, 8); });
    r.add(kIdentityGenerator, [](const GeneratorOptions& o, std::int64_t) { return make_identity(o); });
    return r;
  }();
  return table;
}

const Registry<DiscriminatorFactory>& discriminators() {
  static const Registry<DiscriminatorFactory> table = [] {
    Registry<DiscriminatorFactory> r("discriminator");
    r.add("basic", [](const DiscriminatorOptions& o, std::int64_t) { return make_n_layers(o, 3); });
    r.add("n_layers",
          [](const DiscriminatorOptions& o, std::int64_t) { return make_n_layers(o, o.n_layers_d); });
    r.add("pixel", [](const DiscriminatorOptions& o, std::int64_t) { return make_pixel(o); });
    r.add("full_<n>", make_full_image);
    return r;
  }();
  return table;
}

// "resnet_9blocks" -> ("resnet_<n>blocks", 9) when such a family is among `known`, else (name, 0).
std::pair<std::string, std::int64_t> family_of(const std::string& name, const std::vector<std::string>& known,
                                               const std::string& what, const std::string& example) {
  constexpr std::int64_t kLargest = 1024;
  if (name.find("<n>") != std::string::npos)
    fail_usage("{} '{}': put a number in place of <n>, for example {}", what, name, example);
  const auto first = name.find_first_of("0123456789");
  if (first == std::string::npos) return {name, 0};
  const auto last = name.find_first_not_of("0123456789", first);
  const std::string digits = name.substr(first, last == std::string::npos ? last : last - first);
  const std::string family =
      name.substr(0, first) + "<n>" + (last == std::string::npos ? "" : name.substr(last));
  if (std::find(known.begin(), known.end(), family) == known.end()) return {name, 0};
  std::int64_t n = 0;
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
  if (status != std::errc() || n > kLargest)
    fail_usage("{} '{}': a number of at most {} is expected", what, name, kLargest);
  return {family, n};
}

const std::vector<std::string> kConvBiases = {"auto", "yes", "no"}, kDownsamples = {"strided", "blur"};

const std::string kResnetFamily = "resnet_<n>blocks", kGeneratorExample = "resnet_9blocks",
                  kDiscriminatorExample = "full_32";

std::pair<std::string, std::int64_t> generator_family(const std::string& name) {
  return family_of(name, generators().names(), "generator", kGeneratorExample);
}

std::pair<std::string, std::int64_t> discriminator_family(const std::string& name) {
  return family_of(name, discriminators().names(), "discriminator", kDiscriminatorExample);
}

// Throws UsageError unless `family` is known; `examples` are suggested too.
void check_known(const std::string& family, const std::vector<std::string>& known, const std::string& name,
                 const std::string& what, const std::string& where, std::vector<std::string> examples) {
  if (std::find(known.begin(), known.end(), family) != known.end()) return;
  examples.insert(examples.begin(), known.begin(), known.end());
  fail_usage("{}: unknown {} '{}'{} (one of {})", where, what, name, did_you_mean(name, examples),
             join(known));
}

}  // namespace

at::Tensor Generator::forward_with_residuals(const at::Tensor&, std::vector<at::Tensor>&) {
  fail("this generator has no residual blocks to report; use a resnet generator");
}

std::vector<at::Tensor> Generator::features(const at::Tensor&, const std::vector<std::int64_t>&) {
  fail("this generator is no list of layers whose outputs could be compared; use a resnet generator");
}

std::vector<std::int64_t> Generator::feature_channels(std::int64_t, const std::vector<std::int64_t>&) const {
  fail("this generator is no list of layers whose outputs could be compared; use a resnet generator");
}

void GeneratorOptions::describe_user(OptionSet& o) {
  o.add("net_g", net_g, "generator: " + join(generator_names()))
      .check(check_generator_name)
      .suggest({"resnet_9blocks", "resnet_6blocks", "unet_256", "unet_128"})
      .common();
  o.add("ngf", ngf, "width of the generator: filters of its first layer").range(1, 4096).common();
  o.add("norm", norm,
        "normalisation of all networks; instance_affine has a scale and a shift of each channel, "
        "instance_affine_running running statistics too")
      .choices(norm_names());
  o.add("dropout", dropout, "dropout of 0.5 inside the generator's blocks");
  o.add("output_activation", output_activation, "tanh for images in [-1, 1], linear for unbounded ones")
      .choices({"tanh", "linear"});
  o.add("conv_bias", conv_bias, "").choices(kConvBiases).hidden();
  o.add("padding", padding, "").choices({"reflect", "zero"}).hidden();
  o.add("downsample", downsample, "").choices(kDownsamples).hidden();
  o.add("upsample", upsample,
        "how a resnet generator doubles sides: by transposed convolutions, which the reference has and which "
        "can "
        "leave a fine grid in images, or by repeating pixels (resize) or interpolating (blur) in front of "
        "convolutions")
      .choices({"transposed", "resize", "blur"});
  o.add("n_downsampling", n_downsampling, "").range(1, 6).hidden();
  describe_flow(o);
}

void GeneratorOptions::describe_flow(OptionSet& o) {
  o.add("flow_solver", flow_solver,
        "how a flow generator solves dx/dt = v(x, t): in steps of a fixed length, or by dopri5, which "
        "chooses its steps for each image")
      .choices(ode_solvers());
  o.add("flow_steps", flow_steps,
        "steps from time 0 to 1 of a flow generator; dopri5 takes as many as it needs within each")
      .range(1, 1024);
  o.add("flow_tolerance", flow_tolerance, "error that a step of --flow-solver dopri5 may make")
      .range(1e-9, 1);
  o.add("flow_blocks", flow_blocks,
        "shared: one v for all times; own: each step of a flow generator has its own, as the blocks of a "
        "residual network")
      .choices({"shared", "own"});
}

namespace {

void require_flow_options_unused(const GeneratorOptions& o) {
  const GeneratorOptions unset;
  const auto refuse = [&](const std::string& flag, const std::string& value, const std::string& usual) {
    fail_usage("--net-g {}: only flow generators have {} {}; give --net-g {}, or {} {}", o.net_g, flag, value,
               kFlowExample, flag, usual);
  };
  if (o.flow_solver != unset.flow_solver) refuse("--flow-solver", o.flow_solver, unset.flow_solver);
  if (o.flow_steps != unset.flow_steps)
    refuse("--flow-steps", std::to_string(o.flow_steps), std::to_string(unset.flow_steps));
  if (o.flow_tolerance != unset.flow_tolerance)
    refuse("--flow-tolerance", fmt::format("{:g}", o.flow_tolerance),
           fmt::format("{:g}", unset.flow_tolerance));
  if (o.flow_blocks != unset.flow_blocks) refuse("--flow-blocks", o.flow_blocks, unset.flow_blocks);
}

}  // namespace

void GeneratorOptions::describe(OptionSet& o) {
  describe_user(o);
  o.add("in_channels", in_channels, "channels of the input image").range(1, 4096);
  o.add("out_channels", out_channels, "channels of the output image").range(1, 4096);
}

void DiscriminatorOptions::describe_user(OptionSet& o) {
  o.add("net_d", net_d,
        "discriminator: " + join(discriminator_names()) +
            "; basic is the 70x70 PatchGAN, full_<n> scores n x n images as a whole")
      .check(check_discriminator_name);
  o.add("ndf", ndf, "width of the discriminator").range(1, 4096);
  o.add("n_layers_d", n_layers_d, "strided layers of --net-d n_layers").range(1, 8);
}

void DiscriminatorOptions::describe(OptionSet& o) {
  describe_user(o);
  o.add("norm", norm, "normalisation").choices(norm_names());
  o.add("conv_bias", conv_bias, "").choices(kConvBiases).hidden();
  o.add("downsample", downsample, "").choices(kDownsamples).hidden();
  o.add("in_channels", in_channels, "channels of the images that it scores").range(1, 4096);
}

std::shared_ptr<Generator> make_generator(const GeneratorOptions& options) {
  if (const auto moved = moved_name(options.net_g)) return make_moved_generator(options, *moved);
  const auto [name, n] = generator_family(options.net_g);
  if (options.upsample != "transposed" && name != kResnetFamily)
    fail_usage(
        "--net-g {}: only resnet generators have --upsample {}; give --net-g {}, or --upsample transposed",
        options.net_g, options.upsample, kGeneratorExample);
  if (name != kFlowFamily) require_flow_options_unused(options);
  return generators().at(name)(options, n);
}

std::shared_ptr<Network> make_discriminator(const DiscriminatorOptions& options) {
  const auto [name, n] = discriminator_family(options.net_d);
  return discriminators().at(name)(options, n);
}

SizeRule size_rule_of(const GeneratorOptions& options) {
  const ShapesOnly outline;
  return make_generator(options)->size_rule();
}

SizeRule size_rule_of(const DiscriminatorOptions& options) {
  const ShapesOnly outline;
  return make_discriminator(options)->size_rule();
}

std::vector<std::string> generator_names() {
  std::vector<std::string> names = generators().names();
  std::erase(names, kIdentityGenerator);
  return names;
}

std::vector<std::string> discriminator_names() { return discriminators().names(); }

void check_generator_name(const std::string& name, const std::string& where) {
  if (const auto moved = moved_name(name)) return check_generator_name(moved->net, where);
  check_known(generator_family(name).first, generators().names(), name, "generator", where,
              {kGeneratorExample, "resnet_6blocks", "residual_unet_4", "autoencoder_32", kFlowExample});
}

void check_discriminator_name(const std::string& name, const std::string& where) {
  check_known(discriminator_family(name).first, discriminators().names(), name, "discriminator", where,
              {kDiscriminatorExample});
}

std::int64_t parameter_count(const torch::nn::Module& module) {
  std::int64_t count = 0;
  for (const auto& parameter : module.parameters()) count += parameter.numel();
  return count;
}

}  // namespace torsor
